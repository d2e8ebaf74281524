import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Unzip, UnzipInflate, type UnzipFile } from 'fflate';
import { ExpectedError } from '#contract/errors.js';
import { unreadable } from './project-store.js';

/** Nothing else is ever written, so nothing else is read; who packs the folder itself puts its name in front. */
const ENTRY = /^(?:[^/\\]+\/)?(project\.json|pictures\/\d{1,4}\.(?:png|jpeg|webp|tiff|avif))$/u;
const MAX_BYTES = 2 * 1024 ** 3;
/** Text shrinks a hundredfold at most, pictures not at all. */
const MAX_RATIO = 200;
/** Folders of a project, and a note of the system in each. */
const MOST_PASSED_OVER = 1000;
const SMALL_BYTES = 1024 ** 2;
/** Inflates to a thousandfold at most before somebody looks. */
const PIECE_BYTES = 32 * 1024;
/** The record at the end of an archive, and the longest comment behind it. */
const END_BYTES = 22;
const COMMENT_BYTES = 65_535;

/** Ways of packing that every program for archives offers (APPNOTE 4.4.5). */
const [STORED, DEFLATED] = [0, 8];

/** An entry as it lies beside the archive now. */
export interface UnpackedEntry {
  readonly file: string;
  readonly sha256: string;
}

interface Writing {
  readonly name: string;
  readonly file: string;
  readonly hash: Hash;
  readonly pieces: Uint8Array[];
  handle?: FileHandle;
  bytes: number;
  readonly mostBytes: number;
  ended: boolean;
}

/**
 * Takes a project's archive apart into files of a folder, piece by piece: memory does not grow with it. What an entry holds is
 * counted while it inflates, whatever it claims.
 *
 * @throws ExpectedError `project.unreadable`.
 */
export async function unpackProject(archive: string, folder: string): Promise<ReadonlyMap<string, UnpackedEntry>> {
  const entries: Writing[] = [];
  let passedOver = 0;
  const unzip = new Unzip((entry) => {
    const own = ENTRY.exec(entry.name)?.[1];
    if (own !== undefined) begin(entry, { name: own, entries, folder });
    else if (isHarmless(entry.name)) passedOver++;
    else throw unreadable(`it has an entry ${JSON.stringify(entry.name.slice(0, 80))}`);
    if (passedOver > MOST_PASSED_OVER) throw unreadable('it is larger than any project');
  });
  unzip.register(UnzipInflate);
  try {
    for await (const piece of createReadStream(archive, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Buffer>) {
      unzip.push(new Uint8Array(piece), false);
      await flush(entries);
    }
    unzip.push(new Uint8Array(), true);
    await flush(entries);
  } catch (error) {
    throw error instanceof ExpectedError ? error : unreadable('the file is cut or damaged');
  } finally {
    for (const { handle } of entries) await handle?.close();
  }
  if (entries.length === 0 || entries.some(({ ended }) => !ended) || (await countAtEnd(archive)) !== entries.length + passedOver)
    throw unreadable('the file is cut or damaged');
  return new Map(entries.map(({ name, file, hash }) => [name, { file, sha256: hash.digest('hex') }]));
}

/** Folders, and what systems leave in them: passed over, never unpacked. A name that leads out of the folder is an attack. */
function isHarmless(name: string): boolean {
  return !/^\/|^[a-z]:|\\|\0|(^|\/)\.\.(\/|$)/iu.test(name);
}

interface Unpacking {
  readonly name: string;
  readonly entries: Writing[];
  readonly folder: string;
}

function begin(entry: UnzipFile, { name, entries, folder }: Unpacking): void {
  const { size = 0, originalSize = 0, compression } = entry;
  if (compression !== STORED && compression !== DEFLATED)
    throw unreadable('it is packed in a way that is not read here; pack it with Deflate');
  if (entries.some((other) => other.name === name)) throw unreadable(`it has ${name} twice`);
  const mostBytes = entry.size === undefined ? MAX_BYTES : Math.max(SMALL_BYTES, size * MAX_RATIO);
  expectAtMost(originalSize, mostBytes);
  const file = join(folder, String(entries.length));
  const writing: Writing = { name, file, hash: createHash('sha256'), pieces: [], bytes: 0, mostBytes, ended: false };
  entries.push(writing);
  entry.ondata = (error, data, final) => {
    if (error) throw error;
    writing.bytes += data.byteLength;
    expectAtMost(writing.bytes, mostBytes);
    expectAtMost(
      entries.reduce((sum, { bytes }) => sum + bytes, 0),
      MAX_BYTES,
    );
    writing.hash.update(data);
    writing.pieces.push(data);
    writing.ended ||= final;
  };
  entry.start();
}

function expectAtMost(bytes: number, most: number): void {
  if (bytes > most) throw unreadable('it is larger than any project');
}

/** How many entries the record at the end counts; undefined where the end is missing. */
async function countAtEnd(archive: string): Promise<number | undefined> {
  const handle = await open(archive, 'r');
  try {
    const { size } = await handle.stat();
    const tail = Buffer.alloc(Math.min(size, END_BYTES + COMMENT_BYTES));
    await handle.read(tail, 0, tail.length, size - tail.length);
    const at = tail.lastIndexOf('PK\x05\x06', undefined, 'latin1');
    return at < 0 || at + END_BYTES > tail.length ? undefined : tail.readUInt16LE(at + 10);
  } finally {
    await handle.close();
  }
}

/** What was inflated since the last time goes to the disk. */
async function flush(entries: readonly Writing[]): Promise<void> {
  for (const writing of entries) {
    if (writing.pieces.length === 0 && (!writing.ended || writing.handle)) continue;
    writing.handle ??= await open(writing.file, 'wx', 0o600);
    for (const piece of writing.pieces.splice(0)) await writing.handle.writeFile(piece);
  }
}
