import { describe, expect, it } from 'vitest';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { finestKept, resolutionOf } from '#engine/pipelines/resolution.js';
import { fakeModel } from '../../../support/fake-model.js';

const extent = { width: 128, height: 128 };
function mixed(i: number): number {
  let value = Math.imul(i + 1, 2654435761);
  value = Math.imul(value ^ (value >>> 15), 0x846ca68b);
  return ((value ^ (value >>> 16)) >>> 0) / 2 ** 32;
}

/** White noise: every detail alike. */
const noise = Float32Array.from({ length: 128 * 128 }, (_, i) => mixed(i));
const plane = (values: Float32Array) => ({ values, ...extent });

describe('the finest detail that is kept', () => {
  it('is a pixel where nothing is lost, whatever texture is invented', () => {
    expect(finestKept(plane(noise), plane(noise))).toBe(1);
    const invented = noise.map((value, i) => value + 0.5 * Math.sin(i * i));
    expect(finestKept(plane(noise), plane(invented))).toBeLessThan(1.1);
  });

  it.each([1, 1.5, 2])('is half the wave of which a blur of %f pixels leaves half', (sigma) => {
    // exp(−2π²σ²f²) = ½
    const expected = (Math.PI * sigma) / Math.sqrt(2 * Math.log(2));
    expect(finestKept(plane(noise), plane(gaussian(noise, extent, sigma))) / expected).toBeCloseTo(1, 1);
  });

  it('is as wide as can be told where nothing is left', () => {
    expect(finestKept(plane(noise), plane(noise.map(() => 0.5)))).toBe(32);
  });

  it('is what a tokenizer of flat cells of four pixels keeps', async () => {
    const first = await resolutionOf(fakeModel());
    expect(first).toBeGreaterThan(3);
    expect(first).toBeLessThan(9);
    expect(await resolutionOf(fakeModel())).toBe(first);
  });
});
