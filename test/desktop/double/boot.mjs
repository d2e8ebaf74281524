// Loads the application's built main module with `electron` resolved to the double, as Electron would load it.
import { readFileSync } from 'node:fs';
import inspector from 'node:inspector';
import Module, { register } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { forbidFork } from './no-fork.mjs';

const words = process.argv.slice(2);
const flags = words.filter((word) => word.startsWith('--'));
const [folder = '.', ...rest] = words.filter((word) => !word.startsWith('--'));
// Prints "Debugger listening on ws://…": whoever drives the application connects to it.
if (flags.some((flag) => flag.startsWith('--inspect'))) inspector.open(0);
register('./hooks.mjs', import.meta.url);

const root = path.resolve(folder);
const { main } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const entry = path.join(root, main);
process.argv = [process.execPath, entry, ...rest];
process.versions.electron = '0.0.0-double';
process.type = 'browser';

const double = await import('./core.mjs');
const load = Module._load;
Module._load = (request, ...others) => (request === 'electron' ? double.default : load(request, ...others));
forbidFork();
double.configure(flags);
let loaded;
const entryLoaded = new Promise((resolve) => (loaded = resolve));
// Playwright calls this once it is attached; ready comes after the main module has been evaluated, never before.
globalThis.__playwright_run = () => entryLoaded.then(double.start);
await import(pathToFileURL(entry).href);
loaded();
if (flags.some((flag) => flag.startsWith('--inspect'))) await double.openBrowser();
else await double.start();
