import type { GraphBuilder, Value } from '#engine/graph/builder.js';
import { Module } from '../module.js';
import {
  attention,
  attentionInSteps,
  biasedAttention,
  flatten,
  geluTanh,
  layerNorm,
  linear,
  linearWith,
  plainLayerNorm,
  rotary,
  unitVectors,
} from '../nn.js';
import type { Architecture } from './architecture.js';

// B batch rows · L tokens at hand · P cached tokens · T text rows · C width · H heads · c head width

const LOG_OF_100 = Math.log(100);

/** What all blocks of one graph share. */
export interface BlockSetting {
  readonly architecture: Architecture;
  readonly graph: GraphBuilder;
  readonly gss: Value; // (B, 6, C)
  readonly textBias: Value; // (B, 1, 1, T)
  readonly cos: Value; // (L, c/2)
  readonly sin: Value;
  /** B and L of the tokens at hand, as a list of two. */
  readonly batchAndLength: Value;
}

/** The six adaptive parameters of a block, `[B, 1, C]` each. */
interface Modulation {
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

/** One transformer block of Infinity (Han et al. 2024), as VAREdit uses it. */
export class Block {
  readonly index: number;
  readonly #setting: BlockSetting;
  readonly #module: Module;
  readonly #modulation: Modulation;

  constructor(setting: BlockSetting, index: number) {
    this.index = index;
    this.#setting = setting;
    this.#module = new Module(setting.graph, setting.architecture.blocks[index]!);
    this.#modulation = this.#adaptive();
  }

