import * as v from 'valibot';
import { cellCount, type Grid } from '#base/geometry.js';
import type { OtherCard } from '#contract/pack-card.js';

/** Tokens of each pass as its authors drew them, by how many the scale has: the first one draws all. */
const PUBLISHED: Readonly<Record<number, readonly number[]>> = { 4: [1, 3], 9: [1, 1, 2, 5] };

/** How many tokens of every scale its masked passes draw anew, pass by pass. */
export function maskedPasses(scales: readonly Grid[]): number[][] {
  return scales.map((grid) => anew(PUBLISHED[cellCount(grid)] ?? []));
}

/** Each pass settles its count: those behind it draw what is left. */
export function anew(counts: readonly number[]): number[] {
  return counts.slice(1).map((_, pass) => counts.slice(pass + 1).reduce((sum, count) => sum + count, 0));
}

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
/** Of a card: the tokens that each masked pass of a scale draws anew. */
export const Passes = v.pipe(v.array(v.pipe(v.array(count), v.maxLength(64))), v.maxLength(64));

/** How many masked passes each scale of a card has. */
export function passCounts({ config }: OtherCard): readonly number[] {
  return v.parse(Passes, config.transformer['passes']).map(({ length }) => length);
}
