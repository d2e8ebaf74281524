import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm, stat, statfs, type FileHandle } from 'node:fs/promises';
import { constants } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { CancelledError, ExpectedError } from '#contract/errors.js';
import type { AnyCard, PackFile } from '#contract/pack-card.js';
import { CARD_NAME, parseCard, readCard, writeCard } from './card-file.js';
import type { WriteWork, WrittenFile } from '#engine/door/engine.js';
import type { CheckpointPack, PackSource } from '#engine/door/published.js';
import { errnoOf, NO_FOLLOW } from './json-file.js';
import { bytesIn, leaveUnfinished, sweepUnfinished, takeUnfinished, tidyUnfinished } from './unfinished.js';
import { hashComplaint, sha256Of, sizeComplaint } from './verify.js';

const PIECE_BYTES = 1024 * 1024;

/**
 * Copies a pack folder into `shelf`: card and named files only, hashed while they are copied, so what was
 * verified is what lies there. The pack appears whole under its name or not at all.
 */
export async function importFolder(source: string, shelf: string): Promise<AnyCard> {
  const folder = resolve(source);
  const card = await readCard(folder, folder);
  const elsewhere = card.files.find(({ at }) => at !== undefined);
  if (elsewhere) throw new ExpectedError('pack.damaged', `Expected ${elsewhere.name} beside the card but it names a file elsewhere.`);
  const place = { shelf, name: card.name, bytes: totalBytes(card.files), plan: card };
  return shelve(place, async (unfinished) => {
    for (const file of card.files) await copyVerified(file, folder, unfinished);
    return card;
  });
}

/** How an import is done and followed. */
export interface ImportWork {
  /** Writes a weights file as safetensors of a precision, going on where a killed try ended: the engine's part. */
  writeWeights(work: WriteWork): Promise<WrittenFile>;
  /** Hears how many bytes were written since the last time; throws to give the import up. */
  readonly onBytes: (bytes: number) => void;
}

/** Copies published weights files into `shelf`, or writes them anew, with the card that was made for them. */
export async function importCheckpoints({ sources, cardOf }: CheckpointPack, shelf: string, work: ImportWork): Promise<AnyCard> {
  const { name } = cardOf([]);
  const bytes = sources.reduce((sum, source) => sum + (source.stays ? 0 : source.bytes), 0);
  return shelve({ shelf, name, bytes, plan: [name, await planOf(sources)] }, async (unfinished) => {
    const files: PackFile[] = [];
    for (const source of sources) {
      const parts = files.filter(({ role }) => role === source.role).length;
      const extension = source.written ? '.safetensors' : extname(source.path);
      const file = source.name ?? `${source.role}${parts === 0 ? '' : `-${parts + 1}`}${extension}`;
      const target = join(unfinished, file);
      files.push({ name: file, role: source.role, ...(await fillFile(source, target, work)) });
    }
    return parseCard(cardOf(files), name);
  });
}

/** The same files and the same wishes: what a killed import may be gone on with. */
async function planOf(sources: readonly PackSource[]): Promise<unknown> {
  return Promise.all(sources.map(async ({ files, written, stays }) => [written, stays, await Promise.all(files.map(factsOf))]));
}

async function factsOf(file: string): Promise<readonly [string, number, number]> {
  const { size, mtimeMs } = await stat(file);
  return [file, size, mtimeMs];
}

type Filled = Pick<PackFile, 'bytes' | 'sha256' | 'madeOf' | 'at'>;

async function fillFile({ path, files, written, stays }: PackSource, target: string, work: ImportWork): Promise<Filled> {
  if (stays) return readInPlace(path, work);
  if (!written) {
    const copy = await copyFile(path, target, { onBytes: work.onBytes });
    return { ...copy, madeOf: [{ name: basename(path), sha256: copy.sha256 }] };
  }
  // Side by side: the writing has a process of its own.
  const state = { failed: false };
  const hear = () => {
    if (state.failed) throw new CancelledError('The import was given up.');
    work.onBytes(0);
  };
  const hashing = Promise.all(files.map(async (file) => ({ name: basename(file), sha256: await sha256Of(file, hear) })));
  hashing.catch(() => undefined);
  try {
    const made = await work.writeWeights({ file: path, target, ...written });
    return { ...made, madeOf: await hashing };
  } catch (error) {
    state.failed = true;
    throw error;
  }
}

