import { expect, test } from 'vitest';
import { certaintyOfBits } from '#engine/sampling/bits.js';

const certainty = (bits: number[], options: { temperature?: number; topP?: number } = {}) =>
  [...certaintyOfBits(Float32Array.of(0, Math.log(3), -Math.log(9), 0), bits, { size: 2, temperature: 1, topP: 1, ...options })].map(
    Math.exp,
  );

test('a token of bits is as sure as all of its bits together', () => {
  // logit ln 3 = three to one for 1, logit −ln 9 = nine to one for 0
  const [first, second] = certainty([0, 1, 0, 1]);
  expect(first).toBeCloseTo(0.5 * 0.75, 6);
  expect(second).toBeCloseTo(0.9 * 0.5, 6);
  expect(certainty([1, 0, 1, 1])).toEqual([expect.closeTo(0.125, 6), expect.closeTo(0.05, 6)]);
});

test('temperature levels it, 0 counts as 1, and what might not have been drawn is not sure at all', () => {
  expect(certainty([0, 1, 0, 1], { temperature: 0 })).toEqual(certainty([0, 1, 0, 1]));
  expect(certainty([0, 1, 0, 1], { temperature: 2 })[0]).toBeCloseTo(0.5 * (Math.sqrt(3) / (1 + Math.sqrt(3))), 6);
  expect(certainty([0, 1, 1, 1], { topP: 0.8 })).toEqual([expect.closeTo(0.375, 6), 0]);
});
