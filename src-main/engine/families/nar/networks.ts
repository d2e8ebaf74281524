import { ExpectedError } from '#contract/errors.js';
import type { Weights } from '#engine/weights/handle.js';
import { captionLayout, headsOf, llamaLayer } from '../controlar/networks.js';
import { expectLayout, matrices, scaling } from '../layout.js';
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

export const narTransformer: Network<NarShape> = {
  name: 'nar',
  fits: (weights) => weights.has('medusa_output') || weights.has('medusa_norm'),
  read,
};

function read(weights: Weights): NarShape {
  if (weights.has('cls_embedding.embedding_table')) {
    throw new ExpectedError('weights.refused', 'This is a NAR model of named classes; this version runs those that read words.');
  }
  const layers = inOrder(weights.at('layers'));
  if (layers.length < 2)
    throw new ExpectedError('weights.refused', `Expected at least 2 transformer layers but received ${layers.length}.`);
  const [entries = 0, width = 0] = weights.shape('tok_embeddings.weight'); // [V, C]
  const [textTokens = 0, textWidth = 0] = weights.shape('cls_embedding.uncond_embedding');
  expectLayout(weights, {
    ...captionLayout({ width, textTokens, textWidth }),
    ...matrices({ tok_embeddings: [entries, width], output: [entries, width], medusa_output: [entries, width] }),
    ...scaling(width, 'norm', 'medusa_norm'),
  });
  for (const layer of layers) expectLayout(layer, llamaLayer(layer, width));
  return { family: 'nar', depth: layers.length, width, heads: headsOf(width), entries, textTokens, textWidth };
}
