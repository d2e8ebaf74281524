import { expect, test } from 'vitest';
import { bytesOfTensor, photoOfTensor } from '#engine/image/files/tensor-photo.js';
import { floats } from '#engine/tensor/tensor.js';

test('planes become interleaved bytes, rounded to the nearest and cut to what a byte holds', () => {
  const red = [0, 0.5 / 255 - 1e-6, 0.5 / 255 + 1e-6, 0.5];
  const green = [1, 254.4 / 255, 254.6 / 255, 1.5];
  const blue = [-3, 10 / 255, 200 / 255, 128 / 255];
  const bytes = bytesOfTensor(floats([1, 3, 2, 2], Float32Array.from([...red, ...green, ...blue])));
  expect(bytes).toEqual(Uint8Array.of(0, 255, 0, 0, 254, 10, 1, 255, 200, 128, 255, 128));
});

test('every byte comes back from its place in 0..1', () => {
  const all = Float32Array.from({ length: 256 }, (_, i) => i / 255);
  expect([...bytesOfTensor(floats([1, 1, 16, 16], all))]).toEqual(Array.from({ length: 256 }, (_, i) => i));
});

test('a picture at a size of its own is as large as was asked for, and stays what it was where it is even', () => {
  const even = floats([1, 3, 4, 6], new Float32Array(72).fill(0.4));
  const { extent, samples } = photoOfTensor(even, { width: 9, height: 7 });
  expect(extent).toEqual({ width: 9, height: 7 });
  expect(samples).toEqual(new Uint8Array(9 * 7 * 3).fill(102));
});
