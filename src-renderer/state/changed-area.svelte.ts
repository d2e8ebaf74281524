import type { PictureId } from '#contract/request.js';
import { changedOverlay } from '#canvas/difference.js';
import type { Pictures } from './pictures.js';

/** Where a result differs from its source, to be laid over it. */
export class ChangedArea {
  overlay = $state.raw<OffscreenCanvas>();
  readonly #pictures: Pictures;
  #wanted: PictureId | undefined;

  constructor(pictures: Pictures) {
    this.#pictures = pictures;
  }

  /** Shows that mask, or none. A mask that is gone leaves nothing to show. */
  async show(mask: PictureId | undefined): Promise<void> {
    if (mask === this.#wanted) return;
    this.#wanted = mask;
    this.overlay = undefined;
    if (mask === undefined) return;
    const shown = await this.#pictures.show(mask).catch(() => undefined);
    if (mask === this.#wanted && shown) this.overlay = changedOverlay(shown.pixels.bitmap);
    shown?.pixels.close();
  }
}
