import type { Weights } from '#engine/weights/handle.js';
import type { Network } from '../network.js';
import { affine, dense, expectLayout, matrices, scaling } from '../layout.js';
import { hasCodebook, inOrder, kernel } from '../tensors.js';
import { blockLayout } from '../var/networks.js';
import { expectVqgan } from '../vqgan-layout.js';

// C width · H heads · D bits per token

/** What a kind does not have is 0. */
export interface BitwiseShape<F extends 'infinity' | 'bitwise-tokenizer'> {
  readonly family: F;
  /** Transformer layers (tokenizer: resolution levels). */
  readonly depth: number;
  /** Channels of a token inside (tokenizer: of its first convolution). */
  readonly width: number;
  readonly heads: number;
  /** Bits per token (tokenizer: latent channels, before any patchify). */
  readonly tokenBits: number;
}

export const infinityTransformer: Network<BitwiseShape<'infinity'>> = {
  name: 'infinity',
  fits: (weights) => weights.has('word_embed') && (weights.has('block_chunks') || weights.at('blocks', 0).has('sa')),
  read: transformer,
};

/** Tokenizers with a codebook are built alike. */
export const bitwiseTokenizer: Network<BitwiseShape<'bitwise-tokenizer'>> = {
  name: 'bitwise-tokenizer',
  fits: (weights) => weights.has('encoder.conv_in') && weights.has('decoder.conv_out') && !hasCodebook(weights),
  read: tokenizer,
};

/**
 * The transformer's blocks in running order: `block_chunks.{i}.module.{j}`, or `blocks.{i}` where the
 * model was trained in one piece.
 */
function transformerBlocks(weights: Weights): Weights[] {
  if (!weights.has('block_chunks')) return inOrder(weights.at('blocks'));
  return inOrder(weights.at('block_chunks')).flatMap((chunk) => inOrder(chunk.at('module')));
}

function transformer(weights: Weights): BitwiseShape<'infinity'> {
  const blocks = transformerBlocks(weights);
  const [width = 0, tokenBits = 0] = weights.shape('word_embed.weight'); // [C, D]
  const heads = blocks[0]?.at('sa').shape('scale_mul_1H11')[1] ?? 0; // [1, H, 1, 1]
  expectLayout(weights, {
    pos_start: [1, 1, width],
    ...dense({ word_embed: [width, tokenBits], head: [2 * tokenBits, width] }),
    ...dense({ 'shared_ada_lin.1': [6 * width, width], 'head_nm.ada_lin.1': [2 * width, width] }),
  });
  const [levels = 0] = weights.shape('lvl_embed.weight');
  weights.expectShape('lvl_embed.weight', [levels, width]);
  if (!weights.has('text_encoder')) expectText(weights, width);
  for (const block of blocks) assertBlock(block, width, heads);
  return { family: 'infinity', depth: blocks.length, width, heads, tokenBits };
}

/** What reads T5's hidden states; the built-in packs have an encoder of their own. */
function expectText(weights: Weights, width: number): void {
  const [length = 0, textWidth = 0] = weights.shape('cfg_uncond'); // [512, W]
  const [, heads = 0, headWidth = 0] = weights.shape('text_proj_for_sos.ca.mat_q'); // [1, H, c]
  expectLayout(weights, {
    ...{ cfg_uncond: [length, textWidth], ...scaling(textWidth, 'text_norm') },
    ...dense({ 'text_proj_for_ca.0': [width, textWidth], 'text_proj_for_ca.2': [width, width] }),
  });
  const pooled = heads * headWidth;
  expectLayout(weights.at('text_proj_for_sos', 'ca'), {
    ...{ mat_q: [1, heads, headWidth], v_bias: [pooled] },
    ...matrices({ mat_kv: [2 * pooled, textWidth] }),
    ...dense({ proj: [width, pooled] }),
  });
}

function assertBlock(block: Weights, width: number, heads: number): void {
  expectLayout(block, {
    ada_gss: [1, 1, 6, width],
    ...blockLayout(block, { width, heads, attention: 'sa' }),
    ...affine(width, 'ca_norm'),
    ...{ 'ca.mat_kv.weight': [2 * width, width], 'ca.v_bias': [width] },
    ...dense({ 'ca.mat_q': [width, width], 'ca.proj': [width, width] }),
  });
}

function tokenizer(weights: Weights): BitwiseShape<'bitwise-tokenizer'> {
  const [width = 0] = kernel(weights.at('encoder', 'conv_in')); // [c, 3, 3, 3]
  const [tokenBits = 0] = kernel(weights.at('encoder', 'conv_out')); // [D, C, 3, 3]
  expectVqgan(weights, tokenBits);
  return { family: 'bitwise-tokenizer', depth: weights.at('encoder', 'down').children().length, width, heads: 0, tokenBits };
}
