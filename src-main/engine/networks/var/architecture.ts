import { cellCount } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { VarConfig } from '#contract/pack-card.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import type { BlockSizes } from '../adaptive-block.js';
import type { Runner } from '#engine/tensor/runner.js';
import { cacheTypes } from '../kv-cache.js';
import { pastParts, type CacheType, type PastParts } from '../kv-rows.js';

/** Of a transformer that draws a class scale by scale. */
export type ClassSizes = Omit<VarConfig, 'text' | 'lateScales'>;

/** The sizes of one transformer, and where its blocks lie in the checkpoint. */
export interface VarArchitecture {
  readonly config: ClassSizes;
  /** What is added to the tokens of every scale, `[l, C]`. */
  readonly positions: readonly FloatTensor[];
  readonly weights: Weights;
  readonly blocks: readonly Weights[];
  /** How every layer's keys and values are kept. */
  readonly cacheTypes: readonly CacheType[];
  /** The parts in which a device holds them; none = the CPU holds them. */
  readonly pastParts: PastParts;
  readonly sizes: BlockSizes;
}

export const NORM_EPS = 1e-6;

/** What blocks are built by. */
type BlockRunner = Pick<Runner, 'fusedAttention' | 'device'>;

/**
 * Checks a checkpoint against the card that came with it.
 *
 * @throws ExpectedError `weights.refused` where sizes disagree.
 */
export function describeVar(weights: Weights, config: ClassSizes, runner: BlockRunner): VarArchitecture {
  const { width, scales } = config;
  const tokens = scales.reduce((sum, grid) => sum + cellCount(grid), 0);
  weights.expectShape('pos_1LC', [1, tokens, width]);
  weights.expectShape('lvl_embed.weight', [scales.length, width]);
  return { ...describeBlocks(weights, config, runner), positions: positionsPerScale(weights, config) };
}

/** What VAR has in common with its kin: everything but how they know the place of a token. */
export function describeBlocks(
  weights: Weights,
  config: ClassSizes,
  { fusedAttention, device }: BlockRunner,
): Omit<VarArchitecture, 'positions'> {
  const { width, heads, depth, codeWidth, entries, classes, scales } = config;
  const blocks = weights.at('blocks');
  const found = blocks.children().length;
  if (found !== depth) throw new ExpectedError('weights.refused', `Expected ${depth} transformer blocks but received ${found}.`);
  weights.expectShape('word_embed.weight', [width, codeWidth]);
  weights.expectShape('class_emb.weight', [classes + 1, width]);
  weights.expectShape('pos_start', [1, 1, width]);
  weights.expectShape('head.weight', [entries, width]);
  const checked = Array.from({ length: depth }, (_, index) => varBlock(blocks.at(index), { width, heads }));
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

/** Position plus level embedding of every scale's tokens. */
export function positionsPerScale(weights: Weights, { scales, width }: Pick<ClassSizes, 'scales' | 'width'>): readonly FloatTensor[] {
  const positions = weights.readFloats('pos_1LC'); // (1, L, C)
  const levels = weights.readFloats('lvl_embed.weight'); // (K, C)
  let first = 0;
  return scales.map((grid, scale) => {
    const rows = positions.slice(first * width, (first + cellCount(grid)) * width);
    first += cellCount(grid);
    return floats(
      [cellCount(grid), width],
      rows.map((value, i) => value + levels[scale * width + (i % width)]!),
    );
  });
}

/** A block of VAR, checked. */
export function varBlock(block: Weights, { width, heads }: { width: number; heads: number }): Weights {
  block.expectShape('attn.mat_qkv.weight', [3 * width, width]);
  block.expectShape('attn.scale_mul_1H11', [1, heads, 1, 1]);
  return block;
}
