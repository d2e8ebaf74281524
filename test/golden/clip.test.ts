import { describe, expect, it } from 'vitest';
import { openClipTextEncoder } from '#engine/networks/clip-text-encoder.js';
import { ExpectedError } from '#contract/errors.js';
import { ClipTokenizer } from '#engine/text/clip-tokenizer.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { Fixture, maxDifference } from '../support/fixtures.js';
import { OnnxRunner } from '../support/onnx-runner.js';

interface Case {
  readonly prompt: string;
  readonly ids: readonly number[];
  readonly rows: readonly number[];
  /** Of the first encoder and of the second. */
  readonly hidden: readonly (readonly (readonly number[])[])[];
}

/** Made by reference/switti.py, whose encoders agree with those of transformers; prompts read by the published tokenizer library. */
const fixture = new Fixture('test/golden', 'switti-mini');
const cases = fixture.json('fx/prompts.json') as readonly Case[];
const file = fixture.json('tokenizer.json');
const words = Object.keys((file as { model: { vocab: object } }).model.vocab).length;
const HIDDEN_LIMIT = 1e-4;

describe('CLIP’s byte pairs', () => {
  const tokenizer = new ClipTokenizer(file, { maxTokens: 77, words });

  it.each(cases.map(({ prompt, ids }) => [prompt, ids] as const))('equal the published library’s for %j', (prompt, ids) => {
    expect(tokenizer.encode(prompt)).toEqual({ ids, cut: prompt.length > 500 });
  });

  it.each([
    ['nothing', {}, /describes no tokenizer/],
    ['T5’s', new Fixture('test/golden', 't5-mini').json('tokenizer.json'), /of another kind/],
    ['more words than the encoder knows', file, /of another kind/],
  ])('are refused where the file is %s', (what, other, reason) => {
    const make = () => new ClipTokenizer(other, { maxTokens: 77, words: what.startsWith('more') ? words - 1 : words });
    expect(make).toThrow(ExpectedError);
    expect(make).toThrow(reason);
  });
});

describe.each([
  ['clip-l.bin', 0, true],
  ['clip-g.bin', 1, false],
] as const)('PyTorch’s hidden states of %s', (name, index, quickGelu) => {
  it('equal ours', async () => {
    const encoder = await openClipTextEncoder(new OnnxRunner(), Weights.of(await openCheckpoint(fixture.file(name))), { quickGelu });
    for (const { ids, rows, hidden, prompt } of cases) {
      const { dims, data } = await encoder.encode(ids);
      const width = dims[1]!;
      const ours = rows.flatMap((row) => [...data.subarray(row * width, (row + 1) * width)]);
      expect(maxDifference(ours, hidden[index]!.flat()), prompt).toBeLessThan(HIDDEN_LIMIT);
    }
    await encoder.release();
  });
});
