import { cellCount } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import type { BlockSizes } from '../adaptive-block.js';
import { NORM_EPS, positionsPerScale, varBlock, type ClassSizes } from '../var/architecture.js';

export interface HmarSizes extends ClassSizes {
  /** Blocks at the end that exist twice: for the next scale and for masked tokens. */
  readonly tail: number;
  /** Tokens of every scale that its masked passes draw anew, pass by pass. */
  readonly passes: readonly (readonly number[])[];
}

/** What a pass is for: all tokens of the next scale, or some of a scale that is drawn already. */
export const PASSES = ['ns', 'mask'] as const;
export type Pass = (typeof PASSES)[number];

export interface HmarArchitecture {
  readonly config: HmarSizes;
  readonly weights: Weights;
  readonly base: readonly Weights[];
  readonly tails: Readonly<Record<Pass, readonly Weights[]>>;
  /** What is added to the tokens of every scale, `[l, C]`. */
  readonly positions: readonly FloatTensor[];
  readonly sizes: BlockSizes;
}

/**
 * Checks a checkpoint against the card that came with it.
 *
 * @throws ExpectedError `weights.refused` where sizes disagree.
 */
export function describeHmar(weights: Weights, config: HmarSizes, { fusedAttention }: Pick<Runner, 'fusedAttention'>): HmarArchitecture {
  const { width, heads, depth, tail, codeWidth, entries, classes, scales } = config;
  const tokens = scales.reduce((sum, grid) => sum + cellCount(grid), 0);
  weights.expectShape('pos_1LC', [1, tokens, width]);
  weights.expectShape('lvl_embed.weight', [scales.length, width]);
  weights.expectShape('pos_start', [1, 1, width]);
  weights.expectShape('class_emb.weight', [classes + 1, width]);
  weights.expectShape('word_embed.weight', [width, codeWidth]);
  weights.expectShape('word_embed_bias', [width]);
  weights.expectShape('mask_embed.weight', [1, width]);
  for (const pass of PASSES) weights.expectShape(`${pass}_head.weight`, [entries, width]);
  const blocksOf = (name: string, count: number) => blocksIn(weights.at(name), count, { width, heads });
  return {
    config,
    weights,
    base: blocksOf('base_blocks', depth - tail),
    tails: { ns: blocksOf('ns_blocks', tail), mask: blocksOf('mask_blocks', tail) },
    positions: positionsPerScale(weights, config),
    sizes: { width, heads, headWidth: width / heads, normEps: NORM_EPS, fusedAttention },
  };
}

function blocksIn(parent: Weights, count: number, sizes: { width: number; heads: number }): readonly Weights[] {
  const found = parent.children().length;
  if (found !== count) throw new ExpectedError('weights.refused', `Expected ${count} transformer blocks but received ${found}.`);
  return Array.from({ length: count }, (_, index) => varBlock(parent.at(index), sizes));
}
