import { describe, expect, test } from 'vitest';
import { certaintyOfIndices, drawIndices } from '#engine/sampling/indices.js';

const LOGITS = Float32Array.of(0, 3, 2, 1, /**/ 5, 0, 0, 0);
const draw = (options: { temperature?: number; topK?: number; topP?: number; seed?: number }, logits = LOGITS) =>
  drawIndices(logits, 4, { options: { temperature: 1, topK: 0, topP: 1, seed: 0, ...options }, scale: 0 });
/** Every entry that 200 seeds draw for the first row. */
const drawn = (options: Parameters<typeof draw>[0]) => new Set(Array.from({ length: 200 }, (_, seed) => draw({ ...options, seed })[0]));

describe('drawing codebook entries', () => {
  test('temperature 0 takes the likeliest, the first of equals', () => {
    expect([...draw({ temperature: 0 })]).toEqual([1, 0]);
    expect([...draw({ temperature: 0 }, new Float32Array(4))]).toEqual([0]);
  });

  test('the same seed draws the same, and every entry has its chance', () => {
    expect(draw({ seed: 3 })).toEqual(draw({ seed: 3 }));
    expect(drawn({ temperature: 2 })).toEqual(new Set([0, 1, 2, 3]));
  });

  test('top-k leaves only the likeliest', () => {
    expect(drawn({ topK: 2, temperature: 2 })).toEqual(new Set([1, 2]));
  });

  test('top-p leaves the fewest that cover it', () => {
    // Shares at temperature 1: .032, .644, .237, .087
    expect(drawn({ topP: 0.6 })).toEqual(new Set([1]));
    expect(drawn({ topP: 0.8 })).toEqual(new Set([1, 2]));
  });

  test('entries are drawn as often as their probability says', () => {
    const counts = [0, 0, 0, 0];
    for (let seed = 0; seed < 4000; seed++) counts[draw({ seed })[0]!]! += 1 / 4000;
    [0.032, 0.644, 0.237, 0.087].forEach((share, entry) => {
      expect(counts[entry]).toBeCloseTo(share, 1);
    });
  });
});

describe('how sure a drawn entry is', () => {
  const sure = (tokens: number[], options: { temperature?: number; topK?: number; topP?: number } = {}) =>
    [...certaintyOfIndices(LOGITS, tokens, { temperature: 1, topK: 0, topP: 1, seed: 0, entries: 4, ...options })].map(Math.exp);

  test('is its probability among what might have been drawn', () => {
    expect(sure([2, 0])[0]).toBeCloseTo(0.237, 3);
    expect(sure([1, 0], { topK: 2 })[0]).toBeCloseTo(0.731, 3);
    expect(sure([1, 0], { topP: 0.6 })[0]).toBeCloseTo(1, 5);
    expect(sure([0, 0], { topK: 2 })[0]).toBe(0);
  });

  test('follows the temperature, but is that of 1 where nothing is left to chance', () => {
    expect(sure([1, 0], { temperature: 0.5 })[0]).toBeGreaterThan(sure([1, 0])[0]!);
    expect(sure([1, 0], { temperature: 0 })).toEqual(sure([1, 0]));
    expect(sure([1, 0], { temperature: 0, topK: 3 })).toEqual(sure([1, 0], { topK: 3 }));
  });
});
