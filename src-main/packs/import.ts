import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, rename, rm, statfs, type FileHandle } from 'node:fs/promises';
import { constants } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import type { AnyCard, PackFile, Precision } from '#contract/pack-card.js';
import { CARD_NAME, parseCard, readCard } from './card-file.js';
import type { WrittenFile } from '#engine/door/engine.js';
import type { CheckpointPack } from './checkpoint-card.js';
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
export async function importFolder(source: string, shelf: string): Promise<AnyCard> {
  const folder = resolve(source);
  const card = await readCard(folder, folder);
  const place = { shelf, name: card.name, bytes: totalBytes(card.files) };
  return shelve(place, async (unfinished) => {
    for (const file of card.files) await copyVerified(file, folder, unfinished);
    return card;
  });
}

/** How an import is done and followed. */
export interface ImportWork {
  /** Writes a weights file as safetensors of a precision: the engine's part. */
  writeWeights(file: string, target: string, precision: Precision): Promise<WrittenFile>;
  /** Hears how many bytes were written since the last time; throws to give the import up. */
  readonly onBytes: (bytes: number) => void;
}

/** Copies published weights files into `shelf` with the card that was made for them. */
export async function importCheckpoints({ sources, cardOf }: CheckpointPack, shelf: string, work: ImportWork): Promise<AnyCard> {
  const { name } = cardOf([]);
  const bytes = sources.reduce((sum, source) => sum + source.bytes, 0);
  return shelve({ shelf, name, bytes }, async (unfinished) => {
    const files: PackFile[] = [];
    for (const source of sources) {
      const parts = files.filter(({ role }) => role === source.role).length;
      const extension = source.written ? '.safetensors' : extname(source.path);
      const file = source.name ?? `${source.role}${parts === 0 ? '' : `-${parts + 1}`}${extension}`;
      const target = join(unfinished, file);
      const written = await (source.written
        ? work.writeWeights(source.path, target, source.written)
        : copyFile(source.path, target, { onBytes: work.onBytes }));
      files.push({ name: file, role: source.role, ...written });
    }
    return parseCard(cardOf(files), name);
  });
}

interface Place {
  readonly shelf: string;
  readonly name: string;
  /** What the files will take. */
  readonly bytes: number;
}

/** Fills a folder of its own, adds the card, and puts it under its name in one step. */
async function shelve({ shelf, name, bytes }: Place, fill: (unfinished: string) => Promise<AnyCard>): Promise<AnyCard> {
  await makeShelf(shelf);
  await sweepUnfinished(shelf);
  await expectSpace({ shelf, name, bytes });
  const unfinished = await mkdtemp(join(shelf, UNFINISHED));
  try {
    const card = await fill(unfinished);
    await writeDurably(join(unfinished, CARD_NAME), JSON.stringify(card, undefined, 2));
    await syncFolder(unfinished);
    await appear(unfinished, join(shelf, name), name);
    await syncFolder(shelf);
    return card;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

function totalBytes(files: readonly PackFile[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0);
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

async function expectSpace({ shelf, name, bytes }: Place): Promise<void> {
  const { bavail, bsize } = await statfs(shelf);
  const free = bavail * bsize;
  if (bytes <= free) return;
  throw new ExpectedError('output.unwritable', `Expected ${String(bytes)} free bytes for pack "${name}" but ${shelf} has ${String(free)}.`);
}

async function copyVerified(file: PackFile, from: string, to: string): Promise<void> {
  const { sha256 } = await copyFile(join(from, file.name), join(to, file.name), {
    expectSize: (bytes) => {
      if (bytes !== file.bytes) throw new ExpectedError('pack.damaged', sizeComplaint(file, bytes));
    },
  });
  if (sha256 !== file.sha256) throw new ExpectedError('pack.damaged', hashComplaint(file, sha256));
}

interface Copying {
  /** May refuse before anything is written. */
  readonly expectSize?: (bytes: number) => void;
  readonly onBytes?: (bytes: number) => void;
}

/** Copies and hashes. */
async function copyFile(from: string, to: string, { expectSize, onBytes }: Copying): Promise<WrittenFile> {
  const source = await openSource(from);
  try {
    const { size: bytes } = await source.stat();
    expectSize?.(bytes);
    const target = await open(to, 'wx');
    return { bytes, sha256: await copyAndHash(source, target, onBytes).finally(() => target.close()) };
  } finally {
    await source.close();
  }
}

/** Without following a link: a pack brings its own bytes, not those of some other file of the user. */
async function openSource(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | NO_FOLLOW);
  } catch (cause) {
    const reason = `could not be opened (${errnoOf(cause)})`;
    throw new ExpectedError('pack.damaged', `Expected a readable file for ${basename(path)} but it ${reason}.`, { cause });
  }
}

async function copyAndHash(source: FileHandle, target: FileHandle, onBytes?: (bytes: number) => void): Promise<string> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(PIECE_BYTES);
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, PIECE_BYTES, null);
    if (bytesRead === 0) break;
    const piece = buffer.subarray(0, bytesRead);
    hash.update(piece);
    await target.writeFile(piece);
    onBytes?.(bytesRead);
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
