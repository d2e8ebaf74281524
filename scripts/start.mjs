// `npm start`: the studio; on the desktop where Electron can be had, else in the browser.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ensureBuild, ensurePackages, findElectron, root } from './ensure.mjs';

const shell = path.join(root, 'dist/main/electron.js');
const options = process.argv.slice(2);

function program() {
  const electron = process.env.SCALEBRUSH_BROWSER || !existsSync(shell) ? undefined : findElectron();
  if (electron) return [electron, [shell, ...options]];
  console.log('No desktop shell here: opening the studio in the browser.');
  return [process.execPath, [path.join(root, 'dist/main/cli.js'), 'serve', '--open', ...options]];
}

ensurePackages();
ensureBuild();
const child = spawn(...program(), { cwd: root, stdio: 'inherit' });
// The terminal sends Ctrl-C to both of us; other ways to be stopped reach only this process.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill('SIGTERM'));
child.once('error', ({ message }) => {
  console.error(`The studio could not be started: ${message}`);
  process.exit(1);
});
child.once('exit', (code) => process.exit(code ?? 1));
