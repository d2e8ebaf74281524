import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import electronLog from 'electron-log/node';

/** What the shell writes down for the day that something is wrong: of processes and updates, never of pictures or wishes. */
export interface Log {
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
  /** The last lines, the latest last, those before the last rotation included. */
  tail(count: number): readonly string[];
}

const MAX_BYTES = 1024 * 1024;

/** A file in the folder, both for this user alone; a full one becomes `scalebrush.old.log`, of which there is one. */
export function openLog(folder: string, maxBytes = MAX_BYTES): Log {
  makePrivate(folder);
  const logger = electronLog.create({ logId: folder });
  const { file } = logger.transports;
  const name = path.join(folder, 'scalebrush.log');
  logger.transports.console.level = false;
  Object.assign(file, { maxSize: maxBytes, writeOptions: { flag: 'a', mode: 0o600, encoding: 'utf8' } });
  file.format = '{iso} {level} {text}';
  file.resolvePathFn = () => name;
  const linesOf = (wanted: string): readonly string[] => file.readAllLogs({ fileFilter: (each) => each === wanted })[0]?.lines ?? [];
  return {
    info: (line) => { logger.info(line); }, // prettier-ignore
    warn: (line) => { logger.warn(line); }, // prettier-ignore
    error: (line) => { logger.error(line); }, // prettier-ignore
    tail: (count) => [...linesOf(name.replace(/\.log$/u, '.old.log')), ...linesOf(name)].filter((line) => line !== '').slice(-count),
  };
}

/** A link in its place, or in that of a log, was planted: it goes, and what it leads to is left alone. A folder that cannot be had costs the log. */
function makePrivate(folder: string): void {
  try {
    if (kindOf(folder) === 'link') unlinkSync(folder);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    for (const name of ['scalebrush.log', 'scalebrush.old.log'].map((each) => path.join(folder, each))) {
      const kind = kindOf(name);
      if (kind === 'link') unlinkSync(name);
      if (kind === 'file') chmodSync(name, 0o600);
    }
  } catch {
    process.stderr.write(`scalebrush: the log could not be opened in ${folder}.\n`);
  }
}

function kindOf(file: string): 'link' | 'file' | undefined {
  const facts = lstatSync(file, { throwIfNoEntry: false });
  if (!facts) return undefined;
  return facts.isSymbolicLink() ? 'link' : 'file';
}
