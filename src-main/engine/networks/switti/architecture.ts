import { ExpectedError } from '#contract/errors.js';
import type { Grid } from '#base/geometry.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { Weights } from '#engine/weights/handle.js';
import { cacheTypes } from '../kv-cache.js';
import type { CacheType } from '../kv-rows.js';

// C width · c head width · W width of the text · K scales

export interface SwittiSizes {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  /** Channels of a codebook entry, and how many entries there are. */
  readonly codeWidth: number;
  readonly entries: number;
  readonly scales: readonly Grid[];
  /** Of all encoders' hidden states side by side, and of what the last one says of a text as a whole. */
  readonly text: { readonly width: number; readonly pooled: number };
  /** Whether a scale also sees all scales before it (Switti-AR), or itself alone. */
  readonly autoregressive: boolean;
}

/** The sizes of one transformer, and where its blocks lie in the checkpoint. */
export interface SwittiArchitecture {
  readonly config: SwittiSizes;
  readonly headWidth: number;
  readonly weights: Weights;
  readonly blocks: readonly Weights[];
  /** How every layer's keys and values are kept, where any are. */
  readonly cacheTypes: readonly CacheType[];
  /** Whether the runner's fused attention operator is exact. */
  readonly fusedAttention: boolean;
}

/**
 * Checks a checkpoint against the card that came with it.
 *
 * @throws ExpectedError `weights.refused` where sizes disagree.
 */
export function describeSwitti(
  weights: Weights,
  config: SwittiSizes,
  { fusedAttention }: Pick<Runner, 'fusedAttention'>,
): SwittiArchitecture {
  const { depth, width, heads, codeWidth, entries, scales, text } = config;
  const found = weights.at('blocks').children().length;
  if (found !== depth) throw new ExpectedError('weights.refused', `Expected ${depth} transformer blocks but received ${found}.`);
  if (width % heads !== 0 || (width / heads) % 4 !== 0) {
    throw new ExpectedError('weights.refused', `Expected a head width divisible by 4 but received ${width / heads}.`);
  }
  weights.expectShape('lvl_embed.weight', [scales.length, width]);
  weights.expectShape('word_embed.weight', [width, codeWidth]);
  weights.expectShape('head.weight', [entries, width]);
  weights.expectShape('text_pooler.weight', [width, text.pooled]);
  const blocks = Array.from({ length: depth }, (_, index) => weights.at('blocks', index));
  for (const block of blocks) {
    block.expectShape('attn.to_qkv.weight', [3 * width, width]);
    block.expectShape('cross_attn.to_kv.weight', [2 * width, text.width]);
  }
  const attentions = blocks.map((block) => block.at('attn'));
  const kept = cacheTypes(attentions, { readsSource: false, weight: 'to_qkv.weight' });
  return { config, headWidth: width / heads, weights, blocks, cacheTypes: kept, fusedAttention };
}
