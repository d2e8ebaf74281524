import { describe, expect, test } from 'vitest';
import { Codebook } from '#engine/sampling/codebook.js';
import { cornerOf, DiagonalQuantiser, diagonalSchedule, TOP_LEFT } from '#engine/sampling/diagonal-quantiser.js';
import { encodeTokens } from '#engine/sampling/quantiser.js';
import { floats } from '#engine/tensor/tensor.js';

const codebook = new Codebook(
  floats(
    [9, 1],
    Float32Array.from({ length: 9 }, (_, i) => i),
  ),
);
const CORNERS = [false, true].flatMap((right) => [false, true].map((bottom) => ({ right, bottom })));
/** 3 × 3, every cell its own place in raster order. */
const picture = floats(
  [1, 3, 3],
  Float32Array.from({ length: 9 }, (_, i) => i),
);

describe('one token per cell, diagonal by diagonal', () => {
  test.each([
    { corner: TOP_LEFT, expected: [[0], [1, 3], [2, 4, 6], [5, 7], [8]] },
    { corner: { right: true, bottom: false }, expected: [[2], [1, 5], [0, 4, 8], [3, 7], [6]] },
    { corner: { right: false, bottom: true }, expected: [[6], [7, 3], [8, 4, 0], [5, 1], [2]] },
    { corner: { right: true, bottom: true }, expected: [[8], [7, 5], [6, 4, 2], [3, 1], [0]] },
  ])('from the corner $corner', ({ corner, expected }) => {
    const quantiser = new DiagonalQuantiser({ grid: [3, 3], codebook, corner });
    const { tokens, sum } = encodeTokens(quantiser, picture);
    expect(tokens.map((some) => [...some])).toEqual(expected);
    expect([...sum.data]).toEqual([...picture.data]);
    expect(quantiser.schedule.map(([rows, columns]) => rows * columns)).toEqual([1, 2, 3, 2, 1]);
    expect([...quantiser.nextInput(sum, 2).data]).toEqual(expected[1]);
  });

  test.each(CORNERS)('a schedule tells its corner: %j', (corner) => {
    expect(cornerOf(diagonalSchedule([4, 4], corner))).toEqual(corner);
  });

  test('keeps the cells of which nothing is to be repainted', () => {
    const mask = floats([1, 3, 3], Float32Array.from([0, 0, 1, 0, 0.5, 0, 0, 0, 1]));
    const quantiser = new DiagonalQuantiser({ grid: [3, 3], codebook });
    expect(quantiser.schedule.map((_, k) => [...quantiser.kept(mask, k)])).toEqual([[1], [1, 1], [0, 0, 1], [1, 1], [0]]);
  });

  test('tells how certain a cell is, so that the doubtful ones of a diagonal can be drawn again', () => {
    const quantiser = new DiagonalQuantiser({ grid: [3, 3], codebook });
    const guided = new Float32Array(2 * 9);
    guided[9 + 4] = Math.log(8);
    // One of nine equal entries, and one that is as likely as the eight others.
    const certainty = quantiser.certainty(guided, Uint16Array.of(3, 4), { temperature: 1, topP: 1, topK: 0, seed: 0 });
    expect([...certainty].map(Math.exp)).toEqual([expect.closeTo(1 / 9, 6), expect.closeTo(0.5, 6)]);
  });
});
