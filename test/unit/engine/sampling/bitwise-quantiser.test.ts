import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { patchify, unpatchify } from '#engine/sampling/patchify.js';
import { BitwiseQuantiser } from '#engine/sampling/bitwise-quantiser.js';
import { encodeTokens, sumOfTokens } from '#engine/sampling/quantiser.js';
import { packTokens, unpackTokens } from '#engine/sampling/tokens.js';
import { ExpectedError } from '#contract/errors.js';
import { floats } from '#engine/tensor/tensor.js';

const quantiser = new BitwiseQuantiser({
  codeBits: 4,
  schedule: [
    [1, 1],
    [2, 2],
    [3, 2],
  ],
  patchify: 2,
  gains: [4, 2, 1],
});

function features(seed: number) {
  const map = quantiser.emptySum();
  map.data.forEach((_, i) => (map.data[i] = Math.sin(seed + i * 1.7)));
  return map;
}

describe('patchify', () => {
  test('orders the values of a token by channel, row and column as pixel-unshuffle does', () => {
    const map = floats(
      [2, 2, 4],
      Float32Array.from({ length: 16 }, (_, i) => i),
    );
    expect([...patchify(map, 2).data]).toEqual([0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15]);
  });

  test('is undone by unpatchify', () => {
    const map = features(1);
    expect(unpatchify(patchify(map, 2).data, [3, 2], 2)).toEqual(map);
  });
});

describe('multi-scale residual quantisation', () => {
  test('every scale brings the sum closer to the features', () => {
    const target = features(2);
    const { tokens } = encodeTokens(quantiser, target);
    const errors = tokens.map((_, k) => {
      const sum = sumOfTokens(quantiser, tokens.slice(0, k + 1));
      return target.data.reduce((total, value, i) => total + (value - sum.data[i]!) ** 2, 0);
    });
    expect(errors[2]).toBeLessThan(errors[0]!);
  });

  test('encoding a sum of codes gives back its own last scale', () => {
    const { tokens, sum } = encodeTokens(quantiser, features(3));
    const before = sumOfTokens(quantiser, tokens.slice(0, 2));
    expect(quantiser.quantise(sum, before, 2)).toEqual(tokens[2]);
  });

  test('a code has the size gain over the root of its channel count', () => {
    const sum = quantiser.add(quantiser.emptySum(), new Uint8Array(16).fill(1), 0);
    expect([...new Set(sum.data)]).toEqual([2]);
  });
});

describe('token files', () => {
  test('give back every bit', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { tokens } = encodeTokens(quantiser, features(seed));
        expect(unpackTokens(packTokens('p', quantiser, tokens), 'p', quantiser)).toEqual(tokens);
      }),
      { numRuns: 20 },
    );
  });

  const file = packTokens('p', quantiser, encodeTokens(quantiser, features(4)).tokens);
  test.each([
    ['another pack', { ...file, pack: 'q' }],
    ['another schedule', { ...file, schedule: [[1, 1] as [number, number]] }],
    ['too few tokens in a scale', { ...file, tokens: [[]] }],
    ['tokens that are too short', { ...file, tokens: [['0']] }],
    ['more scales than the pack has', { ...file, tokens: [...file.tokens, []] }],
  ])('of %s are refused', (_, broken) => {
    expect(() => unpackTokens(broken, 'p', quantiser)).toThrow(ExpectedError);
  });
});
