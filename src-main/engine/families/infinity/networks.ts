import type { Weights } from '#engine/weights/handle.js';
import type { Network } from '../network.js';
import { inOrder, kernel, kernelName } from '../tensors.js';

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
  fits: (weights) => weights.has('encoder.conv_in') && weights.has('decoder.conv_out') && !weights.has('quantize.embedding'),
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
  weights.expectShape('word_embed.weight', [width, tokenBits]);
  weights.expectShape('head.weight', [2 * tokenBits, width]);
  weights.expectShape('pos_start', [1, 1, width]);
  weights.expectShape('shared_ada_lin.1.weight', [6 * width, width]);
  weights.expectShape('head_nm.ada_lin.1.weight', [2 * width, width]);
  for (const block of blocks) assertBlock(block, width, heads);
  return { family: 'infinity', depth: blocks.length, width, heads, tokenBits };
}

function assertBlock(block: Weights, width: number, heads: number): void {
  block.expectShape('ada_gss', [1, 1, 6, width]);
  block.expectShape('sa.scale_mul_1H11', [1, heads, 1, 1]);
  block.expectShape('sa.mat_qkv.weight', [3 * width, width]);
  block.expectShape('ca.mat_kv.weight', [2 * width, width]);
  const [hidden = 0] = block.shape('ffn.fc1.weight');
  block.expectShape('ffn.fc1.weight', [hidden, width]);
  block.expectShape('ffn.fc2.weight', [width, hidden]);
}

function tokenizer(weights: Weights): BitwiseShape<'bitwise-tokenizer'> {
  const [width = 0] = kernel(weights.at('encoder', 'conv_in')); // [c, 3, 3, 3]
  const [tokenBits = 0] = kernel(weights.at('encoder', 'conv_out')); // [D, C, 3, 3]
  const input = weights.at('decoder', 'conv_in');
  const [top = 0] = kernel(input);
  input.expectShape(kernelName(input), [top, tokenBits, 3, 3]);
  return { family: 'bitwise-tokenizer', depth: weights.at('encoder', 'down').children().length, width, heads: 0, tokenBits };
}
