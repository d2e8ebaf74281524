import { ExpectedError } from '#contract/errors.js';

import type { Checkpoint } from './checkpoint.js';
import { Weights } from './handle.js';

// C width · H heads · D bits per token · K scales

/** A network and the sizes that its tensors give away. */
export type ModelShape =
  | BitwiseShape<'infinity'>
  | BitwiseShape<'bitwise-tokenizer'>
  | VarShape
  | VectorTokenizerShape<'vector-tokenizer'>
  | VectorTokenizerShape<'raster-tokenizer'>
  | ControlArShape
  | TextEncoderShape;

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

/** VAR's tokenizer, or LlamaGen's. */
export interface VectorTokenizerShape<F extends 'vector-tokenizer' | 'raster-tokenizer'> {
  readonly family: F;
  /** Resolution levels: a token stands for 2^(depth − 1) pixels per side. */
  readonly depth: number;
  readonly width: number;
  readonly codeWidth: number;
  readonly entries: number;
}

/** T5's encoder, or the part of it that lies in one of several files: no layer at all in the last of T5's own. */
export interface TextEncoderShape {
  readonly family: 't5-encoder';
  readonly depth: number;
  readonly width: number;
}

export type Recognition = { readonly model: ModelShape } | { readonly model: null; readonly reason: string };

/** Families that people will try, by a tensor that only they have, and what they lack. */
const STRANGERS: readonly (readonly [has: string, lacks: string, reason: string])[] = [
  ['cls_embedding.uncond_embedding', 'adapter_mlp', 'This is a LlamaGen model without control, which this version cannot run.'],
  ['adapter_mlp', 'adapter.model', 'This is a ControlAR model without its control encoder.'],
];

/**
 * Tells the network from names and shapes: the transformers of Infinity/VAREdit, VAR and ControlAR, and their tokenizers.
 * The file's name and metadata have no say.
 */
export function recognise(checkpoint: Checkpoint): Recognition {
  const weights = Weights.of(checkpoint);
  const stranger = STRANGERS.find(([has, lacks]) => weights.has(has) && !weights.has(lacks));
  if (stranger) return { model: null, reason: stranger[2] };
  try {
    const family = FAMILIES.find(([isIt]) => isIt(weights));
    if (family) return { model: family[1](weights) };
  } catch (error) {
    if (error instanceof ExpectedError) return { model: null, reason: error.message };
    throw error;
  }
  return {
    model: null,
    reason: 'Expected the tensors of an Infinity/VAREdit, VAR or ControlAR transformer or its tokenizer but received other names.',
  };
}

/** How each family is told from the others, and read; the first that fits counts. */
const FAMILIES: readonly (readonly [isIt: (weights: Weights) => boolean, read: (weights: Weights) => ModelShape])[] = [
  [isTextEncoder, textEncoder],
  [(weights) => weights.at('blocks', 0).has('attn'), classConditional],
  [(weights) => weights.has('adapter_mlp'), controlAr],
  [(weights) => weights.at('encoder').has('conv_blocks'), rasterTokenizer],
  [(weights) => weights.has('quantize.embedding'), vectorTokenizer],
  [(weights) => weights.has('word_embed') && hasBlocks(weights), infinity],
  [(weights) => weights.has('encoder.conv_in') && weights.has('decoder.conv_out'), tokenizer],
];

function hasBlocks(weights: Weights): boolean {
  return weights.has('block_chunks') || weights.at('blocks', 0).has('sa');
}

/**
 * The transformer's blocks in running order: `block_chunks.{i}.module.{j}`, or `blocks.{i}` where the
 * model was trained in one piece.
 */
function transformerBlocks(weights: Weights): Weights[] {
  if (!weights.has('block_chunks')) return inOrder(weights.at('blocks'));
  return inOrder(weights.at('block_chunks')).flatMap((chunk) => inOrder(chunk.at('module')));
}

/** The numbered children. Children that are numbered with a gap start over at the gap: its first tensor is then missing. */
function inOrder(parent: Weights): Weights[] {
  return parent.children().map((_, index) => parent.at(index));
}

