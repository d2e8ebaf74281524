import { expect, test } from 'vitest';
import type { TokenizerModel } from '#engine/pipelines/model.js';
import { SourceMemory } from '#engine/pipelines/source-memory.js';
import { BitwiseQuantiser } from '#engine/sampling/bitwise-quantiser.js';
import { floats } from '#engine/tensor/tensor.js';
import { fakeModel } from '../../../support/fake-model.js';

/** A model that says how often its coder was asked, and fails while `fails`. */
function counting() {
  const { coder, ...model } = fakeModel();
  const asked = { encode: 0, decode: 0, fails: false };
  const counted: TokenizerModel['coder'] = {
    ...coder,
    encode: (picture) => {
      asked.encode += 1;
      return asked.fails ? Promise.reject(new Error('too hot')) : coder.encode(picture);
    },
    decode: (codes) => {
      asked.decode += 1;
      return coder.decode(codes);
    },
  };
  return { model: { ...model, coder: counted }, asked };
}

const picture = floats([1, 3, 32, 32], new Float32Array(3 * 32 * 32).fill(0.3));

test('one view is encoded and decoded once, another anew', async () => {
  const { model, asked } = counting();
  const memory = new SourceMemory();
  const first = await memory.of(model, picture);
  const again = await memory.of(model, picture);
  expect(await again.before()).toBe(await first.before());
  expect(asked).toMatchObject({ encode: 1, decode: 1 });
  await memory.of(model, floats(picture.dims, picture.data.slice()));
  expect(asked.encode).toBe(2);
});

test('what was tokenised on one schedule is not taken for another', async () => {
  const { model } = counting();
  const memory = new SourceMemory();
  await memory.of(model, picture);
  const quantiser = new BitwiseQuantiser({ codeBits: 2, schedule: [[1, 1], [4, 4]], patchify: 2 }); // prettier-ignore
  expect((await memory.of({ ...model, quantiser }, picture)).tokens).toHaveLength(2);
});

test('what failed is tried again', async () => {
  const { model, asked } = counting();
  const memory = new SourceMemory();
  asked.fails = true;
  await expect(memory.of(model, picture)).rejects.toThrow('too hot');
  asked.fails = false;
  expect((await memory.of(model, picture)).tokens).toHaveLength(3);
});
