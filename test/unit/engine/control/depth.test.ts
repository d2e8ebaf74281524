import { expect, it } from 'vitest';
import { invertMap, normaliseMap, stretchMap } from '#engine/control/depth.js';
import { floats } from '#engine/tensor/tensor.js';

it('stretches disparity to 0..1', () => {
  expect([...normaliseMap(floats([1, 1, 1, 3], Float32Array.of(2, 4, 6))).data]).toEqual([0, 0.5, 1]);
});

it('leaves a flat map in the middle', () => {
  expect([...normaliseMap(floats([1, 1, 1, 2], Float32Array.of(3, 3))).data]).toEqual([0.5, 0.5]);
});

it('turns near into far', () => {
  expect([...invertMap(floats([1, 1, 1, 3], Float32Array.of(0, 0.25, 1))).data]).toEqual([1, 0.75, 0]);
});

it('stretches what lies between far and near over the whole range', () => {
  const map = floats([1, 1, 1, 4], Float32Array.of(0, 0.25, 0.5, 1));
  expect([...stretchMap(map, { near: 0.5, far: 0.25 }).data]).toEqual([0, 0, 1, 1]);
  expect(stretchMap(map, { near: 1, far: 0 })).toBe(map);
});
