// What a fresh machine lacks: packages, a build, a browser, Electron. Only node: modules, because it runs before `npm ci`.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..');
const require = createRequire(path.join(root, 'package.json'));
const windows = process.platform === 'win32';

export function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
}

/** npm is a script on Windows, which only a shell starts; it gets no path and nothing that a user typed. */
function npm(args, options) {
  return run('npm', args, { shell: windows, ...options });
}

/** The program of an installed package, run with this Node: no shell, so that paths may hold spaces. */
export function runTool(name, args, options) {
  const manifest = path.join(root, 'node_modules', name, 'package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  const script = typeof bin === 'string' ? bin : Object.values(bin)[0];
  return run(process.execPath, [path.join(path.dirname(manifest), script), ...args], options);
}

/** Ends the script when a step without which nothing else works has failed. */
function must(what, { status, error }) {
  if (status === 0) return;
  console.error(`${what} failed${error ? `: ${error.message}` : ''}.`);
  process.exit(status || 1);
}

/** Names and versions of a lock file without the fields that npm writes differently after an install. */
function lockedVersions(file) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  return new Map(
    Object.entries(packages)
      .filter(([name, entry]) => name && !entry.optional && !entry.peer)
      .map(([name, entry]) => [name, entry.version]),
  );
}

/** npm writes node_modules/.package-lock.json at the end of a finished install. */
function packagesAreCurrent() {
  const installed = path.join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const have = lockedVersions(installed);
  return [...lockedVersions(path.join(root, 'package-lock.json'))].every(([name, version]) => have.get(name) === version);
}

export function ensurePackages() {
  if (packagesAreCurrent()) return;
  console.log('Installing packages (npm ci) …');
  must('npm ci', npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']));
}

export function ensureBuild() {
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
  must('The build of the window', runTool('vite', ['build', '--logLevel', 'warn'], quiet));
  must('The build of the programs', runTool('vite', ['build', '--config', 'vite.main.config.ts', '--logLevel', 'warn'], quiet));
  must('The build of the preload script', runTool('vite', ['build', '--config', 'vite.preload.config.ts', '--logLevel', 'warn'], quiet));
}

const USUAL_BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/microsoft-edge',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
  'C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe',
];

function findBrowser() {
  const own = require('playwright-core').chromium.executablePath();
  return [process.env.SCALEBRUSH_CHROMIUM, own, ...USUAL_BROWSERS].find((file) => file && existsSync(file));
}

/** A Chromium for the tests: the one that is named, Playwright's, the system's, a downloaded one, Debian's. */
export function ensureBrowser() {
  const found = findBrowser();
  if (found) return found;
  console.log('Looking for a Chromium to install …');
  runTool('@playwright/test', ['install', 'chromium'], { stdio: 'ignore', timeout: 300_000 });
  if (!findBrowser() && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-qq'], { env, stdio: 'ignore' });
    run('apt-get', ['install', '-y', '-qq', 'chromium', 'libvulkan1'], { env, stdio: 'ignore' });
  }
  const installed = findBrowser();
  if (installed) return installed;
  console.error('Expected Chrome or Chromium but found none. Install one, or name it in SCALEBRUSH_CHROMIUM.');
  process.exit(1);
}

/** Programs of Debian that tests run beside ours. Where one cannot be had, they skip and say so. */
const DEBIAN = [
  { program: 'redis-server', package: 'redis-server' }, // the farm's queue
  { program: 'strace', package: 'strace' }, // what the system sees
  { program: 'convert', package: 'imagemagick' }, // other readers of what we write
  { program: 'exiftool', package: 'libimage-exiftool-perl' },
  { program: 'unzip', package: 'unzip' },
  { program: 'bsdtar', package: 'libarchive-tools' },
];

export function ensureTestPrograms() {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const missing = DEBIAN.filter(({ program }) => !folders.some((folder) => existsSync(path.join(folder, program))));
  if (missing.length === 0 || process.platform !== 'linux' || process.getuid() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const packages = missing.map((one) => one.package);
  console.log(`Installing ${packages.join(', ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-qq'], { env, stdio: 'ignore' });
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env, stdio: 'ignore' });
}

/** A desktop needs a screen, and on Linux a user other than root: Chromium's sandbox refuses that one. */
function hasDesktop() {
  if (process.platform !== 'linux') return true;
  const screen = process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  return Boolean(screen) && process.getuid() !== 0;
}

/** The Electron binary, downloaded by Electron's own installer where that is possible; undefined elsewhere. */
export function findElectron() {
  const folder = path.join(root, 'node_modules/electron');
  const marker = path.join(folder, 'path.txt');
  const installer = path.join(folder, 'install.js');
  if (!hasDesktop() || !existsSync(installer)) return undefined;
  if (!existsSync(marker)) {
    console.log('Fetching Electron …');
    run(process.execPath, [installer], { stdio: 'ignore', timeout: 180_000 });
  }
  if (!existsSync(marker)) return undefined;
  const binary = path.join(folder, 'dist', readFileSync(marker, 'utf8').trim());
  return existsSync(binary) ? binary : undefined;
}
