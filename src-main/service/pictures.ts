import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PictureInfo } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import type { OutputFormat, PictureId } from '#contract/request.js';
import type { Engine, PictureFacts } from '#engine/door/engine.js';
import { expectPictureKind } from '#engine/door/picture-kind.js';
import { errnoOf } from '#packs/json-file.js';
import { expectPictureBytes, MAX_PICTURE_BYTES } from './files.js';
import { safeFileName } from './names.js';
import { openPrivateFolder } from './picture-folder.js';
import { BodyTooLargeError, receiveFile, type Receiving, type Room } from './receive.js';
import { readRecipe } from './recipe.js';

export interface StoredPicture {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly format: OutputFormat;
}

/** The same where it lies: for whoever need not hold it. */
export interface PictureFile extends Omit<StoredPicture, 'bytes'> {
  readonly file: string;
  readonly bytes: number;
}

/** A body that comes from outside, piece by piece. */
export interface Arriving {
  readonly body: AsyncIterable<Uint8Array>;
  readonly name: string;
  readonly declaredBytes?: number | undefined;
  /** The name that it had before; absent, or taken = a new one. */
  readonly id?: PictureId;
}

/** Previews pass: when there are too many the oldest goes. Everything else stays until it is closed. */
export type Lifetime = 'passing' | 'kept';

export interface NewPicture {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly format: OutputFormat;
  readonly lifetime: Lifetime;
}

export interface PictureStore {
  /** Takes a picture from outside: asks the engine what it is, so anything else is refused here. */
  add(bytes: Uint8Array, name: string): Promise<PictureInfo>;
  /** As `add`, of a body as it arrives: its pieces go to the disk, and what is no picture is refused by its first bytes. */
  receive(arriving: Arriving): Promise<PictureInfo>;
  /** As `add`, of a file of this folder, which is the store's from then on. */
  adopt(file: string, name: string): Promise<PictureInfo>;
  /** Takes what is no picture yet into the private folder, and calls `use` with where it lies; it is gone afterwards. */
  withFile<T>(
    receiving: Omit<Receiving, 'path' | 'room'>,
    body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    use: (file: string) => Promise<T>,
  ): Promise<T>;
  /** Takes a picture that the engine made. */
  keep(picture: NewPicture): Promise<PictureId>;
  /** Throws `picture.unknown`. */
  get(id: PictureId): Promise<StoredPicture>;
  /** Throws `picture.unknown`. */
  file(id: PictureId): PictureFile;
  describe(id: PictureId): Promise<PictureInfo>;
  remove(id: PictureId): Promise<void>;
  /** Forgets everything and removes the folder. */
  close(): void;
}

export interface PictureLimits {
  readonly kept: number;
  readonly passing: number;
  readonly totalBytes: number;
}

/** Room for a long day of edits; 16 candidates of 64 scales at once fit the previews. */
const LIMITS: PictureLimits = { kept: 4096, passing: 1024, totalBytes: 16 * 1024 ** 3 };

export interface StoreOptions {
  readonly engine: Pick<Engine, 'describe'>;
  /** The folder in which the private one is made. */
  readonly parent?: string;
  readonly limits?: PictureLimits;
}

interface Entry {
  readonly name: string;
  readonly format: OutputFormat;
  readonly lifetime: Lifetime;
  readonly bytes: number;
  info?: PictureInfo;
}

export async function openPictureStore({ engine, parent, limits = LIMITS }: StoreOptions): Promise<PictureStore> {
  const folder = await openPrivateFolder(parent);
  return new DiskPictures({ engine, limits, folder: folder.path, removeFolder: folder.remove });
}

interface DiskOptions {
  readonly engine: Pick<Engine, 'describe'>;
  readonly limits: PictureLimits;
  readonly folder: string;
  readonly removeFolder: () => void;
}

class DiskPictures implements PictureStore {
  /** In the order of arrival: the first passing one is the oldest. */
  readonly #entries = new Map<PictureId, Entry>();
  readonly #options: DiskOptions;
  #totalBytes = 0;

  constructor(options: DiskOptions) {
    this.#options = options;
  }

  async add(bytes: Uint8Array, name: string): Promise<PictureInfo> {
    expectPictureBytes(bytes.length, 'the picture');
    const facts = await this.#options.engine.describe(bytes);
    const safeName = safeFileName(name);
    const id = await this.keep({ bytes, name: safeName, format: facts.format, lifetime: 'kept' });
    return this.#remember(id, safeName, facts);
  }

