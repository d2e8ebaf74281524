import { expect, test } from 'vitest';
import { ScaleGenerator } from '#engine/sampling/generator.js';

const draws = (seed: number, scale: number, count: number) => {
  const generator = new ScaleGenerator(seed, scale);
  return Array.from({ length: count }, () => generator.next());
};

test('one seed and scale give one stream, on every machine', () => {
  expect(draws(1, 0, 3)).toEqual(draws(1, 0, 3));
  // Changing these numbers would change every saved recipe.
  expect(draws(42, 3, 3).map((value) => Math.round(value * 0x100_0000))).toEqual([6_493_751, 15_328_208, 4_954_655]);
});

test('scales and seeds have streams of their own', () => {
  expect(draws(1, 0, 4)).not.toEqual(draws(1, 1, 4));
  expect(draws(1, 0, 4)).not.toEqual(draws(2, 0, 4));
});

test('draws are uniform in [0, 1)', () => {
  const values = draws(5, 2, 20_000);
  const buckets = new Array<number>(10).fill(0);
  for (const value of values) buckets[Math.floor(value * 10)]! += 1;
  expect(Math.min(...buckets)).toBeGreaterThan(1850);
  expect(Math.max(...buckets)).toBeLessThan(2150);
});
