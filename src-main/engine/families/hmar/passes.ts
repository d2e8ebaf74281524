import { cellCount, type Grid } from '#base/geometry.js';

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
