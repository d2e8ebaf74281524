import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, rename, rm, statfs, type FileHandle } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join, resolve } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import type { PackCard, PackFile } from '#contract/pack-card.js';
import { CARD_NAME, readCard } from './card-file.js';
import { errnoOf } from './json-file.js';
import { hashComplaint, sizeComplaint } from './verify.js';

const UNFINISHED = '.importing-';
/** Windows has no such flag. */
const NO_FOLLOW = process.platform === 'win32' ? 0 : constants.O_NOFOLLOW;
const PIECE_BYTES = 1024 * 1024;

/**
 * Copies a pack folder into `shelf`: card and named files only, hashed while they are copied, so what was
 * verified is what lies there. The pack appears whole under its name or not at all.
 */
export async function importFolder(source: string, shelf: string): Promise<PackCard> {
  const folder = resolve(source);
  const card = await readCard(folder, folder);
  await makeShelf(shelf);
  await sweepUnfinished(shelf);
  await expectSpace(card, shelf);
  const unfinished = await mkdtemp(join(shelf, UNFINISHED));
  try {
    for (const file of card.files) await copyVerified(file, folder, unfinished);
    await writeDurably(join(unfinished, CARD_NAME), JSON.stringify(card, undefined, 2));
    await syncFolder(unfinished);
    await appear(unfinished, join(shelf, card.name), card.name);
    await syncFolder(shelf);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  return card;
}

async function makeShelf(shelf: string): Promise<void> {
  try {
    await mkdir(shelf, { recursive: true });
  } catch (cause) {
    throw new ExpectedError('output.unwritable', `Expected a writable folder for packs but ${shelf} cannot be made (${errnoOf(cause)}).`, {
      cause,
    });
  }
}

/** What a killed import left behind; a running one is younger than a day. */
async function sweepUnfinished(shelf: string): Promise<void> {
  const dayMs = 24 * 60 * 60 * 1000;
  for (const entry of await readdir(shelf)) {
    if (!entry.startsWith(UNFINISHED)) continue;
    const handle = await open(join(shelf, entry), 'r');
    const { mtimeMs } = await handle.stat().finally(() => handle.close());
    if (Date.now() - mtimeMs > dayMs) await rm(join(shelf, entry), { recursive: true, force: true });
  }
}

async function expectSpace(card: PackCard, shelf: string): Promise<void> {
  const needed = card.files.reduce((sum, file) => sum + file.bytes, 0);
  const { bavail, bsize } = await statfs(shelf);
  const free = bavail * bsize;
  if (needed <= free) return;
  throw new ExpectedError(
    'output.unwritable',
    `Expected ${String(needed)} free bytes for pack "${card.name}" but ${shelf} has ${String(free)}.`,
  );
}

async function copyVerified(file: PackFile, from: string, to: string): Promise<void> {
  const source = await openSource(file, from);
  try {
    const { size } = await source.stat();
    if (size !== file.bytes) throw new ExpectedError('pack.damaged', sizeComplaint(file, size));
    const target = await open(join(to, file.name), 'wx');
    const sha256 = await copyAndHash(source, target).finally(() => target.close());
    if (sha256 !== file.sha256) throw new ExpectedError('pack.damaged', hashComplaint(file, sha256));
  } finally {
    await source.close();
  }
}

/** Without following a link: a pack brings its own bytes, not those of some other file of the user. */
async function openSource(file: PackFile, folder: string): Promise<FileHandle> {
  try {
    return await open(join(folder, file.name), constants.O_RDONLY | NO_FOLLOW);
  } catch (cause) {
    throw new ExpectedError('pack.damaged', `Expected a readable file for ${file.name} but it could not be opened (${errnoOf(cause)}).`, {
      cause,
    });
  }
}

async function copyAndHash(source: FileHandle, target: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(PIECE_BYTES);
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, PIECE_BYTES, null);
    if (bytesRead === 0) break;
    const piece = buffer.subarray(0, bytesRead);
    hash.update(piece);
    await target.writeFile(piece);
  }
  await target.sync();
  return hash.digest('hex');
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function appear(unfinished: string, place: string, name: string): Promise<void> {
  try {
    await rename(unfinished, place);
  } catch (cause) {
    if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(errnoOf(cause))) throw cause;
    throw new ExpectedError('output.exists', `Expected a new pack but "${name}" is installed already.`, { cause });
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders; there the file system's own journal keeps the order.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
