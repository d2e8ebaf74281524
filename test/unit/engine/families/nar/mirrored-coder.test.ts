import { expect, test } from 'vitest';
import { mirrored, mirroredCoder } from '#engine/families/nar/mirrored-coder.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

const picture = floats(
  [1, 2, 2, 3],
  Float32Array.from({ length: 12 }, (_, i) => i),
);

test.each([
  { corner: { right: true, bottom: false }, expected: [2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9] },
  { corner: { right: false, bottom: true }, expected: [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8] },
  { corner: { right: true, bottom: true }, expected: [5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6] },
])('exchanges sides and ends: $corner', ({ corner, expected }) => {
  expect([...mirrored(picture, corner).data]).toEqual(expected);
  expect([...mirrored(mirrored(picture, corner), corner).data]).toEqual([...picture.data]);
});

test('the tokenizer sees what is mirrored, and its caller what is not', async () => {
  const seen: FloatTensor[] = [];
  const half = { encode: look, decode: look, release: () => Promise.resolve() };
  function look(tensor: FloatTensor): Promise<FloatTensor> {
    seen.push(tensor);
    return Promise.resolve(tensor);
  }
  const corner = { right: true, bottom: false };
  const coder = mirroredCoder(half, corner);
  expect(await coder.decode(await coder.encode(picture))).toEqual(picture);
  expect(seen).toEqual([mirrored(picture, corner), mirrored(picture, corner)]);
});
