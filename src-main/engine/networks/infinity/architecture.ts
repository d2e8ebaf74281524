import { at } from '#base/assert.js';
import { cellCount, type Grid } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { TransformerConfig } from '#contract/pack-card.js';
import type { Weights } from '#engine/weights/handle.js';
import type { Runner } from '#engine/tensor/runner.js';
import { cacheTypes } from '../kv-cache.js';
import { pastParts, type CacheType, type PastParts } from '../kv-rows.js';

/** The sizes of one transformer, and where its blocks lie in the checkpoint. */
export interface Architecture {
  readonly config: TransformerConfig;
  readonly weights: Weights;
  readonly blocks: readonly Weights[];
  /** How every layer's keys and values are kept. */
  readonly cacheTypes: readonly CacheType[];
  /** The parts in which a device holds them; none = the CPU holds them. */
  readonly pastParts: PastParts;
  readonly headWidth: number;
  /** Whether the runner's fused attention operator is exact. */
  readonly fusedAttention: boolean;
  readonly finest: Grid;
  /** n, as many as the finest scale has. */
  readonly sourceTokens: number;
  /** P: tokenizer cells that make a token. */
  readonly cellsPerToken: number;
}

/**
 * Checks a checkpoint against the card that came with it.
 *
 * @throws ExpectedError `weights.refused` where sizes disagree.
 */
export function describe(
  weights: Weights,
  config: TransformerConfig,
  { fusedAttention, device }: Pick<Runner, 'fusedAttention' | 'device'> = { fusedAttention: true },
): Architecture {
  const readsSource = config.source !== false;
  const { width, heads, depth, tokenBits, scales } = config;
  const blocks = blocksOf(weights);
  if (blocks.length !== depth) {
    throw new ExpectedError('weights.refused', `Expected ${depth} transformer blocks but received ${blocks.length}.`);
  }
  if (width % heads !== 0 || (width / heads) % 4 !== 0) {
    throw new ExpectedError('weights.refused', `Expected a head width divisible by 4 but received ${width / heads}.`);
  }
  weights.expectShape('word_embed.weight', [width, tokenBits]);
  weights.expectShape('head.weight', [2 * tokenBits, width]);
  for (const block of blocks) block.expectShape('sa.mat_qkv.weight', [3 * width, width]);
  const [levels = 0] = weights.shape('lvl_embed.weight');
  if (levels < scales.length) {
    throw new ExpectedError('weights.refused', `Expected level embeddings for ${scales.length} scales but received ${levels}.`);
  }
  return {
    config,
    weights,
    blocks,
    cacheTypes: cacheTypes(
      blocks.map((block) => block.at('sa')),
      { readsSource, device },
    ),
    pastParts: device ? pastParts(scales, { readsSource }) : [],
    fusedAttention,
    headWidth: width / heads,
    ...finestOf(scales),
    cellsPerToken: config.patchify ** 2,
  };
}

/** The same weights on other token grids, as many of them. */
export function withGrids(architecture: Architecture, { scales, rotary }: Pick<TransformerConfig, 'scales' | 'rotary'>): Architecture {
  return { ...architecture, config: { ...architecture.config, scales, rotary }, ...finestOf(scales) };
}

function finestOf(scales: readonly Grid[]): Pick<Architecture, 'finest' | 'sourceTokens'> {
  const finest = at(scales, scales.length - 1);
  return { finest, sourceTokens: cellCount(finest) };
}

/** The blocks in order, out of the chunks they are published in; models that were trained in one piece have none. */
function blocksOf(weights: Weights): Weights[] {
  if (!weights.has('block_chunks')) return weights.at('blocks').children().map((index) => weights.at('blocks', index)); // prettier-ignore
  const chunks = weights.at('block_chunks');
  return chunks.children().flatMap((chunk) => {
    const modules = chunks.at(chunk, 'module');
    return modules.children().map((index) => modules.at(index));
  });
}
