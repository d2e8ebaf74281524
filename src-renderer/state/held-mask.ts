import type { MaskHistory } from '#contract/mask.js';
import type { EditRequestInput, PictureId } from '#contract/request.js';
import type { Mask } from './mask.svelte.js';
import type { Pictures } from './pictures.js';

interface Sent {
  readonly name: PictureId;
  readonly id: Promise<PictureId | undefined>;
}

/** The painted mask as the service has it, for questions about a run: sent once per change, when a question is asked. */
export class HeldMask {
  readonly #pictures: Pictures;
  #history: MaskHistory | undefined;
  #count = 0;
  #sent: Sent | undefined;

  constructor(pictures: Pictures) {
    this.#pictures = pictures;
  }

  /** Another one whenever something else is painted; undefined where nothing is. */
  nameOf(mask: Mask): PictureId | undefined {
    if (!mask.masked) return undefined;
    if (mask.repaint !== this.#history) this.#count += 1;
    this.#history = mask.repaint;
    return `painted-${String(this.#count)}`;
  }

  /** The request with the mask itself in the place of its name. */
  async sentWith(request: EditRequestInput, mask: Mask): Promise<EditRequestInput> {
    const { mask: name, ...others } = request;
    if (name === undefined) return request;
    if (this.#sent?.name !== name) {
      const before = this.#sent?.id;
      this.#sent = { name, id: this.#send(mask) };
      void before?.then((id) => {
        this.#pictures.forget(id);
      });
    }
    const id = await this.#sent.id;
    return { ...others, ...(id !== undefined && { mask: id }) };
  }

  async #send(mask: Mask): Promise<PictureId | undefined> {
    const png = await mask.repaintPng().catch(() => undefined);
    return png && (await this.#pictures.upload(png, 'mask.png').catch(() => undefined))?.id;
  }
}
