import { cellCount } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { VarConfig } from '#contract/pack-card.js';
import type { Weights } from '#engine/weights/handle.js';
import type { BlockSizes } from '../adaptive-block.js';
import type { Runner } from '#engine/tensor/runner.js';
import { cacheTypes, type CacheType } from '../kv-cache.js';
import { pastParts, type PastParts } from '../kv-rows.js';

/** The sizes of one transformer, and where its blocks lie in the checkpoint. */
export interface VarArchitecture {
  readonly config: VarConfig;
  readonly weights: Weights;
  readonly blocks: readonly Weights[];
  /** How every layer's keys and values are kept. */
  readonly cacheTypes: readonly CacheType[];
  /** The parts in which a device holds them; none = the CPU holds them. */
  readonly pastParts: PastParts;
  readonly sizes: BlockSizes;
}

const NORM_EPS = 1e-6;

/**
 * Checks a checkpoint against the card that came with it.
 *
 * @throws ExpectedError `weights.refused` where sizes disagree.
 */
export function describeVar(
  weights: Weights,
  config: VarConfig,
  { fusedAttention, device }: Pick<Runner, 'fusedAttention' | 'device'>,
): VarArchitecture {
  const { width, heads, depth, codeWidth, entries, scales, classes } = config;
  const blocks = weights.at('blocks');
  const found = blocks.children().length;
  if (found !== depth) throw new ExpectedError('weights.refused', `Expected ${depth} transformer blocks but received ${found}.`);
  const positions = scales.reduce((sum, grid) => sum + cellCount(grid), 0);
  weights.expectShape('word_embed.weight', [width, codeWidth]);
  weights.expectShape('class_emb.weight', [classes + 1, width]);
  weights.expectShape('pos_start', [1, 1, width]);
  weights.expectShape('pos_1LC', [1, positions, width]);
  weights.expectShape('lvl_embed.weight', [scales.length, width]);
  weights.expectShape('head.weight', [entries, width]);
  const checked = Array.from({ length: depth }, (_, index) => blockOf(blocks.at(index), { width, heads }));
  return {
    config,
    weights,
    blocks: checked,
    cacheTypes: cacheTypes(
      checked.map((block) => block.at('attn')),
      { readsSource: false, device },
    ),
    pastParts: device ? pastParts(scales, { readsSource: false }) : [],
    sizes: { width, heads, headWidth: width / heads, normEps: NORM_EPS, fusedAttention },
  };
}

function blockOf(block: Weights, { width, heads }: { width: number; heads: number }): Weights {
  block.expectShape('attn.mat_qkv.weight', [3 * width, width]);
  block.expectShape('attn.scale_mul_1H11', [1, heads, 1, 1]);
  return block;
}
