import type { Weights } from '#engine/weights/handle.js';
import type { Network } from '../network.js';
import { dense, expectLayout } from '../layout.js';
import { inOrder } from '../tensors.js';
import { assertVarBlock } from '../var/networks.js';

// C width · d channels of a code · V codes · K scales · L tokens of all scales

/** VAR's blocks, the last of which exist twice: for the next scale and for masked tokens. */
export interface HmarShape {
  readonly family: 'hmar';
  /** Blocks of a pass. */
  readonly depth: number;
  /** How many of them exist twice. */
  readonly tail: number;
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

export const hmarTransformer: Network<HmarShape> = {
  name: 'hmar',
  fits: (weights) => weights.has('base_blocks') || weights.has('mask_blocks'),
  read,
};

function read(weights: Weights): HmarShape {
  const [width = 0, codeWidth = 0] = weights.shape('word_embed.weight'); // [C, d]
  const [rows = 0] = weights.shape('class_emb.weight'); // [classes + 1, C]
  const [levels = 0] = weights.shape('lvl_embed.weight'); // [K, C]
  const positions = weights.shape('pos_1LC')[1] ?? 0; // [1, L, C]
  const [entries = 0] = weights.shape('ns_head.weight'); // [V, C]
  const heads = weights.shape('base_blocks.0.attn.scale_mul_1H11')[1] ?? 0; // [1, H, 1, 1]
  expectLayout(weights, {
    ...{ pos_start: [1, 1, width], word_embed_bias: [width], 'mask_embed.weight': [1, width] },
    ...{ 'word_embed.weight': [width, codeWidth], 'class_emb.weight': [rows, width] },
    ...{ 'lvl_embed.weight': [levels, width], pos_1LC: [1, positions, width] },
  });
  const base = inOrder(weights.at('base_blocks'));
  const tail = inOrder(weights.at('ns_blocks')).length;
  const twice = Array.from({ length: tail }, (_, i) => ['ns_blocks', 'mask_blocks'].map((name) => weights.at(name, i))).flat();
  for (const block of [...base, ...twice]) assertVarBlock(block, { width, heads });
  for (const pass of ['ns', 'mask']) {
    expectLayout(weights, dense({ [`${pass}_head`]: [entries, width], [`${pass}_head_nm.ada_lin.1`]: [2 * width, width] }));
  }
  return { family: 'hmar', depth: base.length + tail, tail, width, heads, codeWidth, entries, classes: rows - 1, levels, positions };
}
