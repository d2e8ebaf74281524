import { describe, expect, test } from 'vitest';
import { Codebook } from '#engine/sampling/codebook.js';
import { guidancePerScale } from '#engine/sampling/guidance.js';
import { encodeTokens, sumOfTokens } from '#engine/sampling/quantiser.js';
import { packTokens, unpackTokens } from '#engine/sampling/tokens.js';
import { VectorQuantiser } from '#engine/sampling/vector-quantiser.js';
import { floats } from '#engine/tensor/tensor.js';

const SCHEDULE = [
  [1, 1],
  [2, 2],
  [4, 4],
] as const;
/** φ that changes nothing: a one in the middle of each channel's own kernel. */
const identity = { weight: Float32Array.from({ length: 2 * 2 * 9 }, (_, i) => (i === 4 || i === 31 ? 1 : 0)), bias: new Float32Array(2) };
const codebook = new Codebook(floats([4, 2], Float32Array.of(0, 0, 1, 0, 0, 1, -1, -1)));
const quantiser = new VectorQuantiser({ schedule: SCHEDULE, codebook, filters: [identity] });

describe('multi-scale residual vector quantisation', () => {
  test('takes the nearest entry of the codebook', () => {
    const features = quantiser.emptySum();
    features.data.fill(0.9, 0, 16);
    expect([...quantiser.quantise(features, quantiser.emptySum(), 0)]).toEqual([1]);
    features.data.fill(-0.8);
    expect([...quantiser.quantise(features, quantiser.emptySum(), 1)]).toEqual([3, 3, 3, 3]);
  });

  test('a flat code stays flat on the finest grid, φ halved with what it is given', () => {
    const filter = { weight: new Float32Array(36), bias: Float32Array.of(0.5, 0) };
    const other = new VectorQuantiser({ schedule: SCHEDULE, codebook, filters: [filter] });
    const sum = other.add(other.emptySum(), [1], 0);
    expect(new Set(sum.data.subarray(0, 16))).toEqual(new Set([0.75]));
    expect(new Set(sum.data.subarray(16))).toEqual(new Set([0]));
  });

  test('a picture of codes is found again, and its tokens survive a file', () => {
    const features = quantiser.add(quantiser.emptySum(), [2], 0);
    const { tokens, sum } = encodeTokens(quantiser, features);
    expect(sum).toEqual(features);
    const file = packTokens('v', quantiser, tokens);
    expect(file.tokens[0]).toEqual([2]);
    expect(unpackTokens(file, 'v', quantiser)).toEqual(tokens);
    expect(sumOfTokens(quantiser, unpackTokens(file, 'v', quantiser))).toEqual(features);
  });

  test.each([[[4]], [['0']], [[]]])('%j is no first scale of a token file', (scale) => {
    expect(() => unpackTokens({ pack: 'v', schedule: SCHEDULE.map(([h, w]) => [h, w]), tokens: [scale] }, 'v', quantiser)).toThrow(
      'Expected 1 indices below 4',
    );
  });

  test('small scales keep the source whatever the mask; finer ones where at most half is repainted', () => {
    const repaint = floats([1, 4, 4]);
    for (let y = 0; y < 4; y++) repaint.data.fill(1, y * 4, y * 4 + 2);
    expect([...quantiser.kept(repaint, 0)]).toEqual([1]);
    expect([...quantiser.kept(repaint, 1)]).toEqual([0, 1, 0, 1]);
    expect([...quantiser.kept(repaint, 2)].slice(0, 4)).toEqual([0, 0, 1, 1]);
  });
});

test('guidance is the same at every scale, or grows to the wish', () => {
  expect(guidancePerScale(3, 3, 'constant')).toEqual([3, 3, 3]);
  expect(guidancePerScale(3, 3, 'linear')).toEqual([1, 2, 3]);
  expect(guidancePerScale(3, 1, 'linear')).toEqual([1]);
});
