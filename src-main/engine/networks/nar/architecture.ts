import type { Grid } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { Weights } from '#engine/weights/handle.js';
import type { LlamaSizes } from '../llamagen/layer.js';

export interface NarSizes {
  /** All layers; the last one goes on to what lies below. */
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  readonly entries: number;
  readonly grid: Grid;
  readonly text: { readonly width: number; readonly maxTokens: number };
}

/** The sizes of one transformer, and where its layers lie in the checkpoint. */
export interface NarArchitecture extends LlamaSizes {
  readonly config: NarSizes;
  readonly weights: Weights;
  readonly layers: readonly Weights[];
}

/**
 * Checks a checkpoint against the card that came with it.
 *
 * @throws ExpectedError `weights.refused` where sizes disagree.
 */
export function describeNar(weights: Weights, config: NarSizes, fusedAttention: boolean): NarArchitecture {
  const { width, heads, depth, entries, text } = config;
  const layers = weights.at('layers');
  const found = layers.children().length;
  if (found !== depth || depth < 2)
    throw new ExpectedError('weights.refused', `Expected ${depth} transformer layers but received ${found}.`);
  if (width % heads !== 0 || (width / heads) % 4 !== 0) {
    throw new ExpectedError('weights.refused', `Expected a head width divisible by 4 but received ${width / heads}.`);
  }
  for (const name of ['tok_embeddings.weight', 'output.weight', 'medusa_output.weight']) weights.expectShape(name, [entries, width]);
  weights.expectShape('cls_embedding.uncond_embedding', [text.maxTokens, text.width]);
  return { config, weights, width, heads, fusedAttention, layers: Array.from({ length: depth }, (_, index) => layers.at(index)) };
}
