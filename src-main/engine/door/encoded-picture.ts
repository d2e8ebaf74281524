import { open, readFile, type FileHandle } from 'node:fs/promises';
import type { PictureId } from '#contract/request.js';
import { fileKind } from '#engine/image/files/file-kind.js';
import { makeChunk } from '#engine/image/files/png-chunks.js';
import type { EncodedPicture, EngineJob } from './engine.js';

/** Up to here a file is read whole, whatever it is asked for. */
const WHOLE_BYTES = 32 * 1024 * 1024;
/** Of a larger one this much from either end: there formats keep what they say of the picture. */
const END_BYTES = 8 * 1024 * 1024;
/** Larger chunks are no metadata that is kept; a few pixels are enough for the reader of a header. */
const CHUNK_BYTES = 1_000_000;
const PIXELS_BYTES = 64 * 1024;
const PNG_SIGNATURE_BYTES = 8;
/** A quarter of a million chunks at most: more of them are an attack on the reader's patience. */
const FRAME_COST = 128;

export async function bytesOf(picture: EncodedPicture): Promise<Uint8Array> {
  return picture instanceof Uint8Array ? picture : new Uint8Array(await readFile(picture.file));
}

/** The bytes of all pictures that a job names. */
export async function picturesOf({ pictures }: EngineJob): Promise<Readonly<Record<PictureId, Uint8Array>>> {
  const read = Object.entries(pictures).map(async ([id, picture]) => [id, await bytesOf(picture)] as const);
  return Object.fromEntries(await Promise.all(read));
}

/**
 * What the readers of headers need of a picture: of a large file its ends, with zeros for the pixels between them, which take
 * no memory; of a large PNG its chunks, with a few of the pixels. Not to be decoded.
 */
export async function headOf(picture: EncodedPicture): Promise<Uint8Array> {
  if (picture instanceof Uint8Array) return picture;
  const handle = await open(picture.file, 'r');
  try {
    const { size } = await handle.stat();
    if (size <= WHOLE_BYTES) return new Uint8Array(await handle.readFile());
    const head = await piece(handle, 0, END_BYTES);
    return fileKind(head) === 'png' ? await thinPng(handle, size) : await endsOf(handle, head, size);
  } finally {
    await handle.close();
  }
}

async function endsOf(handle: FileHandle, head: Uint8Array, size: number): Promise<Uint8Array> {
  // Zeroed by the system, page by page, when somebody looks: what nobody writes to takes no room.
  const sparse = new Uint8Array(size);
  sparse.set(head);
  sparse.set(await piece(handle, size - END_BYTES, END_BYTES), size - END_BYTES);
  const directory = firstDirectoryAt(head);
  if (directory > END_BYTES && directory < size - END_BYTES) sparse.set(await piece(handle, directory, CHUNK_BYTES), directory);
  return sparse;
}

/** Where a TIFF keeps its facts; 0 for all else. */
function firstDirectoryAt(head: Uint8Array): number {
  const order = String.fromCharCode(...head.subarray(0, 4));
  if (order !== 'II*\0' && order !== 'MM\0*') return 0;
  return new DataView(head.buffer, head.byteOffset).getUint32(4, order === 'II*\0');
}

/** The chunks of a PNG one by one: whole, but for pixels and giants. */
async function thinPng(handle: FileHandle, size: number): Promise<Uint8Array> {
  const kept: Uint8Array[] = [await piece(handle, 0, PNG_SIGNATURE_BYTES)];
  const budget = { bytes: WHOLE_BYTES, pixels: false };
  for (let at = PNG_SIGNATURE_BYTES; at + 12 <= size && budget.bytes > 0;) {
    const frame = Buffer.from(await piece(handle, at, 8));
    const length = frame.readUInt32BE(0);
    const type = frame.toString('latin1', 4, 8);
    // What the file cuts off stays cut off: the reader says that it is damaged.
    if (at + 12 + length > size) break;
    if (type !== 'IDAT' && length <= CHUNK_BYTES) kept.push(await piece(handle, at, 12 + length));
    if (type === 'IDAT' && !budget.pixels) kept.push(makeChunk(type, await piece(handle, at + 8, Math.min(length, PIXELS_BYTES))));
    budget.pixels ||= type === 'IDAT';
    budget.bytes -= type === 'IDAT' ? FRAME_COST : Math.min(length, CHUNK_BYTES) + FRAME_COST;
    if (type === 'IEND') break;
    at += 12 + length;
  }
  return Buffer.concat(kept);
}

async function piece(handle: FileHandle, at: number, bytes: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(bytes);
  const { bytesRead } = await handle.read(buffer, 0, bytes, at);
  return buffer.subarray(0, bytesRead);
}
