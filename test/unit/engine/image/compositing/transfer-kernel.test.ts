import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PlainRows, refined } from '#engine/image/compositing/fitted-rows.js';
import { blurred, KernelMoments, KernelRows, solveWindows } from '#engine/image/compositing/transfer-kernel.js';
import { solvePlainly } from '#engine/image/compositing/transfer.js';
import { windowAxis } from '#engine/image/compositing/window-axis.js';
import { PlainMoments, windowsOf } from '#engine/image/compositing/windows.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { floats } from '#engine/tensor/tensor.js';

/** Even values in 0..1 that belong to a seed. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function planes(count: number, length: number, roll: () => number): Float32Array[] {
  return Array.from({ length: count }, () => Float32Array.from({ length }, roll));
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

const picture = fc.record({
  width: fc.integer({ min: 9, max: 47 }),
  height: fc.integer({ min: 9, max: 31 }),
  seed: fc.nat(),
});

describe('the kernel of the transfer', () => {
  test('gives the moments that the plain loop gives', () => {
    fc.assert(
      fc.property(picture, fc.integer({ min: 4, max: 9 }), fc.integer({ min: 2, max: 6 }), ({ width, height, seed }, step, sigma) => {
        const scene = { planes: planes(6, width * height, dice(seed)), extent: { width, height } };
        const axes = { across: windowAxis(width, { sigma, step }), down: windowAxis(height, { sigma, step }) };
        const [plain, kernel] = [new PlainMoments(scene, axes), new KernelMoments(scene, axes)];
        const moments = kernel.read();
        plain.read().forEach((moment, k) => {
          expect(largestDifference(moments[k]!, moment)).toBeLessThan(1e-5);
        });
        expect(largestDifference(kernel.totals, plain.totals)).toBeLessThan(1e-5);
      }),
      { numRuns: 60 },
    );
  });

  test('blurs as the plain loop does', () => {
    const narrow = fc.record({ width: fc.integer({ min: 1, max: 47 }), height: fc.integer({ min: 1, max: 31 }), seed: fc.nat() });
    fc.assert(
      fc.property(narrow, fc.constantFrom(1, 1.2, 4), ({ width, height, seed }, sigma) => {
        const [plane] = planes(1, width * height, dice(seed));
        const extent = { width, height };
        expect(largestDifference(blurred(plane!, extent, sigma), gaussian(plane!, extent, sigma))).toBeLessThan(1e-6);
      }),
      { numRuns: 100 },
    );
  });

  test('solves every window to the last bit as the plain loop does', () => {
    fc.assert(
      fc.property(picture, fc.integer({ min: 4, max: 9 }), ({ width, height, seed }, step) => {
        const roll = dice(seed);
        const [before, after] = planes(2, 3 * width * height, roll).map((data) => floats([1, 3, height, width], data));
        const windows = windowsOf(before!, after!, { sigma: 4, step });
        const aim = { prior: Array.from({ length: 12 }, (_, i) => (i % 4 === 0 ? 1 : 0) + 0.4 * (roll() - 0.5)), ridge: 2e-3 };
        expect(solveWindows(windows.moments, aim.prior, aim.ridge)).toEqual(solvePlainly(windows, aim));
      }),
      { numRuns: 60 },
    );
  });

  test('spreads maps over a picture and finds where they fail as the plain loop does', () => {
    const windows = fc.record({ width: fc.integer({ min: 1, max: 6 }), height: fc.integer({ min: 1, max: 6 }) });
    fc.assert(
      fc.property(picture, windows, ({ width, height, seed }, grid) => {
        const roll = dice(seed);
        const [red, green, blue, ...after] = planes(6, width * height, roll);
        const scene = { extent: { width, height }, x: [red!, green!, blue!] as const, y: [after[0]!, after[1]!, after[2]!] as const };
        const [coefficients] = planes(1, grid.width * grid.height * 12, () => 2 * roll() - 1);
        const maps = { prior: Array.from({ length: 12 }, roll), grid, coefficients: coefficients! };
        const [plain, kernel] = [new PlainRows(refined(maps), scene), new KernelRows(maps, scene)];
        for (let y = 0; y < height; y++) {
          const error = plain.squaredError(y);
          expect(kernel.squaredError(y) / error).toBeCloseTo(1, 4);
          plain.read(y);
          kernel.read(y);
          expect(largestDifference(kernel.error, plain.error)).toBeLessThan(1e-5);
          expect(largestDifference(kernel.change, plain.change)).toBeLessThan(1e-5);
          plain.coefficients.forEach((row, k) => {
            expect(largestDifference(kernel.coefficients[k]!, row)).toBeLessThan(1e-5);
          });
        }
      }),
      { numRuns: 60 },
    );
  });
});
