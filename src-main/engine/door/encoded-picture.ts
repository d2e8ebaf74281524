import { open, readFile } from 'node:fs/promises';
import type { PictureId } from '#contract/request.js';
import { fileKind } from '#engine/image/files/file-kind.js';
import { slimmed, type Slim } from '#engine/image/files/slim/slim.js';
import { Source } from '#engine/image/files/slim/source.js';
import type { EncodedPicture, EngineJob } from './engine.js';

/** Up to here a file is read whole, whatever it is asked for. */
const WHOLE_BYTES = 32 * 1024 * 1024;
/** As much of a file as tells what it is. */
const HEAD_BYTES = 64 * 1024;

export async function bytesOf(picture: EncodedPicture): Promise<Uint8Array> {
  if (picture instanceof Uint8Array) return picture;
  const file = await readFile(picture.file);
  // A small file may lie in memory that others share.
  return file.byteLength === file.buffer.byteLength ? new Uint8Array(file.buffer) : new Uint8Array(file);
}

/** The bytes of all pictures that a job names. */
export async function picturesOf({ pictures }: EngineJob): Promise<Readonly<Record<PictureId, Uint8Array>>> {
  const read = Object.entries(pictures).map(async ([id, picture]) => [id, await bytesOf(picture)] as const);
  return Object.fromEntries(await Promise.all(read));
}

/** What the readers of headers need of a picture: a large one is not read whole. Not to be decoded. */
export async function headOf(picture: EncodedPicture): Promise<Slim> {
  if (picture instanceof Uint8Array) return slimmed(fileKind(picture), Source.of(picture));
  const handle = await open(picture.file, 'r');
  try {
    const { size } = await handle.stat();
    const file = Source.ofFile(handle.fd, size);
    return slimmed(fileKind(file.bytes(0, HEAD_BYTES)), file, size > WHOLE_BYTES);
  } finally {
    await handle.close();
  }
}
