import type { GraphBuilder, Value } from '#engine/graph/builder.js';
import type { Weights } from '#engine/weights/handle.js';
import { Module } from './module.js';
import {
  biasedAttention,
  exactAttention,
  flatten,
  geluTanh,
  layerNorm,
  linear,
  linearWith,
  plainLayerNorm,
  rotary,
  unitVectors,
} from './nn.js';

// B batch rows · L tokens at hand · P cached tokens · T text rows · C width · H heads · c head width

const LOG_OF_100 = Math.log(100);

/** The sizes that a block needs to know of its network. */
export interface BlockSizes {
  readonly width: number; // C
  readonly heads: number;
  readonly headWidth: number;
  readonly normEps: number;
  /** Whether the runner's fused attention operator is exact. */
  readonly fusedAttention: boolean;
}

/** What all blocks of one graph share. */
export interface BlockSetting {
  readonly sizes: BlockSizes;
  readonly graph: GraphBuilder;
  /** Positions by rotation; absent where they are added to the tokens. */
  readonly rotary?: { readonly cos: Value; readonly sin: Value }; // (L, c/2)
  /** Additive mask of the text rows, `[B, 1, 1, T]`; absent where there is no cross-attention. */
  readonly textBias?: Value;
  /** B and L of the tokens at hand, as a list of two. */
  readonly batchAndLength: Value;
}

/** One block: its number, its weights, and what its family calls them. */
export interface BlockPlace {
  readonly index: number;
  readonly weights: Weights;
  /** The module of the self-attention: `sa` in Infinity, `attn` in VAR. */
  readonly attention: string;
  /** gamma1, gamma2, scale1, scale2, shift1, shift2: `[B, 6, C]`. */
  readonly adaptive: Value;
}

/** The six adaptive parameters of a block, `[B, 1, C]` each. */
export interface Modulation {
  readonly gamma1: Value;
  readonly gamma2: Value;
  readonly scale1: Value;
  readonly scale2: Value;
  readonly shift1: Value;
  readonly shift2: Value;
}

export interface Attended {
  readonly q: Value; // (B, L, C)
  readonly k: Value;
  readonly v: Value;
}

/**
 * A transformer block with adaptive layer norms and cosine attention: VAR's (Tian et al. 2024), and, with rotary
 * positions and cross-attention to the text, Infinity's (Han et al. 2024).
 */
export class AdaptiveBlock {
  readonly index: number;
  readonly #setting: BlockSetting;
  readonly #module: Module;
  readonly #attention: Module;
  readonly #modulation: Modulation;

  constructor(setting: BlockSetting, { index, weights, attention, adaptive }: BlockPlace) {
    this.index = index;
    this.#setting = setting;
    this.#module = new Module(setting.graph, weights);
    this.#attention = this.#module.at(attention);
    this.#modulation = modulationOf(setting.graph, adaptive);
  }

