import { ExpectedError } from '#contract/errors.js';
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
    reason: 'This is a LlamaGen model without control, which this version cannot run.',
  },
];

/** Heads are 64 wide in all published sizes but the largest (3200 in 32). */
const HEAD_WIDTH = 64;
const LARGEST = { width: 3200, heads: 32 };

/** Of a LlamaGen transformer; no tensor tells. */
export function headsOf(width: number): number {
  if (width === LARGEST.width) return LARGEST.heads;
  return width / (width % HEAD_WIDTH === 0 ? HEAD_WIDTH : HEAD_WIDTH / 2);
}

function controlAr(weights: Weights): ControlArShape {
  if (!weights.has('adapter.model')) {
    throw new ExpectedError('weights.refused', 'This is a ControlAR model without its control encoder.');
  }
  const layers = inOrder(weights.at('layers'));
  const [entries = 0, width = 0] = weights.shape('tok_embeddings.weight'); // [V, C]
  const [textTokens = 0, textWidth = 0] = weights.shape('cls_embedding.uncond_embedding');
  const [imageTokens = 0] = weights.shape('condition_mlp.uncond_embedding'); // [n, C]
  weights.expectShape('output.weight', [entries, width]);
  weights.expectShape('condition_layers.2.fc2.weight', [width, width]);
  for (const layer of layers) layer.expectShape('attention.wqkv.weight', [3 * width, width]);
  return { family: 'controlar', depth: layers.length, width, heads: headsOf(width), entries, imageTokens, textTokens, textWidth };
}

function readTokenizer(weights: Weights): VectorTokenizerShape<'raster-tokenizer'> {
  const [entries = 0, codeWidth = 0] = weights.shape('quantize.embedding.weight'); // [V, d]
  const [width = 0] = weights.shape('encoder.conv_in.weight');
  const depth = weights.at('encoder', 'conv_blocks').children().length;
  return { family: 'raster-tokenizer', depth, width, codeWidth, entries };
}
