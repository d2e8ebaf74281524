import { at } from '#base/assert.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import type { EditingModel } from './model.js';

/**
 * Whether a picture, `[1, 3, S, S]`, lacks the object that an instruction speaks of. A model that never saw a wish for what is
 * not there changes the next best thing instead.
 */
export async function lacksNamed({ card, objects }: EditingModel, instruction: string, picture: FloatTensor): Promise<boolean> {
  if (!objects) return false;
  const { config } = card;
  const kinds = namedKinds(('objects' in config ? config.objects?.names : undefined) ?? [], instruction);
  if (kinds.length === 0) return false;
  const found = [...(await objects.strongest(picture))];
  return kinds.every((kind) => at(found, kind) < SEEN);
}

/** Logit above which an object counts as seen: below even odds, because a wish that is refused wrongly is the worse fault. */
const SEEN = -1.5;

const INDEFINITE = new Set(['a', 'an']);
/** An article stands before its noun or before one adjective of it: "a car", "a blue car". */
const ARTICLE_REACH = 2;

/** Exported for its test: the kinds that an instruction takes to be in the picture; "a car" may be one that is to come. */
export function namedKinds(names: readonly (readonly string[])[], instruction: string): readonly number[] {
  const words = instruction.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const isTaken = (_: string, i: number) => !words.slice(Math.max(0, i - ARTICLE_REACH), i).some((word) => INDEFINITE.has(word));
  const taken = new Set(words.filter(isTaken));
  return [...names.keys()].filter((kind) => at(names, kind).some((name) => taken.has(name)));
}