function infinity(weights: Weights): BitwiseShape<'infinity'> {
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

function classConditional(weights: Weights): VarShape {
  const blocks = inOrder(weights.at('blocks'));
  const [width = 0, codeWidth = 0] = weights.shape('word_embed.weight'); // [C, d]
  const [entries = 0] = weights.shape('head.weight'); // [V, C]
  const [rows = 0] = weights.shape('class_emb.weight'); // [classes + 1, C]
  const [levels = 0] = weights.shape('lvl_embed.weight'); // [K, C]
  const positions = weights.shape('pos_1LC')[1] ?? 0; // [1, L, C]
  const heads = blocks[0]?.at('attn').shape('scale_mul_1H11')[1] ?? 0; // [1, H, 1, 1]
  weights.expectShape('pos_start', [1, 1, width]);
  weights.expectShape('head_nm.ada_lin.1.weight', [2 * width, width]);
  for (const block of blocks) assertVarBlock(block, width, heads);
  return { family: 'var', depth: blocks.length, width, heads, codeWidth, entries, classes: rows - 1, levels, positions };
}

function assertVarBlock(block: Weights, width: number, heads: number): void {
  block.expectShape('attn.mat_qkv.weight', [3 * width, width]);
  block.expectShape('attn.scale_mul_1H11', [1, heads, 1, 1]);
  const [hidden = 0] = block.shape('ffn.fc1.weight');
  block.expectShape('ffn.fc2.weight', [width, hidden]);
  if (block.has('ada_gss')) block.expectShape('ada_gss', [1, 1, 6, width]);
  else block.expectShape('ada_lin.1.weight', [6 * width, width]);
}

function isTextEncoder(weights: Weights): boolean {
  const blocks = weights.at('encoder', 'block');
  const [first] = blocks.children();
  return (first !== undefined && blocks.at(first, 'layer', 0).has('SelfAttention')) || isTextDecoder(weights);
}

/** Where T5 lies in several files, the last holds nothing but a part of its decoder. */
function isTextDecoder(weights: Weights): boolean {
  const blocks = weights.at('decoder', 'block');
  const [first] = blocks.children();
  return first !== undefined && blocks.at(first, 'layer', 0).has('SelfAttention');
}

function textEncoder(weights: Weights): TextEncoderShape {
  const encoder = weights.at('encoder', 'block').children();
  const blocks = weights.at(encoder.length > 0 ? 'encoder' : 'decoder', 'block');
  const width = blocks.at(blocks.children()[0] ?? 0, 'layer', 0).shape('SelfAttention.q.weight')[1] ?? 0;
  return { family: 't5-encoder', depth: encoder.length, width };
}

function vectorTokenizer(weights: Weights): VectorTokenizerShape<'vector-tokenizer'> {
  const [entries = 0, codeWidth = 0] = weights.shape('quantize.embedding.weight'); // [V, d]
  weights.expectShape('post_quant_conv.weight', [codeWidth, codeWidth, 3, 3]);
  weights.expectShape('quantize.quant_resi.qresi_ls.0.weight', [codeWidth, codeWidth, 3, 3]);
  const [width = 0] = kernel(weights.at('encoder', 'conv_in'));
  return { family: 'vector-tokenizer', depth: weights.at('encoder', 'down').children().length, width, codeWidth, entries };
}

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

function rasterTokenizer(weights: Weights): VectorTokenizerShape<'raster-tokenizer'> {
  const [entries = 0, codeWidth = 0] = weights.shape('quantize.embedding.weight'); // [V, d]
  const [width = 0] = weights.shape('encoder.conv_in.weight');
  const depth = weights.at('encoder', 'conv_blocks').children().length;
  return { family: 'raster-tokenizer', depth, width, codeWidth, entries };
}

function kernel(convolution: Weights): readonly number[] {
  return convolution.shape(kernelName(convolution));
}

/** Published tokenizers exist with and without a `.conv.` in the names. */
function kernelName(convolution: Weights): string {
  return convolution.has('conv') ? 'conv.weight' : 'weight';
}