  /** Queries, keys and values of the tokens `x` `[B, L, C]`: cosine attention, turned by their positions. */
  attend(x: Value): Attended {
    const { graph } = this.#setting;
    const { scale1, shift1 } = this.#modulation;
    const normed = modulate(graph, this.#norm(x), { scale: scale1, shift: shift1 });
    const { width } = this.#setting.architecture.config;
    const qkv = linearWith(this.#module.at('sa'), flatten(graph, normed, width), { weightName: 'mat_qkv.weight', bias: this.#qkvBias() });
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
    const { graph, architecture } = this.#setting;
    const { width, heads } = architecture.config;
    const mixed = architecture.fusedAttention
      ? attention(graph, attended, heads)
      : attentionInSteps(graph, attended, { count: heads, width: architecture.headWidth });
    const seen = linear(this.#module.at('sa', 'proj'), flatten(graph, mixed, width));
    const first = this.#gated(x, seen, this.#modulation.gamma1);
    const second = graph.op('Add', [first, this.#crossAttention(first)]);
    return this.#gated(second, this.#feedForward(second), this.#modulation.gamma2);
  }

  #adaptive(): Modulation {
    const { graph, architecture, gss } = this.#setting;
    const own = this.#module.parameter('ada_gss', [1, 6, architecture.config.width]);
    const [gamma1 = '', gamma2 = '', scale1 = '', scale2 = '', shift1 = '', shift2 = ''] = graph.ops(
      'Split',
      [graph.op('Add', [gss, own])],
      { attributes: { axis: 1, num_outputs: 6 }, outputs: 6 },
    );
    return { gamma1, gamma2, scale1, scale2, shift1, shift2 };
  }

  #norm(x: Value): Value {
    const { normEps: eps, width } = this.#setting.architecture.config;
    return plainLayerNorm(this.#setting.graph, x, { width, eps });
  }

  /** `[B·L, 2C]`, q then k → unit vectors, q times its heads' learned scale, turned: `[B, L, 2C]`. */
  #turned(qk: Value): Value {
    const { graph, architecture, cos, sin } = this.#setting;
    const { headWidth, config } = architecture;
    const heads = graph.op('Reshape', [qk, graph.integers([-1, 2 * config.heads, headWidth])]);
    const scaled = graph.op('Mul', [unitVectors(graph, heads, headWidth), this.#headScale()]);
    return rotary(graph, this.#tokens(scaled, 2 * config.width), { cos, sin });
  }

  /** exp(min(scale_mul, ln 100)) for the heads of q, 1 for those of k. */
  #headScale(): Value {
    const { heads } = this.#setting.architecture.config;
    const scale = new Float32Array(2 * heads).fill(1);
    const learned = this.#module.floats('sa.scale_mul_1H11');
    learned.forEach((value, head) => (scale[head] = Math.exp(Math.min(value, LOG_OF_100))));
    return this.#module.derived('sa.scale', [2 * heads, 1], scale);
  }

  /** Keys have no bias: attention would not see it. */
  #qkvBias(): Value {
    const { width } = this.#setting.architecture.config;
    const bias = new Float32Array(3 * width);
    bias.set(this.#module.floats('sa.q_bias'), 0);
    bias.set(this.#module.floats('sa.v_bias'), 2 * width);
    return this.#module.derived('sa.qkv_bias', [3 * width], bias);
  }

  #crossAttention(x: Value): Value {
    const { graph, architecture, textBias } = this.#setting;
    const { width, heads, normEps: eps } = architecture.config;
    const normed = layerNorm(this.#module.at('ca_norm'), x, { width, eps });
    const rows = linear(this.#module.at('ca', 'mat_q'), flatten(graph, normed, width));
    const perHead = graph.op('Concat', [this.#setting.batchAndLength, graph.integers([heads, architecture.headWidth])], { axis: 0 });
    const q = graph.op('Transpose', [graph.op('Reshape', [rows, perHead])], { perm: [0, 2, 1, 3] }); // (B, H, L, c)
    const text = { q, kt: `text_k_${this.index}`, v: `text_v_${this.index}` };
    const seen = graph.op('Transpose', [biasedAttention(graph, text, textBias)], { perm: [0, 2, 1, 3] }); // (B, L, H, c)
    const out = this.#tokens(linear(this.#module.at('ca', 'proj'), flatten(graph, seen, width)), width);
    return this.#module.has('ca_gamma') ? graph.op('Mul', [out, this.#module.parameter('ca_gamma', [1, 1, width])]) : out;
  }

  #feedForward(x: Value): Value {
    const { graph, architecture } = this.#setting;
    const { scale2, shift2 } = this.#modulation;
    const normed = modulate(graph, this.#norm(x), { scale: scale2, shift: shift2 });
    const ffn = this.#module.at('ffn');
    return linear(ffn.at('fc2'), geluTanh(graph, linear(ffn.at('fc1'), flatten(graph, normed, architecture.config.width))));
  }

  /** x + gamma · update, the update in flat rows. */
  #gated(x: Value, update: Value, gamma: Value): Value {
    const { graph, architecture } = this.#setting;
    return graph.op('Add', [x, graph.op('Mul', [this.#tokens(update, architecture.config.width), gamma])]);
  }

  /** Flat rows → `[B, L, width]`. */
  #tokens(rows: Value, width: number): Value {
    const { graph, batchAndLength } = this.#setting;
    return graph.op('Reshape', [rows, graph.op('Concat', [batchAndLength, graph.integers([width])], { axis: 0 })]);
  }
}

/** x · (1 + scale) + shift. */
export function modulate(graph: GraphBuilder, x: Value, { scale, shift }: { scale: Value; shift: Value }): Value {
  return graph.op('Add', [graph.op('Mul', [x, graph.op('Add', [scale, graph.scalar(1)])]), shift]);
}

/** The inputs by which a graph with these layers learns what the text says. */
export function declareText(graph: GraphBuilder, layers: readonly number[], { config, headWidth }: Architecture): void {
  for (const layer of layers) {
    graph.input(`text_k_${layer}`, ['B', config.heads, headWidth, 'T']); // scaled by 1/√c
    graph.input(`text_v_${layer}`, ['B', config.heads, 'T', headWidth]);
  }
}

/** The inputs that all blocks of a graph share. */
export function declareSetting(graph: GraphBuilder, architecture: Architecture, x: Value): BlockSetting {
  const { width } = architecture.config;
  const pairs = architecture.headWidth / 2;
  return {
    architecture,
    graph,
    gss: graph.input('gss', ['B', 6, width]),
    textBias: graph.input('text_bias', ['B', 1, 1, 'T']),
    cos: graph.input('cos', ['L', pairs]),
    sin: graph.input('sin', ['L', pairs]),
    batchAndLength: graph.op('Shape', [x], { start: 0, end: 2 }),
  };
}
