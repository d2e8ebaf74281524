import { expect, test } from 'vitest';
import { nearestRatio, oneMegapixelSchedule } from '#engine/networks/infinity/ratios.js';

test.each([
  [1, 1, '1.000'],
  [4000, 3000, '0.750'],
  [3000, 4000, '1.333'],
  [6000, 4000, '0.666'],
  [1920, 1080, '0.571'],
  [1080, 1920, '1.750'],
  [100, 1000, '3.000'],
  [1000, 100, '0.333'],
  [1000, 800, '0.800'],
])('%d × %d is nearest to %s, which has a schedule', (width, height, ratio) => {
  expect(nearestRatio({ width, height })).toBe(ratio);
  const [rows, columns] = oneMegapixelSchedule(ratio).at(-1)!;
  expect(Math.sign(rows - columns)).toBe(Math.sign(height - width));
});
