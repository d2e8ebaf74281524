import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of our package.json: the same from the sources and from the built files, however deep these lie. */
export function packageRoot(start: string = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (isOurPackage(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) throw new Error(`Expected Scalebrush's package.json above ${start} but found none.`);
  }
}

function isOurPackage(file: string): boolean {
  if (!existsSync(file)) return false;
  const { name } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown };
  return name === 'scalebrush';
}

/** Packs that come with the program. In a desktop package they lie beside the archive: weights are mapped from real files. */
export function builtInPacksFolder(root: string = packageRoot()): string {
  return join(root.replace(/\.asar$/u, '.asar.unpacked'), 'models');
}

/** Packs that the user brought along; SCALEBRUSH_HOME moves everything we keep. */
export function userPacksFolder(environment: Environment = process.env): string {
  return join(userDataFolder(environment, process.platform), 'packs');
}

/** What windows have on their tables, so that nothing is lost. */
export function journalFolder(environment: Environment = process.env): string {
  return join(userDataFolder(environment, process.platform), 'journal');
}

/** Documents that were closed. */
export function recentFolder(environment: Environment = process.env): string {
  return join(userDataFolder(environment, process.platform), 'recent');
}

/** What the user likes; see the contract. */
export function preferencesFile(environment: Environment = process.env): string {
  return join(userDataFolder(environment, process.platform), 'preferences.json');
}

/** The secret by which pages that are open find a server again that was started anew. */
export function sessionFile(environment: Environment = process.env): string {
  return join(userDataFolder(environment, process.platform), 'server-session');
}

/** Where each system wants programs to keep their data. */
export function userDataFolder(environment: Environment, platform: NodeJS.Platform): string {
  const chosen = environment['SCALEBRUSH_HOME'];
  if (isSet(chosen)) return chosen;
  if (platform === 'win32') return join(environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'Scalebrush', 'Data');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Scalebrush');
  const shared = environment['XDG_DATA_HOME'];
  return join(isSet(shared) ? shared : join(homedir(), '.local', 'share'), 'scalebrush');
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
