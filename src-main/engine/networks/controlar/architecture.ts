import { ExpectedError } from '#contract/errors.js';
import type { ControlArConfig } from '#contract/pack-card.js';
import type { Weights } from '#engine/weights/handle.js';

/** The sizes of one transformer, and where its layers lie in the checkpoint. */
export interface ControlArArchitecture {
  readonly config: ControlArConfig;
  readonly weights: Weights;
  readonly layers: readonly Weights[];
  readonly headWidth: number;
  /** The layers before which control is added, in order; each has a perceptron of its own. */
  readonly controlled: readonly number[];
  /** Whether the runner's fused attention operator is exact. */
  readonly fusedAttention: boolean;
}

const FUSIONS = 3;

/**
 * Checks a checkpoint against the card that came with it.
 *
 * @throws ExpectedError `weights.refused` where sizes disagree.
 */
export function describeControlAr(weights: Weights, config: ControlArConfig, fusedAttention: boolean): ControlArArchitecture {
  const { width, heads, depth, entries, text } = config;
  const layers = weights.at('layers');
  const found = layers.children().length;
  if (found !== depth) throw new ExpectedError('weights.refused', `Expected ${depth} transformer layers but received ${found}.`);
  if (width % heads !== 0 || (width / heads) % 4 !== 0) {
    throw new ExpectedError('weights.refused', `Expected a head width divisible by 4 but received ${width / heads}.`);
  }
  weights.expectShape('tok_embeddings.weight', [entries, width]);
  weights.expectShape('output.weight', [entries, width]);
  weights.expectShape('cls_embedding.uncond_embedding', [text.maxTokens, text.width]);
  const interval = Math.floor(depth / FUSIONS);
  return {
    config,
    weights,
    layers: Array.from({ length: depth }, (_, index) => layerOf(layers.at(index), width)),
    headWidth: width / heads,
    controlled: Array.from({ length: FUSIONS }, (_, fusion) => fusion * interval),
    fusedAttention,
  };
}

function layerOf(layer: Weights, width: number): Weights {
  layer.expectShape('attention.wqkv.weight', [3 * width, width]);
  layer.expectShape('attention.wo.weight', [width, width]);
  return layer;
}
