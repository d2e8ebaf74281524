import { randomBytes } from 'node:crypto';
import { lstat, readdir, unlink } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { OWNER, ownerMark, verdictOn } from '#packs/owner.js';

/** Ends `.tmp`, behind who writes it and a number that nobody guesses; earlier versions had the number alone. */
const SIDE_FILE = new RegExp(`^\\..{1,100}?\\.(?:(${OWNER.source})\\.)?[0-9a-f]{12}\\.tmp$`, 'u');
/** A save takes minutes at most: what nobody here can judge is left by then. */
const FORGOTTEN_MS = 24 * 60 * 60 * 1000;

/** The name of the file beside `path` that a save writes first. */
export function sideFileOf(path: string): string {
  return `.${basename(path).slice(0, 100)}.${ownerMark()}.${randomBytes(6).toString('hex')}.tmp`;
}

/** Looking once more costs little; remembering every folder for ever would not end. */
const MOST_REMEMBERED = 1000;
const swept = new Set<string>();

/** Removes what killed saves left in a folder, at the first save to it: only files of ours whose writer is dead. Never throws. */
export async function sweepSideFiles(folder: string): Promise<void> {
  if (swept.has(folder)) return;
  if (swept.size >= MOST_REMEMBERED) swept.clear();
  swept.add(folder);
  for (const name of await readdir(folder).catch(() => [])) {
    const match = SIDE_FILE.exec(name);
    if (match && (await isLeft(join(folder, name), match[1]))) await unlink(join(folder, name)).catch(() => undefined);
  }
}

async function isLeft(file: string, mark: string | undefined): Promise<boolean> {
  const facts = await lstat(file).catch(() => undefined);
  const { uid } = userInfo();
  if (facts?.isFile() !== true || (uid >= 0 && facts.uid !== uid)) return false;
  const verdict = mark === undefined ? 'unknown' : verdictOn(mark);
  return verdict === 'dead' || (verdict === 'unknown' && Date.now() - facts.mtimeMs > FORGOTTEN_MS);
}
