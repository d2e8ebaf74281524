import { expect, test } from 'vitest';
import { isCheckpoint } from '#document/checkpoint-files.js';

test.each([
  ['var_d16.pth', true],
  ['Infinity.SAFETENSORS', true],
  ['model.safetensors.index.json', true],
  ['depth.onnx', true],
  ['photo.png', false],
  ['recipe.json', false],
  ['pth', false],
])('%s is weights: %s', (name, expected) => {
  expect(isCheckpoint(name)).toBe(expected);
});
