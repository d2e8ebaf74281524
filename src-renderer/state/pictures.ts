import type { ConvertInput, PictureInfo } from '#contract/api.js';
import { expectGoing } from '#contract/ending.js';
import { ExpectedError } from '#contract/errors.js';
import type { Extent } from '#base/geometry.js';
import type { Notice } from '#contract/event.js';
import type { PictureId } from '#contract/request.js';
import type { Pointing } from '#contract/selection.js';
import { decodeBitmap, isDrawable } from '#canvas/bitmap.js';
import { runsOfMask } from '#canvas/mask-file.js';
import type { PaintedRuns } from '#document/mask.js';
import type { PageLink } from '#link/http.js';
import { Pixels, WholePictures } from './pixels.svelte.js';
import type { ScalePreview } from './scale-strip.svelte.js';

/** A picture that the service holds and that we can draw. */
export interface ShownPicture {
  readonly info: PictureInfo;
  readonly pixels: Pixels;
}

/** Where pictures are made, and where they are shown. */
export interface Services {
  readonly link: PageLink;
  readonly pictures: Pictures;
}

/** A file to be handed to the user. */
export interface SavedFile {
  readonly file: Blob;
  readonly name: string;
}

const FULL_QUALITY = 100;

/** Brings pictures from the service to the window, and lets go of them again. */
export class Pictures {
  readonly whole = new WholePictures();
  readonly #link: PageLink;
  readonly #needed: () => Promise<void> | undefined;

  /** `needed` says how long pictures that are let go of are still needed by somebody else. */
  constructor(link: PageLink, needed: () => Promise<void> | undefined = () => undefined) {
    this.#link = link;
    this.#needed = needed;
  }

  async open(file: Blob, name: string): Promise<ShownPicture> {
    const info = await this.#link.upload(file, name);
    try {
      return await this.#shown(info);
    } catch (error) {
      this.forget(info.id);
      throw error;
    }
  }

  upload(file: Blob, name: string): Promise<PictureInfo> {
    return this.#link.upload(file, name);
  }

  /** Whether the service has it. */
  isThere(id: PictureId): Promise<boolean> {
    return this.#link.call('picture.describe', { id }).then(
      () => true,
      () => false,
    );
  }

  async show(id: PictureId): Promise<ShownPicture> {
    const info = await this.#link.call('picture.describe', { id });
    return this.#shown(info);
  }

  async #shown(info: PictureInfo): Promise<ShownPicture> {
    const load = () => this.#bitmapOf(info);
    const pixels = new Pixels(await load(), load);
    this.whole.add(pixels);
    return { info, pixels };
  }

  /** A mask file as runs of a mask of `size`. */
  async readMask(file: Blob, size: Extent): Promise<{ readonly runs: PaintedRuns; readonly notices: readonly Notice[] }> {
    const { id: mask } = await this.upload(file, 'mask');
    try {
      const { id, notices } = await this.#link.call('mask.read', { mask, size });
      const runs = await runsOfMask(await this.#link.download(id));
      this.forget(id);
      return { runs, notices };
    } finally {
      this.forget(mask);
    }
  }

  /** The object that is pointed at in a picture as runs of a mask; undefined where that was given up. */
  async selectObject(source: PictureId, pointing: Pointing, signal: AbortSignal): Promise<PaintedRuns | undefined> {
    for await (const event of this.#link.stream('object.select', { source, pointing }, signal)) {
      if (event.type === 'cancelled') return undefined;
      const { mask } = expectGoing(event);
      const runs = await runsOfMask(await this.#link.download(mask.id));
      this.forget(mask.id);
      return runs;
    }
    return undefined;
  }

  async preview(id: PictureId): Promise<ScalePreview> {
    const file = await this.#link.download(id);
    const bitmap = await decodeBitmap(file);
    if (!bitmap) throw unreadable(id);
    return { url: URL.createObjectURL(file), bitmap };
  }

  /** The picture as a file in the wished format. */
  async export({ id }: PictureInfo, wish: Omit<ConvertInput, 'id'>): Promise<SavedFile> {
    const info = await this.#link.call('picture.convert', { id, ...wish });
    try {
      return { file: await this.#link.download(info.id), name: info.name };
    } finally {
      this.forget(info.id);
    }
  }

  /** Nobody waits for it, and a picture that is gone already needs no forgetting. */
  forget(...ids: readonly (PictureId | undefined)[]): void {
    const needed = this.#needed();
    const close = (): void => {
      this.#close(ids);
    };
    if (needed) void needed.then(close);
    else close();
  }

  #close(ids: readonly (PictureId | undefined)[]): void {
    for (const id of ids) if (id !== undefined) void this.#link.call('picture.close', { id }).catch(() => undefined);
  }

  async #bitmapOf(info: PictureInfo): Promise<ImageBitmap> {
    const own = isDrawable(info.format) ? await decodeBitmap(await this.#link.download(info.id), info.size) : undefined;
    if (own) return own;
    // TIFF, and files whose orientation the browser passes over: the service turns them into what it can draw.
    const { file } = await this.export(info, { format: 'png', quality: FULL_QUALITY });
    const bitmap = await decodeBitmap(file, info.size);
    if (!bitmap) throw unreadable(info.name);
    return bitmap;
  }
}

function unreadable(name: string): ExpectedError {
  return new ExpectedError('image.unreadable', `Expected a picture that can be shown but ${name} cannot.`);
}