async function readInPlace(path: string, { onBytes }: ImportWork): Promise<Filled> {
  const { size: bytes, mtimeMs: modifiedMs } = await stat(path);
  const sha256 = await sha256Of(path, onBytes);
  return { bytes, sha256, at: { path, modifiedMs }, madeOf: [{ name: basename(path), sha256 }] };
}

interface Place {
  readonly shelf: string;
  readonly name: string;
  /** What the files will take. */
  readonly bytes: number;
  /** Tells whether what a killed import left is of this one. */
  readonly plan: unknown;
}

/** Fills a folder of its own, adds the card, and puts it under its name in one step. */
async function shelve({ shelf, name, bytes, plan }: Place, fill: (unfinished: string) => Promise<AnyCard>): Promise<AnyCard> {
  await makeShelf(shelf);
  await sweepUnfinished(shelf);
  const unfinished = await takeUnfinished(shelf, plan);
  try {
    await expectSpace(shelf, name, bytes - (await bytesIn(unfinished)));
    const card = (await wholeCard(unfinished, name)) ?? (await fill(unfinished));
    // The card is the last thing that is written: where it is whole, so is the pack, and nothing is gone on with any more.
    await writeCard(unfinished, card);
    await syncFolder(unfinished);
    await tidyUnfinished(unfinished);
    await appear(unfinished, join(shelf, name), name);
    await syncFolder(shelf);
    return card;
  } catch (error) {
    // A process that died for want of memory or by a kill leaves what may be gone on with; all else leaves nothing.
    await leaveUnfinished(unfinished);
    if (!(error instanceof ExpectedError && error.code === 'inference.died')) await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** The card that a killed try had written before it could put the pack under its name. */
async function wholeCard(unfinished: string, name: string): Promise<AnyCard | undefined> {
  const card = await readCard(unfinished, name).catch(() => undefined);
  const sizes = card?.files.map(async (file) => file.at !== undefined || (await sizeOf(join(unfinished, file.name))) === file.bytes);
  if (sizes && (await Promise.all(sizes)).every(Boolean)) return card;
  await rm(join(unfinished, CARD_NAME), { force: true });
  return undefined;
}

function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(({ size }) => size, () => undefined); // prettier-ignore
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

async function expectSpace(shelf: string, name: string, bytes: number): Promise<void> {
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

/** Copies and hashes. What a killed try left is compared rather than written again. */
async function copyFile(from: string, to: string, { expectSize, onBytes }: Copying): Promise<WrittenFile> {
  const source = await openSource(from);
  try {
    const { size: bytes } = await source.stat();
    expectSize?.(bytes);
    const target = await open(to, constants.O_RDWR | constants.O_CREAT);
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
  const buffer = Buffer.alloc(PIECE_BYTES);
  const { size: left } = await target.stat();
  let at = 0;
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, PIECE_BYTES, at);
    if (bytesRead === 0) break;
    const piece = buffer.subarray(0, bytesRead);
    hash.update(piece);
    if (at + bytesRead > left || !(await holds(target, piece, at))) await writeAt(target, piece, at);
    at += bytesRead;
    onBytes?.(bytesRead);
  }
  await target.truncate(at);
  await target.sync();
  return hash.digest('hex');
}

async function holds(target: FileHandle, piece: Buffer, at: number): Promise<boolean> {
  const there = Buffer.alloc(piece.length);
  const { bytesRead } = await target.read(there, 0, piece.length, at);
  return bytesRead === piece.length && there.equals(piece);
}

async function writeAt(target: FileHandle, piece: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < piece.length;) done += (await target.write(piece, done, piece.length - done, at + done)).bytesWritten;
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
