import type { Engine } from '#engine/door/engine.js';
import type { Library } from '#packs/library.js';
import type { PictureStore } from '#service/pictures.js';
import { packDigest } from './digest.js';
import type { Queues } from './queues.js';
import type { FarmStore } from './store.js';

/** What submitting and following a batch needs. */
export interface FarmWorld {
  readonly queues: Queues;
  readonly store: FarmStore;
  readonly engine: Pick<Engine, 'forecast'>;
  readonly library: Library;
  readonly pictures: Pick<PictureStore, 'get' | 'file'>;
  /** The engine's version, on which results depend. */
  readonly version: string;
}

/** Digest of the packs of a request, by their names on this machine. */
export async function packDigestOf({ library }: Pick<FarmWorld, 'library'>, [drawing, estimator]: readonly string[]): Promise<string> {
  const { card } = await library.find(drawing ?? '');
  return packDigest(estimator === undefined ? [card] : [card, (await library.findAny(estimator)).card]);
}
