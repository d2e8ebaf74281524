import { describe, expect, it } from 'vitest';
import type { DepthConfig } from '#contract/pack-card.js';
import type { OnnxPort } from '#engine/graph/onnx-reader.js';
import { depthShapeOf, fittedSize } from '#engine/networks/onnx-depth.js';

const PICTURE: OnnxPort = { name: 'image', type: 1, dims: [1, 3, 518, 518] };
const MAP: OnnxPort = { name: 'depth', type: 1, dims: [1, 518, 518] };
const shapeOf = (inputs: readonly OnnxPort[], outputs: readonly OnnxPort[]) =>
  depthShapeOf({ inputs, outputs, parameters: 0, external: [], metadata: {} });

describe('a depth model', () => {
  it.each<[string, OnnxPort, OnnxPort, object]>([
    ['of one size', PICTURE, MAP, { fixed: { width: 518, height: 518 } }],
    ['of any size', { ...PICTURE, dims: [undefined, 3, undefined, undefined] }, MAP, {}],
    ['whose exporter named every axis', { ...PICTURE, dims: [undefined, undefined, undefined, undefined] }, MAP, {}],
    ['whose map has a channel', PICTURE, { ...MAP, dims: [undefined, 1, 518, 518] }, {}],
    ['whose exporter left the map’s shape out', PICTURE, { name: 'depth', type: 1 }, {}],
  ])('%s is known', (_, picture, map, expected) => {
    expect(shapeOf([picture], [map])).toMatchObject({ family: 'depth', input: 'image', output: 'depth', ...expected });
  });

  it.each<[string, readonly OnnxPort[], readonly OnnxPort[], RegExp]>([
    ['two inputs', [PICTURE, { ...PICTURE, name: 'mask' }], [MAP], /one picture as input but received image, mask/],
    ['no input', [], [MAP], /one picture as input but received none/],
    ['two outputs', [PICTURE], [MAP, { ...MAP, name: 'sky' }], /one map as output but received depth, sky/],
    ['half precision', [{ ...PICTURE, type: 10 }], [MAP], /in float32 but received "image" of type 10/],
    ['a sequence', [{ name: 'image', type: undefined }], [MAP], /of type unknown \[\?\]/],
    ['grey pictures', [{ ...PICTURE, dims: [1, 1, 518, 518] }], [MAP], /\[N, 3, H, W\] .* \[1, 1, 518, 518\]/],
    ['pictures with colours last', [{ ...PICTURE, dims: [1, 518, 518, 3] }], [MAP], /\[N, 3, H, W\]/],
    ['batches of 4', [{ ...PICTURE, dims: [4, 3, 518, 518] }], [MAP], /\[N, 3, H, W\]/],
    ['sides of 100000', [{ ...PICTURE, dims: [1, 3, 100_000, 518] }], [MAP], /518×100000/],
    ['a picture as output', [PICTURE], [{ ...MAP, dims: [1, 3, 518, 518] }], /\[N, 1, H, W\]/],
    ['a class as output', [PICTURE], [{ ...MAP, dims: [1, 1000] }], /\[N, H, W\]/],
  ])('with %s is refused', (_, inputs, outputs, reason) => {
    expect(() => shapeOf(inputs, outputs)).toThrow(reason);
  });
});

it.each([
  [
    { width: 1000, height: 1000 },
    { width: 518, height: 518 },
  ],
  [
    { width: 640, height: 480 },
    { width: 686, height: 518 },
  ],
  [
    { width: 480, height: 640 },
    { width: 518, height: 686 },
  ],
  [
    { width: 1920, height: 1080 },
    { width: 924, height: 518 },
  ],
  // A strip is squeezed.
  [
    { width: 20_000, height: 8 },
    { width: 2072, height: 518 },
  ],
])('sees %o at %o', (picture, size) => {
  const config: DepthConfig = { kind: 'onnx', side: 518, patch: 14, mean: [0, 0, 0], std: [1, 1, 1], near: 'high' };
  expect(fittedSize(picture, config)).toEqual(size);
});
