import type { PictureId } from '#contract/request.js';
import type { NewPicture } from '#service/pictures.js';
import type { FarmStore } from './store.js';

/** The pictures of a run by the digests of their bytes: what `runEdit` needs of a store. Previews go with the run. */
export class FarmPictures {
  readonly #store: FarmStore;
  readonly #previews = new Set<PictureId>();

  constructor(store: FarmStore) {
    this.#store = store;
  }

  /** What a result is called is its submitter's business. */
  file(id: PictureId): { readonly name: string } {
    return { name: id };
  }

  async keep({ bytes, lifetime }: NewPicture): Promise<PictureId> {
    if (lifetime === 'kept') return this.#store.put(bytes);
    const id = await this.#store.putPreview(bytes);
    this.#previews.add(id);
    return id;
  }

  async forgetPreviews(): Promise<void> {
    await this.#store.removePreviews(this.#previews);
  }
}
