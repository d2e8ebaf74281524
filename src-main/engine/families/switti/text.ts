import * as v from 'valibot';
import { ExpectedError } from '#contract/errors.js';
import type { OtherCard } from '#contract/pack-card.js';
import { openClipTextEncoder } from '#engine/networks/clip-text-encoder.js';
import type { TextFeatures } from '#engine/tensor/predictor.js';
import type { Runner } from '#engine/tensor/runner.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { ClipTokenizer } from '#engine/text/clip-tokenizer.js';
import type { Weights } from '#engine/weights/handle.js';
import type { EncodeText, TextParts } from '../family.js';
import { promptReader } from '../prompt-reader.js';
import { clipTextEncoder } from './networks.js';

// T tokens · W width of both encoders' hidden states side by side, P of the second's

const Sizes = v.object({ width: v.number(), pooled: v.number(), maxTokens: v.number() });

/** OpenAI's encoders were trained with a quicker GELU than OpenCLIP's. */
const QUICK_GELU = [true, false];

/**
 * Reads prompts by CLIP ViT-L and OpenCLIP ViT-bigG, one after the other: their final hidden states side by side, and what the
 * second says of the prompt as a whole. The row without a prompt reads no words, likewise.
 */
export async function openSwittiText({ config }: OtherCard, { files, readTokenizer }: TextParts, runner: Runner): Promise<EncodeText> {
  const { width, pooled, maxTokens } = v.parse(Sizes, config.transformer.text);
  const shapes = files.map((weights) => clipTextEncoder.read(weights));
  const widths = shapes.map((shape) => shape.width);
  if (String(widths) !== String([width - pooled, pooled])) {
    throw new ExpectedError(
      'weights.refused',
      `Expected text encoders ${width - pooled} and ${pooled} wide but received ${widths.join(' and ') || 'none'}.`,
    );
  }
  const tokenizer = new ClipTokenizer(await readTokenizer(), {
    maxTokens: Math.min(maxTokens, ...shapes.map(({ places }) => places)),
    words: Math.min(...shapes.map(({ words }) => words)),
  });
  const nothing = tokenizer.encode('').ids;
  let none: TextFeatures['none'];
  return promptReader(tokenizer, async (ids) => {
    const wanted = none ? [ids] : [ids, nothing];
    const hidden = await hiddenStates(wanted, files, runner);
    const [text, silence] = wanted.map((_, i) => besides(hidden.map((states) => states[i]!)));
    none ??= silence;
    return { kind: 'features', ...(text as NonNullable<typeof none>), ...(none && { none }) };
  });
}

/** Of every encoder, for every prompt. Needed for a moment: each is opened, asked, and let go. */
async function hiddenStates(
  prompts: readonly (readonly number[])[],
  files: readonly Weights[],
  runner: Runner,
): Promise<readonly (readonly FloatTensor[])[]> {
  const all: FloatTensor[][] = [];
  for (const [i, weights] of files.entries()) {
    const encoder = await openClipTextEncoder(runner, weights, { quickGelu: QUICK_GELU[i] === true });
    const states: FloatTensor[] = [];
    try {
      for (const ids of prompts) states.push(await encoder.encode(ids));
    } finally {
      await encoder.release();
    }
    all.push(states);
  }
  return all;
}

/** Hidden states side by side, `[T, W]`, and the last encoder's at the end of the text, `[1, P]`. */
function besides(states: readonly FloatTensor[]): Pick<TextFeatures, 'features'> & { readonly pooled: FloatTensor } {
  const length = states[0]?.dims[0] ?? 0;
  const widths = states.map(({ dims }) => dims[1] ?? 0);
  const width = widths.reduce((sum, each) => sum + each, 0);
  const features = floats([length, width]);
  let first = 0;
  states.forEach(({ data }, i) => {
    const own = widths[i] ?? 0;
    for (let row = 0; row < length; row++) features.data.set(data.subarray(row * own, (row + 1) * own), row * width + first);
    first += own;
  });
  const last = widths.at(-1) ?? 0;
  return { features, pooled: floats([1, last], features.data.slice(length * width - last)) };
}
