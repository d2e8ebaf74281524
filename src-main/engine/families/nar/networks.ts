import { ExpectedError } from '#contract/errors.js';
import type { Weights } from '#engine/weights/handle.js';
import { headsOf } from '../controlar/networks.js';
import type { Network } from '../network.js';
import { inOrder } from '../tensors.js';

// C width · V codes

/** A LlamaGen transformer with a second head, for what lies below. */
export interface NarShape {
  readonly family: 'nar';
  /** All layers; the last one belongs to the second head. */
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  readonly entries: number;
  readonly textTokens: number;
  readonly textWidth: number;
}

export const narTransformer: Network<NarShape> = { name: 'nar', fits: (weights) => weights.has('medusa_output'), read };

function read(weights: Weights): NarShape {
  if (weights.has('cls_embedding.embedding_table')) {
    throw new ExpectedError('weights.refused', 'This is a NAR model of named classes; this version runs those that read words.');
  }
  const layers = inOrder(weights.at('layers'));
  if (layers.length < 2)
    throw new ExpectedError('weights.refused', `Expected at least 2 transformer layers but received ${layers.length}.`);
  const [entries = 0, width = 0] = weights.shape('tok_embeddings.weight'); // [V, C]
  const [textTokens = 0, textWidth = 0] = weights.shape('cls_embedding.uncond_embedding');
  for (const head of ['output', 'medusa_output']) weights.expectShape(`${head}.weight`, [entries, width]);
  for (const norm of ['norm', 'medusa_norm']) weights.expectShape(`${norm}.weight`, [width]);
  weights.expectShape('cls_embedding.cap_proj.fc1.weight', [width, textWidth]);
  for (const layer of layers) {
    layer.expectShape('attention.wqkv.weight', [3 * width, width]);
    layer.expectShape('attention.wo.weight', [width, width]);
    const [hidden = 0] = layer.shape('feed_forward.w1.weight');
    layer.expectShape('feed_forward.w2.weight', [width, hidden]);
  }
  return { family: 'nar', depth: layers.length, width, heads: headsOf(width), entries, textTokens, textWidth };
}