  async receive({ body, name, declaredBytes, id: wanted }: Arriving): Promise<PictureInfo> {
    const id = wanted === undefined || this.#entries.has(wanted) ? randomUUID() : wanted;
    const receiving = { path: this.#path(id), room: this.#room, maxBytes: MAX_PICTURE_BYTES, label: 'the picture', declaredBytes };
    await this.#makeRoom('kept', declaredBytes ?? 0);
    const { bytes } = await receiveFile(body, { ...receiving, expectKind: expectPictureKind });
    return this.#admit(id, name, bytes);
  }

  async adopt(file: string, name: string): Promise<PictureInfo> {
    const { size: bytes } = await stat(file);
    expectPictureBytes(bytes, 'the picture');
    await this.#makeRoom('kept', bytes);
    const id = randomUUID();
    this.#room.take(bytes);
    await rename(file, this.#path(id));
    return this.#admit(id, name, bytes);
  }

  /** A file that lies in its place and counts already becomes a picture, or goes. */
  async #admit(id: PictureId, name: string, bytes: number): Promise<PictureInfo> {
    const safeName = safeFileName(name);
    try {
      expectPictureBytes(bytes, 'the picture');
      const facts = await this.#options.engine.describe({ file: this.#path(id) });
      this.#entries.set(id, { name: safeName, format: facts.format, lifetime: 'kept', bytes });
      return this.#remember(id, safeName, facts);
    } catch (error) {
      this.#room.give(bytes);
      await rm(this.#path(id), { force: true });
      throw error;
    }
  }

  async withFile<T>(
    receiving: Omit<Receiving, 'path' | 'room'>,
    body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    use: (file: string) => Promise<T>,
  ): Promise<T> {
    const path = this.#path(randomUUID());
    const received = await receiveFile(body, { ...receiving, path, room: this.#room });
    try {
      return await use(path);
    } finally {
      this.#room.give(received.bytes);
      await rm(path, { force: true });
    }
  }

  /** Bodies that are on their way count as if they were there. */
  readonly #room: Room = {
    take: (bytes) => {
      const { totalBytes } = this.#options.limits;
      if (this.#totalBytes + bytes > totalBytes)
        throw new BodyTooLargeError(`Expected at most ${String(totalBytes)} bytes for all that is open but received more.`);
      this.#totalBytes += bytes;
    },
    give: (bytes) => {
      this.#totalBytes -= bytes;
    },
  };

  async keep({ bytes, name, format, lifetime }: NewPicture): Promise<PictureId> {
    await this.#makeRoom(lifetime, bytes.length);
    const id = randomUUID();
    this.#entries.set(id, { name, format, lifetime, bytes: bytes.length });
    this.#totalBytes += bytes.length;
    try {
      await writeFile(this.#path(id), bytes, { flag: 'wx', mode: 0o600 });
    } catch (cause) {
      await this.remove(id);
      throw new ExpectedError(
        'output.unwritable',
        `Expected room for a picture in ${this.#options.folder} but it could not be written (${errnoOf(cause)}).`,
        { cause },
      );
    }
    return id;
  }

  async get(id: PictureId): Promise<StoredPicture> {
    const { name, format } = this.#entry(id);
    return { bytes: await readFile(this.#path(id)), name, format };
  }

  file(id: PictureId): PictureFile {
    const { name, format, bytes } = this.#entry(id);
    return { file: this.#path(id), name, format, bytes };
  }

  async describe(id: PictureId): Promise<PictureInfo> {
    const entry = this.#entry(id);
    if (entry.info !== undefined) return entry.info;
    const facts = await this.#options.engine.describe({ file: this.#path(id) });
    return this.#remember(id, entry.name, facts);
  }

  #remember(id: PictureId, name: string, { recipeText, notices, ...facts }: PictureFacts): PictureInfo {
    const { recipe, notice } = readRecipe(recipeText);
    const info = { ...facts, id, name, notices: notice ? [...notices, notice] : notices, ...(recipe && { recipe }) };
    this.#entry(id).info = info;
    return info;
  }

  async remove(id: PictureId): Promise<void> {
    this.#totalBytes -= this.#entry(id).bytes;
    this.#entries.delete(id);
    await rm(this.#path(id), { force: true });
  }

  close(): void {
    this.#entries.clear();
    this.#totalBytes = 0;
    this.#options.removeFolder();
  }

  #entry(id: PictureId): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new ExpectedError('picture.unknown', `Expected a picture that is open but received the id "${id}".`);
    return entry;
  }

  #path(id: PictureId): string {
    return join(this.#options.folder, id);
  }

  async #makeRoom(lifetime: Lifetime, bytes: number): Promise<void> {
    const { limits } = this.#options;
    while (this.#mustDropPreview(lifetime, bytes)) await this.remove(this.#oldestPassing() ?? '');
    const full = this.#count('kept') >= limits.kept && lifetime === 'kept';
    if (!full && this.#totalBytes + bytes <= limits.totalBytes) return;
    throw new ExpectedError(
      'output.unwritable',
      `Expected room for another picture but ${String(this.#entries.size)} pictures of ${String(this.#totalBytes)} bytes are open; close some.`,
    );
  }

  #mustDropPreview(lifetime: Lifetime, bytes: number): boolean {
    if (this.#oldestPassing() === undefined) return false;
    const { passing, totalBytes } = this.#options.limits;
    const tooMany = lifetime === 'passing' && this.#count('passing') >= passing;
    return tooMany || this.#totalBytes + bytes > totalBytes;
  }

  #oldestPassing(): PictureId | undefined {
    for (const [id, entry] of this.#entries) if (entry.lifetime === 'passing') return id;
    return undefined;
  }

  #count(lifetime: Lifetime): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.lifetime === lifetime) count++;
    return count;
  }
}
