import type { Cancellation } from '#base/cancellation.js';
import { endingOf } from '#contract/ending.js';
import { isDepthCard, isSegmenterCard, type AnyCard } from '#contract/pack-card.js';
import type { SelectEvent } from '#contract/api.js';
import type { SelectWish } from '#contract/selection.js';
import type { Engine, InstalledPack } from '#engine/door/engine.js';
import type { Library } from '#packs/library.js';
import type { PictureStore } from './pictures.js';

interface Parts {
  readonly engine: Engine;
  readonly library: Library;
  readonly pictures: PictureStore;
}

/** The object that is pointed at, as a mask; a segmentation model that is installed is asked for it, else a depth model as well. The last event says how it ended. */
export async function* selectObject(
  parts: Parts,
  { source, pointing }: SelectWish,
  signal: Cancellation,
): AsyncGenerator<SelectEvent, void> {
  const { engine, library, pictures } = parts;
  try {
    const [segmenter, estimator] = [await installed(library, isSegmenterCard), await installed(library, isDepthCard)];
    const helper = segmenter ? { segmenter } : { ...(estimator && { estimator }) };
    const picture = pictures.file(source);
    for await (const bytes of engine.select({ picture, pointing, ...helper }, signal)) {
      const id = await pictures.keep({ bytes, name: 'mask.png', format: 'png', lifetime: 'passing' });
      yield { type: 'selected', mask: await pictures.describe(id) };
    }
  } catch (error) {
    yield endingOf(error, signal);
  }
}

/** The built-in pack's own depth tells nothing here that colours do not: measured on scenes, with the exact depth. */
async function installed(library: Library, isOne: (card: AnyCard) => boolean): Promise<InstalledPack<AnyCard> | undefined> {
  for (const { name, builtIn } of await library.list()) {
    if (builtIn) continue;
    const pack = await library.findAny(name);
    if (isOne(pack.card)) return pack;
  }
  return undefined;
}
