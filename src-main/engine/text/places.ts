/** What small vocabularies call a side of the picture, before its noun. */
const SIDES: Readonly<Record<string, string>> = { left: 'left', leftmost: 'left', right: 'right', rightmost: 'right', middle: 'middle' };

/**
 * "The left blue car" → "the blue car on the left": the one order of such words that the built-in packs learned.
 *
 * @param things what may stand on a side; the word before it may be an adjective.
 */
export function placesLast(words: readonly string[], things: ReadonlySet<string>): readonly string[] {
  const at = words.findIndex((word, i) => word === 'the' && SIDES[words[i + 1] ?? ''] !== undefined);
  if (at < 0) return words;
  const length = [1, 2].find((count) => things.has(words[at + 1 + count] ?? ''));
  if (length === undefined) return words;
  const end = at + 2 + length;
  return [...words.slice(0, at + 1), ...words.slice(at + 2, end), 'on', 'the', SIDES[words[at + 1]!]!, ...words.slice(end)];
}
