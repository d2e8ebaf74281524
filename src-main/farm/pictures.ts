import type { PictureId } from '#contract/request.js';
import type { NewPicture } from '#service/pictures.js';
import { sha256 } from '#service/digest.js';
import type { FarmStore } from './store.js';

/** The pictures of a run by the digests of their bytes: what `runEdit` needs of a store. Previews go nowhere. */
export class FarmPictures {
  readonly #store: FarmStore;

  constructor(store: FarmStore) {
    this.#store = store;
  }

  /** What a result is called is its submitter's business. */
  file(id: PictureId): { readonly name: string } {
    return { name: id };
  }

  async keep({ bytes, lifetime }: NewPicture): Promise<PictureId> {
    return lifetime === 'kept' ? this.#store.put(bytes) : sha256(bytes);
  }
}
