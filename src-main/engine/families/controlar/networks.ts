import { ExpectedError } from '#contract/errors.js';
import type { Weights } from '#engine/weights/handle.js';
import type { VectorTokenizerShape } from '../codes.js';
import type { Network, Stranger } from '../network.js';
import { affine, dense, expectLayout, matrices, scaling, type Layout } from '../layout.js';
import { inOrder } from '../tensors.js';
import { expectVqgan } from '../vqgan-layout.js';

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
  const features = expectControlEncoder(weights.at('adapter', 'model'));
  expectLayout(weights, {
    ...captionLayout({ width, textTokens, textWidth }),
    ...matrices({ tok_embeddings: [entries, width], output: [entries, width] }),
    ...scaling(width, 'norm'),
    'condition_mlp.uncond_embedding': [imageTokens, width],
    ...squeezed('adapter_mlp', [width, features]),
    ...squeezed('condition_mlp.cap_proj', [width, width]),
  });
  for (const fusion of FUSIONS) expectLayout(weights, squeezed(`condition_layers.${fusion}`, [width, width]));
  for (const layer of layers) expectLayout(layer, llamaLayer(layer, width));
  return { family: 'controlar', depth: layers.length, width, heads: headsOf(width), entries, imageTokens, textTokens, textWidth };
}

/** Where control is added: before the first layer, after a third and after two thirds. */
const FUSIONS = [0, 1, 2];

/** Two linear layers without biases. */
function squeezed(name: string, [outputs, inputs]: readonly [number, number]): Layout {
  return matrices({ [`${name}.fc1`]: [outputs, inputs], [`${name}.fc2`]: [outputs, outputs] });
}

/** What reads the hidden states of words, and stands for none. */
export function captionLayout(sizes: Pick<ControlArShape, 'width' | 'textTokens' | 'textWidth'>): Layout {
  const { width, textTokens, textWidth } = sizes;
  return {
    'cls_embedding.uncond_embedding': [textTokens, textWidth],
    ...squeezed('cls_embedding.cap_proj', [width, textWidth]),
  };
}

/** LlamaGen's layer. */
export function llamaLayer(layer: Weights, width: number): Layout {
  const [hidden = 0] = layer.shape('feed_forward.w1.weight');
  return {
    ...matrices({ 'attention.wqkv': [3 * width, width], 'attention.wo': [width, width] }),
    ...matrices({ 'feed_forward.w1': [hidden, width], 'feed_forward.w3': [hidden, width], 'feed_forward.w2': [width, hidden] }),
    ...scaling(width, 'attention_norm', 'ffn_norm'),
  };
}

const PATCH = 14;

/** DINOv2, as Hugging Face names its parts. */
function expectControlEncoder(encoder: Weights): number {
  const [c = 0] = encoder.shape('embeddings.patch_embeddings.projection.weight'); // [c, 3, 14, 14]
  const [, places = 0] = encoder.shape('embeddings.position_embeddings'); // [1, places, c]
  expectLayout(encoder.at('embeddings'), {
    'patch_embeddings.projection.weight': [c, 3, PATCH, PATCH],
    'patch_embeddings.projection.bias': [c],
    cls_token: [1, 1, c],
    position_embeddings: [1, places, c],
  });
  for (const layer of inOrder(encoder.at('encoder', 'layer'))) {
    const [hidden = 0] = layer.shape('mlp.fc1.weight');
    const seeing = ['query', 'key', 'value'].map((name) => `attention.attention.${name}`);
    expectLayout(layer, {
      ...dense(Object.fromEntries([...seeing, 'attention.output.dense'].map((name) => [name, [c, c]]))),
      ...dense({ 'mlp.fc1': [hidden, c], 'mlp.fc2': [c, hidden] }),
      ...affine(c, 'norm1', 'norm2'),
      ...{ 'layer_scale1.lambda1': [c], 'layer_scale2.lambda1': [c] },
    });
  }
  expectLayout(encoder, affine(c, 'layernorm'));
  return c;
}

function readTokenizer(weights: Weights): VectorTokenizerShape<'raster-tokenizer'> {
  const [entries = 0, codeWidth = 0] = weights.shape('quantize.embedding.weight'); // [V, d]
  const [width = 0] = weights.shape('encoder.conv_in.weight');
  const depth = weights.at('encoder', 'conv_blocks').children().length;
  for (const name of ['quant_conv', 'post_quant_conv']) weights.shape(`${name}.weight`);
  expectVqgan(weights, codeWidth);
  return { family: 'raster-tokenizer', depth, width, codeWidth, entries };
}
