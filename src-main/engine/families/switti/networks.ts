import { ExpectedError } from '#contract/errors.js';
import type { Weights } from '#engine/weights/handle.js';
import type { Network, Stranger } from '../network.js';
import { affine, dense, expectLayout, matrices, scaling } from '../layout.js';
import { inOrder } from '../tensors.js';

// C width · d channels of a code · V codes · K scales · W width of the text, P of what stands for it as a whole

/** A next-scale transformer that draws from words. */
export interface SwittiShape {
  readonly family: 'switti';
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  readonly codeWidth: number;
  readonly entries: number;
  readonly levels: number;
  /** Tokens of all levels, where the file still has the buffer that tells; else 0. */
  readonly positions: number;
  readonly textWidth: number;
  readonly pooledWidth: number;
}

export const swittiTransformer: Network<SwittiShape> = {
  name: 'switti',
  fits: (weights) => weights.has('text_pooler') && weights.at('blocks', 0, 'attn').has('to_qkv'),
  read: transformer,
};

/** One of its text encoders, or the whole CLIP that it is a part of, in the layout of Hugging Face's transformers. */
export interface ClipTextShape {
  readonly family: 'clip-text-encoder';
  readonly depth: number;
  readonly width: number;
  readonly words: number;
  readonly places: number;
}

export const clipTextEncoder: Network<ClipTextShape> = {
  name: 'clip-text-encoder',
  fits: (weights) => weights.at('text_model', 'encoder').has('layers'),
  read: textEncoder,
};

export const STRANGERS: readonly Stranger[] = [
  {
    has: 'transformer.resblocks',
    reason: "This is a CLIP in OpenCLIP's own layout; take the file of the same model in the layout of transformers (text_model.…).",
  },
];

function transformer(weights: Weights): SwittiShape {
  if (weights.has('pos_1LC')) {
    throw new ExpectedError(
      'weights.refused',
      'This is a Switti model that adds its positions to the tokens; this version runs those that turn them.',
    );
  }
  const shape = sizesOf(weights);
  const { width, depth, heads, textWidth } = shape;
  assertOutside(weights, shape);
  for (const block of inOrder(weights.at('blocks'))) assertBlock(block, { width, textWidth, isCropped: weights.has('crop_proj') });
  if (width % heads !== 0) throw new ExpectedError('weights.refused', `Expected a width of ${depth} heads but received ${width}.`);
  return shape;
}

function sizesOf(weights: Weights): SwittiShape {
  const [width = 0, codeWidth = 0] = weights.shape('word_embed.weight'); // [C, d]
  const [entries = 0] = weights.shape('head.weight'); // [V, C]
  const [levels = 0] = weights.shape('lvl_embed.weight'); // [K, C]
  const [, pooledWidth = 0] = weights.shape('text_pooler.weight'); // [C, P]
  const [textWidth = 0] = weights.shape('blocks.0.attention_y_norm.weight'); // [W]
  const depth = weights.at('blocks').children().length;
  const positions = weights.has('lvl_1L') ? weights.shape('lvl_1L').at(-1) : undefined; // [1, L]
  // As many heads as blocks, in all published sizes; no tensor tells.
  return { family: 'switti', depth, width, heads: depth, codeWidth, entries, levels, positions: positions ?? 0, textWidth, pooledWidth };
}

function assertOutside(weights: Weights, { width, codeWidth, entries, levels, pooledWidth }: SwittiShape): void {
  expectLayout(weights, {
    ...{ pos_start: [1, 1, width], 'lvl_embed.weight': [levels, width] },
    ...dense({ word_embed: [width, codeWidth], text_pooler: [width, pooledWidth] }),
    ...dense({ 'head_nm.ada_lin.1': [2 * width, width], head: [entries, width] }),
  });
  if (!weights.has('crop_proj') && !weights.has('crop_embed')) return;
  expectLayout(weights, { 'crop_embed.weight': [width / 8], ...dense({ crop_proj: [width, width] }) });
}

interface BlockWidths {
  readonly width: number;
  readonly textWidth: number;
  readonly isCropped: boolean;
}

const NORMS = ['self_attention', 'cross_attention', 'ffn'].flatMap((part) => [`${part}_norm1`, `${part}_norm2`]);

function assertBlock(block: Weights, { width, textWidth, isCropped }: BlockWidths): void {
  const [hidden = 0] = block.shape('ffn.gate_proj.weight');
  expectLayout(block, {
    ...dense({ 'attn.to_qkv': [3 * width, width], 'attn.proj': [width, width], 'ada_lin.1': [6 * width, width] }),
    ...dense({ 'cross_attn.to_q': [width, width], 'cross_attn.to_kv': [2 * width, textWidth], 'cross_attn.proj': [width, width] }),
    ...matrices({ 'ffn.gate_proj': [hidden, width], 'ffn.up_proj': [hidden, width], 'ffn.down_proj': [width, hidden] }),
    ...scaling(width, ...NORMS),
    ...scaling(textWidth, 'attention_y_norm'),
    ...(isCropped && { crop_cond_scales: [1, width] }),
  });
}

function textEncoder(weights: Weights): ClipTextShape {
  const model = weights.at('text_model');
  const layers = inOrder(model.at('encoder', 'layers'));
  const [words = 0, width = 0] = model.shape('embeddings.token_embedding.weight'); // [words, C]
  const [places = 0] = model.shape('embeddings.position_embedding.weight'); // [places, C]
  expectLayout(model, {
    ...{ 'embeddings.token_embedding.weight': [words, width], 'embeddings.position_embedding.weight': [places, width] },
    ...affine(width, 'final_layer_norm'),
  });
  for (const layer of layers) {
    const [hidden = 0] = layer.shape('mlp.fc1.weight');
    expectLayout(layer, {
      ...dense(Object.fromEntries(['q', 'k', 'v', 'out'].map((part) => [`self_attn.${part}_proj`, [width, width]]))),
      ...dense({ 'mlp.fc1': [hidden, width], 'mlp.fc2': [width, hidden] }),
      ...affine(width, 'layer_norm1', 'layer_norm2'),
    });
  }
  return { family: 'clip-text-encoder', depth: layers.length, width, words, places };
}
