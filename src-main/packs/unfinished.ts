import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import { ownerMark, verdictOn } from './owner.js';

const UNFINISHED = '.importing-';
/** Holds the mark of whoever fills the folder. */
const LOCK = '.lock';
/** What the writers of weights note beside their files; see `engine/weights/write-journal.ts`. */
const JOURNAL = '.journal';
/** Nobody goes on with it any more. */
const FORGOTTEN_MS = 7 * 24 * 60 * 60 * 1000;

/** Whoever fills a folder writes to it more often than that. */
const AT_WORK_MS = 60 * 1000;

/** The folders that this process fills. */
const ours = new Set<string>();

/**
 * The folder in which a pack is being made, for us alone. The same plan finds what a killed try of it left.
 *
 * @throws ExpectedError `job.busy` where another import is filling it.
 */
export async function takeUnfinished(shelf: string, plan: unknown): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);
  const folder = join(shelf, `${UNFINISHED}${digest}`);
  await mkdir(folder, { recursive: true });
  if (await isTaken(folder))
    throw new ExpectedError('job.busy', 'Expected one import of the same files at a time but another one is running.');
  ours.add(folder);
  await writeFile(join(folder, LOCK), ownerMark());
  return folder;
}

/** Ours until now; what lies in it may be gone on with. */
export async function leaveUnfinished(folder: string): Promise<void> {
  ours.delete(folder);
  await rm(join(folder, LOCK), { force: true });
}

/** As `leaveUnfinished`, and nothing but the pack's own files stays. */
export async function tidyUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (name.endsWith(JOURNAL)) await rm(join(folder, name));
  await leaveUnfinished(folder);
}

/** What lies in it already. */
export async function bytesIn(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Killed imports that nobody went on with. */
export async function sweepUnfinished(shelf: string): Promise<void> {
  for (const entry of await readdir(shelf)) {
    if (!entry.startsWith(UNFINISHED)) continue;
    const folder = join(shelf, entry);
    const { mtimeMs } = await stat(folder);
    if (Date.now() - mtimeMs > FORGOTTEN_MS && !(await isTaken(folder))) await rm(folder, { recursive: true, force: true });
  }
}

/** Our own mark counts only for what we remember to have taken. Another machine's import may be at work while its files grow. */
async function isTaken(folder: string): Promise<boolean> {
  const holder = await readFile(join(folder, LOCK), 'utf8').catch(() => '');
  if (holder === ownerMark()) return ours.has(folder);
  if (holder === '' || verdictOn(holder) !== 'unknown') return holder !== '' && verdictOn(holder) === 'lives';
  return Date.now() - (await lastTouchedMs(folder)) < AT_WORK_MS;
}

async function lastTouchedMs(folder: string): Promise<number> {
  const times = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).mtimeMs);
  return Math.max(0, ...(await Promise.all(times)));
}
