import { ExpectedError } from '#contract/errors.js';
import type { Weights } from '#engine/weights/handle.js';
import type { Network, Stranger } from '../network.js';
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

function assertOutside(weights: Weights, { width, entries, levels, pooledWidth }: SwittiShape): void {
  weights.expectShape('head.weight', [entries, width]);
  weights.expectShape('pos_start', [1, 1, width]);
  weights.expectShape('lvl_embed.weight', [levels, width]);
  weights.expectShape('text_pooler.weight', [width, pooledWidth]);
  weights.expectShape('head_nm.ada_lin.1.weight', [2 * width, width]);
  if (!weights.has('crop_proj') && !weights.has('crop_embed')) return;
  weights.expectShape('crop_embed.weight', [width / 8]);
  weights.expectShape('crop_proj.weight', [width, width]);
}

interface BlockWidths {
  readonly width: number;
  readonly textWidth: number;
  readonly isCropped: boolean;
}

const NORMS = ['self_attention', 'cross_attention', 'ffn'].flatMap((part) => [`${part}_norm1`, `${part}_norm2`]);

function assertBlock(block: Weights, { width, textWidth, isCropped }: BlockWidths): void {
  block.expectShape('attn.to_qkv.weight', [3 * width, width]);
  block.expectShape('attn.proj.weight', [width, width]);
  block.expectShape('cross_attn.to_q.weight', [width, width]);
  block.expectShape('cross_attn.to_kv.weight', [2 * width, textWidth]);
  block.expectShape('cross_attn.proj.weight', [width, width]);
  block.expectShape('attention_y_norm.weight', [textWidth]);
  block.expectShape('ada_lin.1.weight', [6 * width, width]);
  for (const norm of NORMS) block.expectShape(`${norm}.weight`, [width]);
  if (isCropped) block.expectShape('crop_cond_scales', [1, width]);
  const [hidden = 0] = block.shape('ffn.gate_proj.weight');
  block.expectShape('ffn.gate_proj.weight', [hidden, width]);
  block.expectShape('ffn.up_proj.weight', [hidden, width]);
  block.expectShape('ffn.down_proj.weight', [width, hidden]);
}

function textEncoder(weights: Weights): ClipTextShape {
  const model = weights.at('text_model');
  const layers = inOrder(model.at('encoder', 'layers'));
  const [words = 0, width = 0] = model.shape('embeddings.token_embedding.weight'); // [words, C]
  const [places = 0] = model.shape('embeddings.position_embedding.weight'); // [places, C]
  model.expectShape('embeddings.position_embedding.weight', [places, width]);
  model.expectShape('final_layer_norm.weight', [width]);
  for (const layer of layers) {
    for (const part of ['q', 'k', 'v', 'out']) layer.expectShape(`self_attn.${part}_proj.weight`, [width, width]);
    const [hidden = 0] = layer.shape('mlp.fc1.weight');
    layer.expectShape('mlp.fc1.weight', [hidden, width]);
    layer.expectShape('mlp.fc2.weight', [width, hidden]);
  }
  return { family: 'clip-text-encoder', depth: layers.length, width, words, places };
}
