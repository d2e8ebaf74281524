import { expect, test } from 'vitest';
import { layersPerScale, layerSubset } from '#engine/sampling/depth-presets.js';

test.each([
  [6, 6, [0, 1, 2, 3, 4, 5]],
  [6, 4, [0, 2, 3, 5]],
  [6, 3, [0, 2, 5]],
  [6, 2, [0, 5]],
  [30, 2, [0, 29]],
  [4, 9, [0, 1, 2, 3]],
  [4, 1, [0]],
])('of %i layers, %i at equal distances are %j', (depth, count, layers) => {
  expect(layerSubset(depth, count)).toEqual(layers);
});

test('only the late scales are thinned', () => {
  const layers = layersPerScale({ depth: 6, scales: 4, lateScales: 2, lateLayers: 2 });
  expect(layers.map((scale) => scale.length)).toEqual([6, 6, 2, 2]);
});
