import { expect, test } from 'vitest';
import { closenessOf, type Plane } from '#engine/tensor/closeness.js';

const [width, height] = [32, 24];
const plane = (at: (i: number) => number): Plane => ({
  values: Float32Array.from({ length: width * height }, (_, i) => at(i)),
  width,
  height,
});
const wave = plane((i) => 0.5 + 0.4 * Math.sin(i * 0.37));

test('a picture is as close to itself as can be', () => {
  expect(closenessOf(wave, wave)).toEqual({ psnr: 100, ssim: 1, gmsd: 0, sharpness: 1 });
});

test('measures are those of SciPy', () => {
  const other = plane((i) => 0.5 + 0.35 * Math.sin(i * 0.37 + 0.2) + 0.02 * Math.cos(i * 1.7));
  const { psnr, ssim, gmsd, sharpness } = closenessOf(wave, other);
  expect(psnr).toBeCloseTo(23.73284, 4);
  expect(ssim).toBeCloseTo(0.965466, 4);
  expect(gmsd).toBeCloseTo(0.170575, 4);
  expect(sharpness).toBeCloseTo(0.874567, 4);
});
