// `npm start`: the studio; on the desktop where Electron can be had, else in the browser.
import { ensureBuild, ensurePackages, findElectron, run } from './ensure.mjs';

ensurePackages();
ensureBuild();
const electron = process.env.SCALEBRUSH_BROWSER ? undefined : findElectron();
if (!electron) console.log('Electron is not to be had here: opening the studio in the browser.');
const [command, args] = electron ? [electron, ['dist/main/electron.js']] : [process.execPath, ['dist/main/cli.js', 'serve', '--open']];
process.exit(run(command, [...args, ...process.argv.slice(2)]).status ?? 0);
