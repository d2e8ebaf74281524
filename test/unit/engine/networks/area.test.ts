import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areaWeights, poolRows } from '#engine/networks/area.js';
import { resizeArea } from '#engine/tensor/resample.js';
import { floats } from '#engine/tensor/tensor.js';

describe('poolRows', () => {
  it('averages overlapping windows where sizes do not divide', () => {
    const target = new Float32Array(2);
    poolRows({ rows: Float32Array.of(1, 2, 6), width: 1 }, { from: [1, 3], to: [1, 2] }, target);
    expect([...target]).toEqual([1.5, 4]);
  });

  it('copies where the size stays', () => {
    const target = new Float32Array(4);
    poolRows({ rows: Float32Array.of(1, 2, 3, 4), width: 2 }, { from: [1, 2], to: [1, 2] }, target);
    expect([...target]).toEqual([1, 2, 3, 4]);
  });

  it('keeps the values of one cell together', () => {
    const target = new Float32Array(2);
    poolRows({ rows: Float32Array.of(1, 10, 3, 30), width: 2 }, { from: [2, 1], to: [1, 1] }, target);
    expect([...target]).toEqual([2, 20]);
  });

  it('does to cells what the picture resize does to channels', () => {
    const side = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(side, side, side, side, (height, width, rows, columns) => {
        const from = [height + rows - 1, width + columns - 1] as const;
        const map = floats(
          [1, ...from],
          Float32Array.from({ length: from[0] * from[1] }, (_, i) => Math.sin(i * 7)),
        );
        const target = new Float32Array(rows * columns);
        poolRows({ rows: map.data, width: 1 }, { from, to: [rows, columns] }, target);
        resizeArea(map, [rows, columns]).data.forEach((value, i) => {
          expect(target[i]).toBeCloseTo(value, 5);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('is a product of matrices along both sides', () => {
    expect([...areaWeights(3, 2).data]).toEqual([0.5, 0.5, 0, 0, 0.5, 0.5]);
    const [from, to] = [[5, 7] as const, [3, 2] as const];
    const rows = Float32Array.from({ length: 35 }, (_, i) => Math.sin(i * 7));
    const pooled = new Float32Array(6);
    poolRows({ rows, width: 1 }, { from, to }, pooled);
    const [lines, columns] = [areaWeights(from[0], to[0]).data, areaWeights(from[1], to[1]).data];
    pooled.forEach((value, cell) => {
      const [y, x] = [Math.floor(cell / 2), cell % 2];
      const product = rows.reduce((sum, row, i) => sum + lines[y * 5 + Math.floor(i / 7)]! * columns[x * 7 + (i % 7)]! * row, 0);
      expect(product).toBeCloseTo(value, 5);
    });
  });
});
