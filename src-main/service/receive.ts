import { createHash } from 'node:crypto';
import { open, statfs, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import { errnoOf } from '#packs/json-file.js';

/** As much of a body as tells what it is. */
const HEAD_BYTES = 4096;
/** Left on the disk for everything else that the user does. */
const SPARE_DISK_BYTES = 512 * 1024 * 1024;
/** After so much more of a body the disk is asked again: its sender need not have said how long it is, and others write, too. */
const DISK_STEP_BYTES = 64 * 1024 * 1024;

/** For a picture, a project, a request. */
type TooLargeCode = 'image.too-large' | 'project.unreadable' | 'request.invalid';

/** The sender's body is larger than what is taken: hosts have an answer of their own for that. */
export class BodyTooLargeError extends ExpectedError {
  constructor(message: string, code: TooLargeCode = 'image.too-large') {
    super(code, message);
  }
}

/** What all bodies that are on their way may take together, beside what is there already. */
export interface Room {
  /** Throws BodyTooLargeError where so many bytes more are not to be had. */
  take(bytes: number): void;
  give(bytes: number): void;
}

export interface Receiving {
  /** Where it is to lie; must not exist. */
  readonly path: string;
  /** What the sender said. Absent where it did not. */
  readonly declaredBytes?: number | undefined;
  readonly maxBytes: number;
  readonly room: Room;
  /** What it is for, in the refusal. */
  readonly label: string;
  readonly tooLarge?: TooLargeCode;
  /** Looks at the first bytes; throws to refuse the rest. */
  readonly expectKind: (head: Uint8Array) => void;
}

export interface Received {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Writes a body to a file as it arrives: memory does not grow with it. What is too large is refused by what the sender says,
 * before a byte is written, or else when it becomes so; what is no file of the kind, by its first bytes. A body that is refused
 * or breaks off leaves no file. The room that it took stays taken until whoever keeps the file gives it back.
 *
 * @throws BodyTooLargeError, or ExpectedError `output.unwritable`, or what `expectKind` throws.
 */
export async function receiveFile(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, receiving: Receiving): Promise<Received> {
  const { path, declaredBytes = 0 } = receiving;
  expectAtMost(declaredBytes, receiving);
  const taken = new Taken(receiving.room);
  try {
    taken.upTo(declaredBytes);
    await expectDisk(dirname(path), declaredBytes);
    return await write(body, receiving, taken);
  } catch (error) {
    taken.release();
    await unlink(path).catch(() => undefined);
    throw errnoOf(error) === 'ENOSPC' ? fullDisk(dirname(path), error) : error;
  }
}

async function write(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, receiving: Receiving, taken: Taken): Promise<Received> {
  const { path, expectKind } = receiving;
  const hash = createHash('sha256');
  const handle = await open(path, 'wx', 0o600);
  let bytes = 0;
  let asked = DISK_STEP_BYTES;
  let head: Uint8Array | undefined = new Uint8Array();
  try {
    for await (const piece of body) {
      bytes += piece.byteLength;
      expectAtMost(bytes, receiving);
      taken.upTo(bytes);
      if (bytes > asked) {
        await expectDisk(dirname(path), piece.byteLength);
        asked = bytes + DISK_STEP_BYTES;
      }
      if (head && head.byteLength < HEAD_BYTES) head = Buffer.concat([head, piece.subarray(0, HEAD_BYTES)]);
      if (head && head.byteLength >= HEAD_BYTES) {
        expectKind(head);
        head = undefined;
      }
      hash.update(piece);
      await handle.writeFile(piece);
    }
    if (head) expectKind(head);
  } finally {
    await handle.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** What one body has taken of the room. */
class Taken {
  readonly #room: Room;
  #bytes = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  upTo(bytes: number): void {
    if (bytes <= this.#bytes) return;
    this.#room.take(bytes - this.#bytes);
    this.#bytes = bytes;
  }

  release(): void {
    this.#room.give(this.#bytes);
    this.#bytes = 0;
  }
}

function expectAtMost(bytes: number, { maxBytes, label, tooLarge }: Receiving): void {
  if (bytes <= maxBytes) return;
  throw new BodyTooLargeError(`Expected at most ${String(maxBytes)} bytes for ${label} but received more.`, tooLarge);
}

async function expectDisk(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bytes + SPARE_DISK_BYTES > bavail * bsize && bytes > 0) throw fullDisk(folder, undefined);
}

function fullDisk(folder: string, cause: unknown): ExpectedError {
  return new ExpectedError('output.unwritable', `Expected room for what was sent but ${folder} is full.`, { cause });
}
