import { access, constants, lstat, open, realpath, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import { errnoOf } from '#packs/json-file.js';
import { shownName } from './names.js';
import { sideFileOf, sweepSideFiles } from './side-files.js';

/** Larger inputs are refused before a byte of them is read. */
export const MAX_PICTURE_BYTES = 512 * 1024 * 1024;

interface Whole {
  readonly bytes: number;
  readonly body: readonly Uint8Array[];
}

/** What comes piece by piece, so many bytes in all: memory does not grow with it. */
export interface Pieces {
  readonly bytes: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Replaces `path` as a whole or not at all: temp file in the same folder, write, sync, size check, close,
 * rename, sync of the folder. On a full disk the old file stays and no temp file does.
 * What killed saves left in the folder goes. Throws `output.unwritable`.
 *
 * @param options.mode absent = that of the file that it replaces; of a new one, what the user's files have.
 */
export async function saveFile(path: string, content: Uint8Array | Pieces, { mode }: { readonly mode?: number } = {}): Promise<void> {
  await sweepSideFiles(dirname(path));
  const temp = join(dirname(path), sideFileOf(path));
  try {
    const whole = content instanceof Uint8Array ? { bytes: content.length, body: [content] } : content;
    await writeTemp(temp, whole, mode ?? (await modeOf(path)));
    await rename(temp, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await unlink(temp).catch(() => undefined);
    throw unwritable(path, cause);
  }
}

/** Whoever made a file private, or shared it, meant what is saved over it, too. */
async function modeOf(path: string): Promise<number | undefined> {
  return lstat(path).then((facts) => (facts.isFile() ? facts.mode & 0o777 : undefined), () => undefined); // prettier-ignore
}

async function writeTemp(temp: string, { bytes, body }: Pieces | Whole, mode?: number): Promise<void> {
  const handle = await open(temp, 'wx', mode);
  try {
    // What the user's mask takes from a new file it took from the old one, too, or not.
    if (mode !== undefined) await handle.chmod(mode);
    for await (const piece of body) await handle.writeFile(piece);
    await handle.sync();
    await expectSize(handle, bytes);
  } finally {
    await handle.close();
  }
}

/** Some full disks report success: the size is the proof. */
async function expectSize(handle: FileHandle, bytes: number): Promise<void> {
  const { size } = await handle.stat();
  if (size !== bytes) throw new Error(`only ${String(size)} of ${String(bytes)} bytes reached the disk`);
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders; there the file system's own journal keeps the order.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

function unwritable(path: string, cause: unknown): ExpectedError {
  const code = errnoOf(cause);
  const reason = code === 'unknown reason' && cause instanceof Error ? cause.message : code;
  return new ExpectedError(
    'output.unwritable',
    `Expected a writable place for ${shownName(path)} but it could not be written (${reason}).`,
    { cause },
  );
}

/** Learns before the long work whether `path` can be written after it. Throws `output.unwritable`. */
export async function expectWritable(path: string): Promise<void> {
  try {
    await access(dirname(resolve(path)), constants.W_OK);
  } catch (cause) {
    throw unwritable(path, cause);
  }
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isDirectory() === true) throw unwritable(path, new Error('it is a folder'));
}

/** Do both paths lead to one file, links followed? False where one of them does not exist. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([identity(a), identity(b)]);
  return first !== undefined && first === second;
}

async function identity(path: string): Promise<string | undefined> {
  try {
    const real = await realpath(path);
    const { dev, ino } = await stat(real, { bigint: true });
    return ino === 0n ? real : `${String(dev)}:${String(ino)}`;
  } catch {
    return undefined;
  }
}

/** Reads a picture file of the user within the size limit. Throws `image.unreadable` or `image.too-large`. */
export async function readPictureFile(path: string, label: string): Promise<Uint8Array> {
  try {
    return await readBounded(path, label);
  } catch (cause) {
    if (cause instanceof ExpectedError) throw cause;
    throw new ExpectedError(
      'image.unreadable',
      `Expected a readable file for ${label} but ${shownName(path)} could not be read (${errnoOf(cause)}).`,
      { cause },
    );
  }
}

async function readBounded(path: string, label: string): Promise<Uint8Array> {
  // Looked at before it is opened: opening a pipe would wait for its writer.
  const facts = await stat(path);
  if (!facts.isFile()) throw new ExpectedError('image.unreadable', `Expected a file for ${label} but ${shownName(path)} is none.`);
  const handle = await open(path, 'r');
  try {
    expectPictureBytes((await handle.stat()).size, label);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** Throws `image.too-large` or `image.unreadable` for sizes that no picture has. */
export function expectPictureBytes(bytes: number, label: string): void {
  if (bytes === 0) throw new ExpectedError('image.unreadable', `Expected a picture for ${label} but received an empty file.`);
  if (bytes <= MAX_PICTURE_BYTES) return;
  throw new ExpectedError(
    'image.too-large',
    `Expected at most ${String(MAX_PICTURE_BYTES)} bytes for ${label} but received ${String(bytes)}.`,
  );
}
