import type { Weights } from '#engine/weights/handle.js';
import type { VectorTokenizerShape } from '../codes.js';
import type { Network } from '../network.js';
import { inOrder, kernel } from '../tensors.js';

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
  return weights.at('blocks', 0, 'attn').has('mat_qkv');
}

/** FlexVAR's positions are a map, `[1, C, N, N]`; VAR's a list, `[1, L, C]`. */
export function hasMapOfPositions(weights: Weights): boolean {
  return weights.has('pos_1LC') && weights.shape('pos_1LC').length === 4;
}

/** LlamaGen's has a codebook of the same name. */
export const vectorTokenizer: Network<VectorTokenizerShape<'vector-tokenizer'>> = {
  name: 'vector-tokenizer',
  fits: (weights) => weights.has('quantize.embedding') && !weights.at('encoder').has('conv_blocks'),
  read: readTokenizer,
};

function classConditional(weights: Weights): VarShape {
  const shape = blocksAndEmbeddings(weights);
  const [levels = 0] = weights.shape('lvl_embed.weight'); // [K, C]
  const positions = weights.shape('pos_1LC')[1] ?? 0; // [1, L, C]
  return { family: 'var', ...shape, levels, positions };
}

/** What VAR and FlexVAR have in common. */
export function blocksAndEmbeddings(weights: Weights): Omit<VarShape, 'family' | 'levels' | 'positions'> {
  const blocks = inOrder(weights.at('blocks'));
  const [width = 0, codeWidth = 0] = weights.shape('word_embed.weight'); // [C, d]
  const [entries = 0] = weights.shape('head.weight'); // [V, C]
  const [rows = 0] = weights.shape('class_emb.weight'); // [classes + 1, C]
  const heads = blocks[0]?.at('attn').shape('scale_mul_1H11')[1] ?? 0; // [1, H, 1, 1]
  weights.expectShape('pos_start', [1, 1, width]);
  weights.expectShape('head_nm.ada_lin.1.weight', [2 * width, width]);
  for (const block of blocks) assertVarBlock(block, width, heads);
  return { depth: blocks.length, width, heads, codeWidth, entries, classes: rows - 1 };
}

/** Throws what is missing or misshapen in one of VAR's blocks. */
export function assertVarBlock(block: Weights, width: number, heads: number): void {
  block.expectShape('attn.mat_qkv.weight', [3 * width, width]);
  block.expectShape('attn.scale_mul_1H11', [1, heads, 1, 1]);
  const [hidden = 0] = block.shape('ffn.fc1.weight');
  block.expectShape('ffn.fc2.weight', [width, hidden]);
  if (block.has('ada_gss')) block.expectShape('ada_gss', [1, 1, 6, width]);
  else block.expectShape('ada_lin.1.weight', [6 * width, width]);
}

function readTokenizer(weights: Weights): VectorTokenizerShape<'vector-tokenizer'> {
  const [entries = 0, codeWidth = 0] = weights.shape('quantize.embedding.weight'); // [V, d]
  weights.expectShape('post_quant_conv.weight', [codeWidth, codeWidth, 3, 3]);
  weights.expectShape('quantize.quant_resi.qresi_ls.0.weight', [codeWidth, codeWidth, 3, 3]);
  const [width = 0] = kernel(weights.at('encoder', 'conv_in'));
  return { family: 'vector-tokenizer', depth: weights.at('encoder', 'down').children().length, width, codeWidth, entries };
}
