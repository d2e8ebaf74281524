import { at } from '#base/assert.js';
import type { PackCard } from '#contract/pack-card.js';
import { objectNamesOf } from '#contract/traits.js';
import type { Standing } from '#engine/image/compositing/objects/named-parts.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { WordTokenizer, wordsOf } from '#engine/text/words.js';
import type { EditingModel } from './model.js';

/** Where the objects stand in a picture, `[1, 3, S, S]`, that an instruction speaks of; undefined where it speaks of none. */
export async function whereNamed(
  { card, objects }: EditingModel,
  instruction: string,
  picture: FloatTensor,
): Promise<Standing | undefined> {
  if (!objects) return undefined;
  const kinds = namedKinds(objectNamesOf(card), asRead(card, instruction));
  if (kinds.length === 0) return undefined;
  const { dims, data } = await objects.maps(picture);
  const [, rows = 0, columns = 0] = dims;
  const odds = floats([1, rows, columns]);
  odds.data.fill(-Infinity);
  for (const kind of kinds) odds.data.forEach((value, i) => (odds.data[i] = Math.max(value, data[kind * rows * columns + i]!)));
  return { odds, least: SEEN };
}

/** Whether an instruction speaks of a kind of object that the pack knows, one that is there or one that is to come. */
export function speaksOfObject({ card }: Pick<EditingModel, 'card'>, instruction: string): boolean {
  const names = objectNamesOf(card).flat();
  if (names.length === 0) return false;
  const words = new Set(wordsOf(asRead(card, instruction)));
  return names.some((name) => words.has(name));
}

/** In the words that the pack knows. */
function asRead({ config: { transformer } }: PackCard, instruction: string): string {
  return transformer.text.kind === 'words' ? new WordTokenizer(transformer.text).read(instruction).join(' ') : instruction;
}

/**
 * Whether what an instruction speaks of is not there. A model that never saw a wish for what is not there changes the next
 * best thing instead.
 */
export function isLacking({ odds, least }: Standing): boolean {
  return odds.data.every((value) => value < least);
}

/** Logit above which an object counts as seen: below even odds, because a wish that is refused wrongly is the worse fault. */
const SEEN = -1.5;

const INDEFINITE = new Set(['a', 'an']);
/** An article stands before its noun or before one adjective of it: "a car", "a blue car". */
const ARTICLE_REACH = 2;

/** Exported for its test: the kinds that an instruction takes to be in the picture; "a car" may be one that is to come. */
export function namedKinds(names: readonly (readonly string[])[], instruction: string): readonly number[] {
  const words = wordsOf(instruction);
  const isTaken = (_: string, i: number) => !words.slice(Math.max(0, i - ARTICLE_REACH), i).some((word) => INDEFINITE.has(word));
  const taken = new Set(words.filter(isTaken));
  return [...names.keys()].filter((kind) => at(names, kind).some((name) => taken.has(name)));
}
