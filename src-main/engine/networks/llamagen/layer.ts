import type { GraphBuilder, Value } from '#engine/graph/builder.js';
import { withPast } from '../kv-rows.js';
import type { Module } from '../module.js';
import { exactAttention, flatten, linear, rmsNorm, rotary, silu } from '../nn.js';

// B batch rows · L tokens at hand · P cached tokens before them · C width · c head width

const EPS = 1e-5;

export interface LlamaSizes {
  readonly width: number;
  readonly heads: number;
  /** Whether the runner's fused attention operator is exact. */
  readonly fusedAttention: boolean;
}

/** What all layers of a graph share. */
export interface LlamaSetting extends LlamaSizes {
  readonly graph: GraphBuilder;
  readonly bias: Value;
  readonly angles: { readonly cos: Value; readonly sin: Value };
}

/** The mask `bias` `[1, 1, L, P + L]` and the angles `cos`, `sin` `[L, c/2]` as inputs of a graph. */
export function llamaSetting(graph: GraphBuilder, sizes: LlamaSizes): LlamaSetting {
  const pairs = sizes.width / sizes.heads / 2;
  return {
    ...sizes,
    graph,
    bias: graph.input('bias', [1, 1, 'L', 'T']),
    angles: { cos: graph.input('cos', ['L', pairs]), sin: graph.input('sin', ['L', pairs]) },
  };
}

/** LLaMA's layer: RMS norms, rotary positions, SwiGLU, no biases. `[B, L, C]` → `[B, L, C]`; reads and gives rows of keys and values by `index`. */
export function llamaLayer(setting: LlamaSetting, { module, index }: { module: Module; index: number }, x: Value): Value {
  const { graph, width } = setting;
  const seen = graph.op('Add', [x, selfAttention(setting, { module: module.at('attention'), index }, normed(module, 'attention_norm', x))]);
  const rows = flatten(graph, normed(module, 'ffn_norm', seen), width);
  return graph.op('Add', [seen, likeTokens(graph, feedForward(module.at('feed_forward'), rows), seen)]);
}

export function normed(module: Module, name: string, x: Value): Value {
  return rmsNorm(module.at(name), x, EPS);
}

function feedForward(module: Module, rows: Value): Value {
  const gate = silu(module.graph, linear(module.at('w1'), rows));
  return linear(module.at('w2'), module.graph.op('Mul', [gate, linear(module.at('w3'), rows)]));
}

function selfAttention(setting: LlamaSetting, { module, index }: { module: Module; index: number }, x: Value): Value {
  const { graph, angles, bias, width, heads, fusedAttention } = setting;
  const headWidth = width / heads;
  const rows = linear(module.at('wqkv'), flatten(graph, x, width));
  const parts = graph.ops('Split', [rows], { attributes: { axis: 1, num_outputs: 3 }, outputs: 3 });
  const [q = '', k = '', v = ''] = parts.map((part) => likeTokens(graph, part, x));
  const scaled = graph.op('Mul', [rotary(graph, q, angles), graph.scalar(1 / Math.sqrt(headWidth))]);
  const inputs = {
    q: scaled,
    k: withPast(graph, rotary(graph, k, angles), { name: `k_${index}`, width }),
    v: withPast(graph, v, { name: `v_${index}`, width }),
    bias,
  };
  const mixed = exactAttention(graph, inputs, { fused: fusedAttention, count: heads, width: headWidth });
  return likeTokens(graph, linear(module.at('wo'), flatten(graph, mixed, width)), x);
}

/** Flat rows in the shape of `tokens` `[B, L, C]`. */
function likeTokens(graph: GraphBuilder, rows: Value, tokens: Value): Value {
  return graph.op('Reshape', [rows, graph.op('Shape', [tokens])]);
}
