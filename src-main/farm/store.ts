import { constants, type Stats } from 'node:fs';
import { link, lstat, mkdir, open, readdir, realpath, rm, unlink, utimes, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { ExpectedError } from '#contract/errors.js';
import { FarmPart, FarmResult, BatchId, Sha256 } from '#contract/farm.js';
import { errnoOf, parseBoundedJson } from '#packs/json-file.js';
import { MAX_PICTURE_BYTES, saveFile } from '#service/files.js';
import { parseInput } from '#service/parse.js';
import { sha256 } from '#service/digest.js';

/** A result is some digests; a part of a batch up to 1,000 jobs. */
const RESULT_BYTES = 64 * 1024;
const PART_BYTES = 1_000 * 68 * 1024;
const MAX_PREVIEW_BYTES = 64 * 1024 ** 2;
const MOST_DEPTH = 16;
/** Systems whose shared folders know no hard links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Pictures by their digest, results by their key, and batches as they were submitted, in a folder that all machines share.
 * Nothing that a job says becomes a path: names are 64 (a batch: 32) hex digits below our own root, and links are not followed.
 */
export class FarmStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the folders. Throws `output.unwritable`. */
  async open(): Promise<void> {
    for (const folder of ['blobs', 'results', 'batches']) await this.#makeFolder(join(this.#root, folder));
  }

  async has(id: Sha256): Promise<boolean> {
    return (await this.#blobSize(id)) !== undefined;
  }

  /** Throws `picture.unknown` where it is missing, `image.unreadable` where its bytes are not those of its name. */
  async get(id: Sha256): Promise<Uint8Array> {
    const bytes = await this.#read(this.#blobPath(id), MAX_PICTURE_BYTES).catch((cause: unknown) => {
      throw new ExpectedError(
        'picture.unknown',
        `Expected the picture ${id} in the farm's store but it could not be read (${reasonOf(cause)}).`,
        {
          cause,
        },
      );
    });
    if (sha256(bytes) === id) return bytes;
    throw new ExpectedError('image.unreadable', `Expected the bytes of ${id} in the farm's store but they were changed or cut.`);
  }

  /** Its digest. A blob that is there already is not written again. Throws `output.unwritable`. */
  async put(bytes: Uint8Array): Promise<Sha256> {
    const id = sha256(bytes);
    const path = this.#blobPath(id);
    // Touched, so that it does not go while it is wanted.
    if ((await this.#blobSize(id)) === bytes.length && (await touch(path))) return id;
    await this.#makeFolder(dirname(path));
    await saveFile(path, bytes);
    return id;
  }

  /** A preview by its digest; only those who watch know of it, and it is no blob: the same bytes may be a result as well. */
  async putPreview(bytes: Uint8Array): Promise<Sha256> {
    const id = sha256(bytes);
    await this.#makeFolder(join(this.#root, 'previews'));
    await saveFile(this.#previewPath(id), bytes);
    return id;
  }

  /** Throws `picture.unknown` where it is gone. */
  async preview(id: Sha256): Promise<Uint8Array> {
    const bytes = await this.#read(this.#previewPath(id), MAX_PREVIEW_BYTES).catch(() => undefined);
    if (bytes && sha256(bytes) === id) return bytes;
    throw new ExpectedError('picture.unknown', `Expected the preview ${id} in the farm's store but it is gone.`);
  }

  async removePreviews(ids: Iterable<Sha256>): Promise<void> {
    for (const id of ids) await unlink(this.#previewPath(id)).catch(() => undefined);
  }

  /** Undefined where there is none that is whole, its pictures included. */
  async result(key: Sha256): Promise<FarmResult | undefined> {
    const result = await this.#json(this.#resultPath(key), { schema: FarmResult, maxBytes: RESULT_BYTES });
    if (!result) return undefined;
    for (const { picture } of result.pictures) if (!(await this.has(picture))) return undefined;
    return result;
  }

  /** The first that ends wins, and is what comes back: a second run does no harm even where its bytes differ. */
  async putResult(key: Sha256, result: FarmResult): Promise<FarmResult> {
    const path = this.#resultPath(key);
    const text = new TextEncoder().encode(`${JSON.stringify(result)}\n`);
    await this.#makeFolder(dirname(path));
    if (await createOnly(path, text)) return result;
    const first = await this.result(key);
    if (first) return first;
    await saveFile(path, text);
    return result;
  }

  async putPart(part: FarmPart, number: number): Promise<void> {
    const path = this.#partPath(part.batch, number);
    await this.#makeFolder(dirname(path));
    await saveFile(path, new TextEncoder().encode(`${JSON.stringify(part)}\n`));
  }

  /** Parts from the first on. Throws `job.unknown` where there is no such batch. */
  async parts(batch: BatchId): Promise<readonly FarmPart[]> {
    const parts: FarmPart[] = [];
    for (let number = 0; ; number++) {
      const part = await this.#json(this.#partPath(batch, number), { schema: FarmPart, maxBytes: PART_BYTES });
      if (part?.batch !== batch) break;
      parts.push(part);
    }
    if (parts.length > 0) return parts;
    throw new ExpectedError('job.unknown', `Expected a batch that was submitted to this store but received "${batch}".`);
  }

  /** Removes files that nobody has touched since; their number. */
  async gc(beforeMs: number): Promise<number> {
    let removed = 0;
    for (const folder of ['blobs', 'results', 'batches', 'previews']) removed += await sweep(join(this.#root, folder), beforeMs);
    return removed;
  }

  #blobPath(id: Sha256): string {
    return join(this.#root, 'blobs', parseInput(Sha256, id).slice(0, 2), id);
  }

  #previewPath(id: Sha256): string {
    return join(this.#root, 'previews', parseInput(Sha256, id));
  }

  #resultPath(key: Sha256): string {
    return join(this.#root, 'results', parseInput(Sha256, key).slice(0, 2), `${key}.json`);
  }

  #partPath(batch: BatchId, number: number): string {
    return join(this.#root, 'batches', parseInput(BatchId, batch), `${String(number)}.json`);
  }

  async #blobSize(id: Sha256): Promise<number | undefined> {
    const facts = await this.#factsOf(this.#blobPath(id)).catch(() => undefined);
    return facts?.isFile() === true ? facts.size : undefined;
  }

  async #factsOf(path: string): Promise<Stats> {
    await this.#expectInside(dirname(path));
    return lstat(path);
  }

  /** Neither the file nor a folder on the way to it is a link to somewhere else. */
  async #expectInside(folder: string): Promise<void> {
    const root = await realpath(this.#root);
    if ((await realpath(folder)) !== join(root, folder.slice(this.#root.length))) throw new Error('a link leads out of the store');
  }

  async #read(path: string, maxBytes: number): Promise<Uint8Array> {
    await this.#expectInside(dirname(path));
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const facts = await handle.stat();
      if (!facts.isFile() || facts.size > maxBytes) throw new Error('it is no file of a usable size');
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  }

  /** Undefined where nothing lies there that we could have written. */
  async #json<S extends v.GenericSchema>(path: string, { schema, maxBytes }: JsonWish<S>): Promise<v.InferOutput<S> | undefined> {
    try {
      const text = new TextDecoder().decode(await this.#read(path, maxBytes));
      const found = v.safeParse(schema, parseBoundedJson(text, 'the store', MOST_DEPTH));
      return found.success ? found.output : undefined;
    } catch {
      return undefined;
    }
  }

  async #makeFolder(folder: string): Promise<void> {
    try {
      await mkdir(folder, { recursive: true });
      await this.#expectInside(folder);
    } catch (cause) {
      throw new ExpectedError('output.unwritable', `Expected a farm's store that can be written but it cannot (${reasonOf(cause)}).`, {
        cause,
      });
    }
  }
}

interface JsonWish<S> {
  readonly schema: S;
  readonly maxBytes: number;
}

/** Whole or not at all, and only where nothing is. */
async function createOnly(path: string, bytes: Uint8Array): Promise<boolean> {
  const side = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  await saveFile(side, bytes);
  try {
    await link(side, path);
    return true;
  } catch (error) {
    if (NO_LINKS.includes(errnoOf(error))) return await createHere(path, bytes);
    if (errnoOf(error) === 'EEXIST') return false;
    throw new ExpectedError(
      'output.unwritable',
      `Expected room for a result in the farm's store but it could not be written (${errnoOf(error)}).`,
      {
        cause: error,
      },
    );
  } finally {
    await unlink(side).catch(() => undefined);
  }
}

/** Where there are no links: a result that was cut off is no result, and is replaced. */
async function createHere(path: string, bytes: Uint8Array): Promise<boolean> {
  return writeFile(path, bytes, { flag: 'wx', flush: true }).then(() => true, () => false); // prettier-ignore
}

async function touch(path: string): Promise<boolean> {
  const now = new Date();
  return utimes(path, now, now).then(() => true, () => false); // prettier-ignore
}

async function sweep(folder: string, beforeMs: number): Promise<number> {
  let removed = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removed += await sweep(path, beforeMs);
    else if (entry.isFile() && (await lstat(path)).mtimeMs < beforeMs) {
      await rm(path, { force: true });
      removed++;
    }
  }
  return removed;
}

function reasonOf(cause: unknown): string {
  const code = errnoOf(cause);
  return code === 'unknown reason' && cause instanceof Error ? cause.message : code;
}
