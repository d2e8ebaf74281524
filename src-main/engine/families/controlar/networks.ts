import type { Weights } from '#engine/weights/handle.js';
import type { VectorTokenizerShape } from '../codes.js';
import type { Network, Stranger } from '../network.js';
import { inOrder } from '../tensors.js';

// C width · V codes · n tokens of a picture

/** A LlamaGen transformer with ControlAR's control. */
export interface ControlArShape {
  readonly family: 'controlar';
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  readonly entries: number;
  /** Tokens of the picture that it was trained for. */
  readonly imageTokens: number;
  readonly textTokens: number;
  readonly textWidth: number;
}

export const controlArTransformer: Network<ControlArShape> = {
  name: 'controlar',
  fits: (weights) => weights.has('adapter_mlp'),
  read: controlAr,
};

export const rasterTokenizer: Network<VectorTokenizerShape<'raster-tokenizer'>> = {
  name: 'raster-tokenizer',
  fits: (weights) => weights.at('encoder').has('conv_blocks'),
  read: readTokenizer,
};

export const STRANGERS: readonly Stranger[] = [
  {
    has: 'cls_embedding.uncond_embedding',
    lacks: 'adapter_mlp',
    reason: 'This is a LlamaGen model without control, which this version cannot run.',
  },
  { has: 'adapter_mlp', lacks: 'adapter.model', reason: 'This is a ControlAR model without its control encoder.' },
];

/** Heads are 64 wide in all published sizes but the largest (3200 in 32). */
const HEAD_WIDTH = 64;
const LARGEST = { width: 3200, heads: 32 };

function controlAr(weights: Weights): ControlArShape {
  const layers = inOrder(weights.at('layers'));
  const [entries = 0, width = 0] = weights.shape('tok_embeddings.weight'); // [V, C]
  const [textTokens = 0, textWidth = 0] = weights.shape('cls_embedding.uncond_embedding');
  const [imageTokens = 0] = weights.shape('condition_mlp.uncond_embedding'); // [n, C]
  weights.expectShape('output.weight', [entries, width]);
  weights.expectShape('condition_layers.2.fc2.weight', [width, width]);
  for (const layer of layers) layer.expectShape('attention.wqkv.weight', [3 * width, width]);
  const heads = width === LARGEST.width ? LARGEST.heads : width / HEAD_WIDTH;
  return { family: 'controlar', depth: layers.length, width, heads, entries, imageTokens, textTokens, textWidth };
}

function readTokenizer(weights: Weights): VectorTokenizerShape<'raster-tokenizer'> {
  const [entries = 0, codeWidth = 0] = weights.shape('quantize.embedding.weight'); // [V, d]
  const [width = 0] = weights.shape('encoder.conv_in.weight');
  const depth = weights.at('encoder', 'conv_blocks').children().length;
  return { family: 'raster-tokenizer', depth, width, codeWidth, entries };
}
