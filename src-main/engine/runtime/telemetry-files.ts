import { lstat, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isAlive } from './is-alive.js';

export interface TelemetryPlaces {
  /** The runtime's own folder in the user's cache. */
  readonly cache: string;
  /** Where it puts what is only for one session. */
  readonly temporary: string;
}

/** Larger ones are not what it writes. */
const MAX_BYTES = 64 * 1024 * 1024;
const DATABASE = 'onnxruntime.db';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;

/** Where ONNX Runtime 1.30 keeps them by default: nowhere on Windows, where the system does it. */
export function telemetryPlaces(): TelemetryPlaces {
  const { XDG_CACHE_HOME: chosen } = process.env;
  const linux = chosen === undefined || chosen === '' ? path.join(os.homedir(), '.cache') : chosen;
  const parent = process.platform === 'darwin' ? path.join(os.homedir(), 'Library', 'Application Support') : linux;
  return { cache: path.join(parent, 'Microsoft', 'DeveloperTools', '.onnxruntime'), temporary: os.tmpdir() };
}

/**
 * Removes what runs before this version left on the disk: an identity of the machine, a database of events that wait to be
 * sent, a session's number, and empty logs. Each is looked at first: the kit that writes them is used by other programs too, and
 * what cannot be told to be the runtime's stays. Never throws: not being allowed to tidy up is no reason not to start.
 */
export async function sweepTelemetryFiles({ cache, temporary }: TelemetryPlaces = telemetryPlaces()): Promise<void> {
  const database = await ours(path.join(cache, DATABASE));
  // The session's file carries no name; that of the runtime is the one whose number the runtime's database knows.
  const session = await ours(path.join(temporary, '.ses'));
  const number = session?.toString('latin1').split('\n')[1] ?? '';
  if (UUID.test(number) && database?.includes(number) === true) await remove(path.join(temporary, '.ses'));
  await sweepLogs(temporary);
  await sweepCache(cache, database);
}

async function sweepCache(cache: string, database: Buffer | undefined): Promise<void> {
  const identity = await ours(path.join(cache, 'deviceid'));
  if (identity && UUID.test(identity.toString('latin1'))) await remove(path.join(cache, 'deviceid'));
  if (database?.subarray(0, 16).equals(Buffer.from('SQLite format 3\0')) === true)
    for (const end of ['-journal', '-wal', '-shm', '']) await remove(path.join(cache, DATABASE + end));
  // Those that are empty now, up to the name of the vendor.
  for (const folder of [cache, path.dirname(cache), path.dirname(path.dirname(cache))]) await rmdir(folder).catch(() => undefined);
}

/** Logs are named after their process. One that lives may still write to its own; one that is not empty may be anybody's. */
async function sweepLogs(temporary: string): Promise<void> {
  for (const name of await readdir(temporary).catch(() => [])) {
    const pid = /^mat-debug-(\d{1,10})\.log$/u.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const log = await ours(path.join(temporary, name));
    if (log?.length === 0) await remove(path.join(temporary, name));
  }
}

/** The content of a file of this user; undefined for links, for others' files, and for what is too large or not there. */
async function ours(file: string): Promise<Buffer | undefined> {
  try {
    const facts = await lstat(file);
    const { uid } = os.userInfo();
    if (!facts.isFile() || facts.size > MAX_BYTES || (uid >= 0 && facts.uid !== uid)) return undefined;
    return await readFile(file);
  } catch {
    return undefined;
  }
}

async function remove(file: string): Promise<void> {
  await rm(file, { force: true }).catch(() => undefined);
}
