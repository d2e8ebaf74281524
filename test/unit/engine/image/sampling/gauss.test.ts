import { expect, test } from 'vitest';
import { gaussian, maxWindow } from '#engine/image/sampling/gauss.js';
import { noisy } from '../noise.js';

const plane = (width: number, height: number) => Float32Array.from({ length: width * height }, (_, i) => noisy(i, 1));
const clamped = (at: number, length: number) => Math.min(length - 1, Math.max(0, at));

function plainBlur(from: Float32Array, { width, height }: { width: number; height: number }, sigma: number): number[] {
  const radius = Math.ceil(2 * sigma);
  const taps = Array.from({ length: 2 * radius + 1 }, (_, k) => Math.exp(-((k - radius) ** 2) / (2 * sigma * sigma)));
  const total = taps.reduce((sum, tap) => sum + tap, 0);
  const along = (at: (k: number) => number) => taps.reduce((sum, tap, k) => sum + (tap / total) * at(k - radius), 0);
  const rows = Array.from(from, (_, i) => along((k) => from[Math.trunc(i / width) * width + clamped((i % width) + k, width)]!));
  return rows.map((_, i) => along((k) => rows[clamped(Math.trunc(i / width) + k, height) * width + (i % width)]!));
}

const SIZES = [
  { width: 1, height: 7 },
  { width: 3, height: 2 },
  { width: 17, height: 9 },
  { width: 40, height: 33 },
];

test.each(SIZES)('four samples at a time blur as one does: $width×$height', (extent) => {
  const from = plane(extent.width, extent.height);
  for (const sigma of [0.6, 2, 5]) {
    const plain = plainBlur(from, extent, sigma);
    gaussian(from, extent, sigma).forEach((value, i) => {
      expect(Math.abs(value - plain[i]!)).toBeLessThan(1e-6);
    });
  }
});

test.each(SIZES)('the largest of a window is found by blocks as by looking at each: $width×$height', (extent) => {
  const { width, height } = extent;
  const from = plane(width, height);
  for (const radius of [0, 1, 4, 50]) {
    const plain = from.map((_, i) => {
      const [x, y] = [i % width, Math.trunc(i / width)];
      return from.reduce((best, value, j) => {
        const isNear = Math.abs((j % width) - x) <= radius && Math.abs(Math.trunc(j / width) - y) <= radius;
        return isNear ? Math.max(best, value) : best;
      }, -Infinity);
    });
    expect(maxWindow(from, extent, radius)).toEqual(plain);
  }
});
