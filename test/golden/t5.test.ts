import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openT5Encoder } from '#engine/networks/t5-encoder.js';
import type { TextEncoder } from '#engine/tensor/predictor.js';
import { T5Tokenizer } from '#engine/text/t5-tokenizer.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { Fixture, maxDifference } from '../support/fixtures.js';
import { OnnxRunner } from '../support/onnx-runner.js';

interface Case {
  readonly ids: readonly number[];
  readonly rows: readonly number[];
  readonly hidden: readonly (readonly number[])[];
}

/** Made by reference/t5.py: PyTorch, written apart from ours. */
const fixture = new Fixture('test/golden', 't5-mini');
const cases = fixture.json('hidden.json') as readonly Case[];
/** Read by the published tokenizer library. */
const prompts = fixture.json('prompts.json') as readonly (Case & { readonly prompt: string })[];

describe('PyTorch’s hidden states of the T5 encoder', () => {
  let encoder: TextEncoder;

  beforeAll(async () => {
    encoder = await openT5Encoder(new OnnxRunner(), Weights.of(await openCheckpoint(fixture.file('t5.pth'))));
  });

  afterAll(() => encoder.release());

  async function expectHidden(ids: readonly number[], { rows, hidden }: Case): Promise<void> {
    const { dims, data } = await encoder.encode(ids);
    expect(dims[0]).toBe(ids.length);
    const width = dims[1]!;
    const ours = rows.flatMap((row) => [...data.subarray(row * width, (row + 1) * width)]);
    expect(maxDifference(ours, hidden.flat())).toBeLessThan(1e-4);
  }

  it.each(cases.map((fixed) => [fixed.ids.length, fixed] as const))('equal ours for %i tokens', (_, fixed) =>
    expectHidden(fixed.ids, fixed),
  );

  const tokenizer = new T5Tokenizer(fixture.json('tokenizer.json'), 512);

  it.each(prompts.map((fixed) => [fixed.prompt, fixed] as const))(
    'equal ours for the prompt %j, read by the same tokens',
    async (prompt, fixed) => {
      const { ids } = tokenizer.encode(prompt);
      expect(ids).toEqual(fixed.ids);
      await expectHidden(ids, fixed);
    },
  );
});
