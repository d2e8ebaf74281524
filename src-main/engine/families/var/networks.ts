import { ExpectedError } from '#contract/errors.js';
import type { Weights } from '#engine/weights/handle.js';
import type { VectorTokenizerShape } from '../codes.js';
import type { Network } from '../network.js';
import { dense, expectLayout, type Layout } from '../layout.js';
import { hasCodebook, inOrder, kernel } from '../tensors.js';
import { expectVqgan } from '../vqgan-layout.js';

// C width · H heads · d channels of a code · V codes · K scales · L tokens of all scales

/** A class-conditional VAR transformer. */
export interface VarShape {
  readonly family: 'var';
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
  /** Channels of a codebook entry, and how many entries there are. */
  readonly codeWidth: number;
  readonly entries: number;
  readonly classes: number;
  readonly levels: number;
  /** Tokens of all levels. */
  readonly positions: number;
}

export const varTransformer: Network<VarShape> = {
  name: 'var',
  fits: (weights) => isClassConditional(weights) && !hasMapOfPositions(weights),
  read: classConditional,
};

/** VAR's blocks by their names; others' blocks have an `attn` of another make. */
export function isClassConditional(weights: Weights): boolean {
  return ['mat_qkv', 'scale_mul_1H11'].some((name) => weights.at('blocks', 0, 'attn').has(name));
}

/** FlexVAR's positions are a map, `[1, C, N, N]`; VAR's a list, `[1, L, C]`, beside its levels. */
export function hasMapOfPositions(weights: Weights): boolean {
  return weights.has('pos_1LC') ? weights.shape('pos_1LC').length === 4 : !weights.has('lvl_embed');
}

/** LlamaGen's has a codebook of the same name. */
export const vectorTokenizer: Network<VectorTokenizerShape<'vector-tokenizer'>> = {
  name: 'vector-tokenizer',
  fits: (weights) => hasCodebook(weights) && !weights.at('encoder').has('conv_blocks'),
  read: readTokenizer,
};

function classConditional(weights: Weights): VarShape {
  const shape = blocksAndEmbeddings(weights);
  const [levels = 0] = weights.shape('lvl_embed.weight'); // [K, C]
  const positions = weights.shape('pos_1LC')[1] ?? 0; // [1, L, C]
  expectLayout(weights, { 'lvl_embed.weight': [levels, shape.width], pos_1LC: [1, positions, shape.width] });
  return { family: 'var', ...shape, levels, positions };
}

/** What VAR and FlexVAR have in common. */
export function blocksAndEmbeddings(weights: Weights): Omit<VarShape, 'family' | 'levels' | 'positions'> {
  const blocks = inOrder(weights.at('blocks'));
  const [width = 0, codeWidth = 0] = weights.shape('word_embed.weight'); // [C, d]
  const [entries = 0] = weights.shape('head.weight'); // [V, C]
  const [rows = 0] = weights.shape('class_emb.weight'); // [classes + 1, C]
  const heads = blocks[0]?.at('attn').shape('scale_mul_1H11')[1] ?? 0; // [1, H, 1, 1]
  expectLayout(weights, {
    ...{ pos_start: [1, 1, width], 'class_emb.weight': [rows, width] },
    ...dense({ word_embed: [width, codeWidth], 'head_nm.ada_lin.1': [2 * width, width], head: [entries, width] }),
  });
  const isShared = weights.has('shared_ada_lin');
  if (isShared) expectLayout(weights, dense({ 'shared_ada_lin.1': [6 * width, width] }));
  for (const block of blocks) assertVarBlock(block, { width, heads, isShared });
  return { depth: blocks.length, width, heads, codeWidth, entries, classes: rows - 1 };
}

interface BlockSizes {
  readonly width: number;
  readonly heads: number;
  /** Whether all blocks share the layer that adapts them. */
  readonly isShared?: boolean;
}

/** Throws what is missing or misshapen in one of VAR's blocks. */
export function assertVarBlock(block: Weights, { width, heads, isShared = false }: BlockSizes): void {
  const adaptive: Layout = isShared ? { ada_gss: [1, 1, 6, width] } : dense({ 'ada_lin.1': [6 * width, width] });
  expectLayout(block, { ...adaptive, ...blockLayout(block, { width, heads, attention: 'attn' }) });
}

/** Cosine attention and feed-forward of VAR's and Infinity's blocks. */
export function blockLayout(
  block: Weights,
  { width, heads, attention }: { width: number; heads: number; attention: 'attn' | 'sa' },
): Layout {
  expectHeads(block.at(attention), { width, heads });
  const [hidden = 0] = block.shape('ffn.fc1.weight');
  return {
    [`${attention}.mat_qkv.weight`]: [3 * width, width],
    [`${attention}.q_bias`]: [width],
    [`${attention}.v_bias`]: [width],
    ...dense({ [`${attention}.proj`]: [width, width], 'ffn.fc1': [hidden, width], 'ffn.fc2': [width, hidden] }),
  };
}

function expectHeads(attention: Weights, { width, heads }: { width: number; heads: number }): void {
  attention.expectShape('scale_mul_1H11', [1, heads, 1, 1]);
  if (width % heads === 0) return;
  const name = attention.fullName('scale_mul_1H11');
  throw new ExpectedError('weights.refused', `Expected heads that divide a width of ${width} for "${name}" but received ${heads}.`);
}

function readTokenizer(weights: Weights): VectorTokenizerShape<'vector-tokenizer'> {
  const [entries = 0, codeWidth = 0] = weights.shape('quantize.embedding.weight'); // [V, d]
  for (const filter of inOrder(weights.at('quantize', 'quant_resi', 'qresi_ls'))) {
    expectLayout(filter, { weight: [codeWidth, codeWidth, 3, 3], bias: [codeWidth] });
  }
  for (const name of ['quant_conv', 'post_quant_conv']) weights.expectShape(`${name}.weight`, [codeWidth, codeWidth, 3, 3]);
  expectVqgan(weights, codeWidth);
  const [width = 0] = kernel(weights.at('encoder', 'conv_in'));
  return { family: 'vector-tokenizer', depth: weights.at('encoder', 'down').children().length, width, codeWidth, entries };
}
