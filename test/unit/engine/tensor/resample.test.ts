import { expect, test } from 'vitest';
import { resizeArea, resizeLinear } from '#engine/tensor/resample.js';
import { floats } from '#engine/tensor/tensor.js';

const row = floats([1, 1, 4], Float32Array.of(0, 1, 2, 3));

test('area averages whole windows where the sizes divide', () => {
  expect([...resizeArea(row, [1, 2]).data]).toEqual([0.5, 2.5]);
});

test('area windows overlap with equal weights where the sizes do not divide', () => {
  // adaptive_avg_pool1d([0,1,2,3], 3) in PyTorch
  expect([...resizeArea(row, [1, 3]).data]).toEqual([0.5, 1.5, 2.5]);
});

test('linear upsampling clamps at the border and does not align corners', () => {
  // F.interpolate([0,1,2,3], size=8, mode='linear', align_corners=False) in PyTorch
  expect([...resizeLinear(row, [1, 8]).data]).toEqual([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]);
});

test('rows and columns are resized independently, channel by channel', () => {
  const map = floats([2, 2, 2], Float32Array.of(0, 2, 4, 6, 10, 10, 30, 30));
  expect([...resizeArea(map, [1, 2]).data]).toEqual([2, 4, 20, 20]);
  expect([...resizeArea(map, [2, 1]).data]).toEqual([1, 5, 10, 30]);
});

test('a map that already has the size is returned as it is', () => {
  expect(resizeLinear(row, [1, 4])).toBe(row);
});