  /** Queries, keys and values of the tokens `x` `[B, L, C]`: cosine attention, turned by their positions. */
  attend(x: Value): Attended {
    const { graph } = this.#setting;
    const { scale1, shift1 } = this.#modulation;
    const normed = modulate(graph, this.#norm(x), { scale: scale1, shift: shift1 });
    const { width } = this.#setting.sizes;
    const qkv = linearWith(this.#attention, flatten(graph, normed, width), { weightName: 'mat_qkv.weight', bias: this.#qkvBias() });
    const [qk = '', v = ''] = graph.ops('Split', [qkv, graph.integers([2 * width, width])], { attributes: { axis: 1 }, outputs: 2 });
    const [q = '', k = ''] = graph.ops('Split', [this.#turned(qk)], { attributes: { axis: 2, num_outputs: 2 }, outputs: 2 });
    return { q, k, v: this.#tokens(v, width) };
  }

  /**
   * The rest of the block.
   *
   * @param attended queries of `x`, and all keys and values that they may see, `[B, P + L, C]`.
   */
  finish(x: Value, attended: Attended): Value {
    const { graph, sizes, textBias } = this.#setting;
    const { width, heads } = sizes;
    const mixed = exactAttention(graph, attended, { fused: sizes.fusedAttention, count: heads, width: sizes.headWidth });
    const seen = linear(this.#attention.at('proj'), flatten(graph, mixed, width));
    const first = this.#gated(x, seen, this.#modulation.gamma1);
    const second = textBias === undefined ? first : graph.op('Add', [first, this.#crossAttention(first, textBias)]);
    return this.#gated(second, this.#feedForward(second), this.#modulation.gamma2);
  }

  #norm(x: Value): Value {
    const { normEps: eps, width } = this.#setting.sizes;
    return plainLayerNorm(this.#setting.graph, x, { width, eps });
  }

  /** `[B·L, 2C]`, q then k → unit vectors, q times its heads' learned scale, turned: `[B, L, 2C]`. */
  #turned(qk: Value): Value {
    const { graph, sizes, rotary: angles } = this.#setting;
    const heads = graph.op('Reshape', [qk, graph.integers([-1, 2 * sizes.heads, sizes.headWidth])]);
    const scaled = graph.op('Mul', [unitVectors(graph, heads, sizes.headWidth), this.#headScale()]);
    const tokens = this.#tokens(scaled, 2 * sizes.width);
    return angles ? rotary(graph, tokens, angles) : tokens;
  }

  /** exp(min(scale_mul, ln 100)) for the heads of q, 1 for those of k. */
  #headScale(): Value {
    const { heads } = this.#setting.sizes;
    const scale = new Float32Array(2 * heads).fill(1);
    const learned = this.#attention.floats('scale_mul_1H11');
    learned.forEach((value, head) => (scale[head] = Math.exp(Math.min(value, LOG_OF_100))));
    return this.#attention.derived('scale', [2 * heads, 1], scale);
  }

  /** Keys have no bias: attention would not see it. */
  #qkvBias(): Value {
    const { width } = this.#setting.sizes;
    const bias = new Float32Array(3 * width);
    bias.set(this.#attention.floats('q_bias'), 0);
    bias.set(this.#attention.floats('v_bias'), 2 * width);
    return this.#attention.derived('qkv_bias', [3 * width], bias);
  }

  #crossAttention(x: Value, textBias: Value): Value {
    const { graph, sizes } = this.#setting;
    const { width, heads, headWidth, normEps: eps } = sizes;
    const normed = layerNorm(this.#module.at('ca_norm'), x, { width, eps });
    const rows = linear(this.#module.at('ca', 'mat_q'), flatten(graph, normed, width));
    const perHead = graph.op('Concat', [this.#setting.batchAndLength, graph.integers([heads, headWidth])], { axis: 0 });
    const q = graph.op('Transpose', [graph.op('Reshape', [rows, perHead])], { perm: [0, 2, 1, 3] }); // (B, H, L, c)
    const text = { q, kt: `text_k_${this.index}`, v: `text_v_${this.index}` };
    const seen = graph.op('Transpose', [biasedAttention(graph, text, textBias)], { perm: [0, 2, 1, 3] }); // (B, L, H, c)
    const out = this.#tokens(linear(this.#module.at('ca', 'proj'), flatten(graph, seen, width)), width);
    return this.#module.has('ca_gamma') ? graph.op('Mul', [out, this.#module.parameter('ca_gamma', [1, 1, width])]) : out;
  }

  #feedForward(x: Value): Value {
    const { graph } = this.#setting;
    const { scale2, shift2 } = this.#modulation;
    const normed = modulate(graph, this.#norm(x), { scale: scale2, shift: shift2 });
    const ffn = this.#module.at('ffn');
    return linear(ffn.at('fc2'), geluTanh(graph, linear(ffn.at('fc1'), flatten(graph, normed, this.#setting.sizes.width))));
  }

  /** x + gamma · update, the update in flat rows. */
  #gated(x: Value, update: Value, gamma: Value): Value {
    const { graph, sizes } = this.#setting;
    return graph.op('Add', [x, graph.op('Mul', [this.#tokens(update, sizes.width), gamma])]);
  }

  /** Flat rows → `[B, L, width]`. */
  #tokens(rows: Value, width: number): Value {
    const { graph, batchAndLength } = this.#setting;
    return graph.op('Reshape', [rows, graph.op('Concat', [batchAndLength, graph.integers([width])], { axis: 0 })]);
  }
}

export function modulationOf(graph: GraphBuilder, adaptive: Value): Modulation {
  const [gamma1 = '', gamma2 = '', scale1 = '', scale2 = '', shift1 = '', shift2 = ''] = graph.ops('Split', [adaptive], {
    attributes: { axis: 1, num_outputs: 6 },
    outputs: 6,
  });
  return { gamma1, gamma2, scale1, scale2, shift1, shift2 };
}

/** x · (1 + scale) + shift. */
export function modulate(graph: GraphBuilder, x: Value, { scale, shift }: { scale: Value; shift: Value }): Value {
  return graph.op('Add', [graph.op('Mul', [x, graph.op('Add', [scale, graph.scalar(1)])]), shift]);
}

/** Layer norm and modulation before the head: `head_ada` `[B, 2, C]` holds scale and shift. Gives flat rows `[B·L, C]`. */
export function headRows(graph: GraphBuilder, x: Value, { width, normEps: eps }: Pick<BlockSizes, 'width' | 'normEps'>): Value {
  const [scale = '', shift = ''] = graph.ops('Split', [graph.input('head_ada', ['B', 2, width])], {
    attributes: { axis: 1, num_outputs: 2 },
    outputs: 2,
  });
  return flatten(graph, modulate(graph, plainLayerNorm(graph, x, { width, eps }), { scale, shift }), width);
}

/** B and L of `x` `[B, L, C]`, as a list of two. */
export function batchAndLengthOf(graph: GraphBuilder, x: Value): Value {
  return graph.op('Shape', [x], { start: 0, end: 2 });
}
