import { at } from '#base/assert.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import type { EditingModel } from './model.js';

/** A decoded source and a decoded result, `[1, 3, S, S]`. */
interface Decoded {
  readonly before: FloatTensor;
  readonly after: FloatTensor;
}

/**
 * Whether the picture lacks what the instruction speaks of, before the edit and after it (which may have added it). A model
 * that never saw a wish for what is not there changes the next best thing instead.
 */
export async function lacksNamed({ card, objects }: EditingModel, instruction: string, { before, after }: Decoded): Promise<boolean> {
  if (!objects || card.family !== 'infinity') return false;
  const kinds = namedKinds(card.config.objects?.names ?? [], instruction);
  if (kinds.length === 0) return false;
  for (const picture of [before, after]) {
    const found = await objects.strongest(picture);
    if (kinds.some((kind) => at([...found], kind) > SEEN)) return false;
  }
  return true;
}

/** Logit above which an object counts as seen: far below even odds, because a wish that is refused wrongly is the worse fault. */
const SEEN = -2;

/** Exported for its test: the kinds that the words of an instruction name. */
export function namedKinds(names: readonly (readonly string[])[], instruction: string): readonly number[] {
  const words = new Set(instruction.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
  return [...names.keys()].filter((kind) => at(names, kind).some((name) => words.has(name)));
}
