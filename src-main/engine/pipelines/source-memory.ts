import { remember } from '#base/remember.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { HeldSource, Sources, TokenizerModel } from './model.js';
import { tokenise } from './tokenise.js';

/**
 * Sources that one open pack has tokenised, for as long as their view is kept (KeptViews): a photograph is edited many times.
 * One view may be seen on several schedules.
 */
export class SourceMemory implements Sources {
  readonly #held = new WeakMap<FloatTensor, Map<string, Promise<HeldSource>>>();

  of(model: TokenizerModel, picture: FloatTensor): Promise<HeldSource> {
    const known = this.#held.get(picture) ?? new Map<string, Promise<HeldSource>>();
    this.#held.set(picture, known);
    return remember(known, String(model.quantiser.schedule), () => held(model, picture));
  }
}

async function held(model: TokenizerModel, picture: FloatTensor): Promise<HeldSource> {
  const { features, tokens, sum } = await tokenise(model, picture);
  const decoded = new Map<'before', Promise<FloatTensor>>();
  const before = () => remember(decoded, 'before', () => model.coder.decode(floats([1, ...sum.dims], sum.data)));
  return { features, tokens, before };
}
