import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { withPast } from '../kv-rows.js';
import { Module } from '../module.js';
import { exactAttention, flatten, linear, rmsNorm, rotary, silu } from '../nn.js';
import type { ControlArArchitecture } from './architecture.js';

// B batch rows · L tokens at hand · P cached tokens before them · C width · c head width · V codebook entries

const EPS = 1e-5;

/**
 * Tokens through the transformer: `x` `[B, L, C]`, `control_i` `[B, L, C]`, the angles `cos`, `sin` `[L, c/2]`, the
 * mask `bias` `[1, 1, L, P + L]` and per layer the cached `past_k_i`, `past_v_i` `[P, B, C]` → the last token's
 * `logits` `[B, 1, V]` and the new rows `k_i`, `v_i` `[L, B, C]`.
 */
export function stepGraph(architecture: ControlArArchitecture): GraphModel {
  const { config, weights, layers, headWidth, controlled } = architecture;
  const { width, entries } = config;
  const graph = new GraphBuilder('controlar-step');
  let x = graph.input('x', ['B', 'L', width]);
  const setting: Setting = {
    architecture,
    graph,
    bias: graph.input('bias', [1, 1, 'L', 'T']),
    angles: { cos: graph.input('cos', ['L', headWidth / 2]), sin: graph.input('sin', ['L', headWidth / 2]) },
  };
  layers.forEach((layerWeights, index) => {
    const fusion = controlled.indexOf(index);
    if (fusion >= 0) x = graph.op('Add', [x, graph.input(`control_${fusion}`, ['B', 'L', width])]);
    x = layer(setting, { module: new Module(graph, layerWeights), index }, x);
  });
  const root = new Module(graph, weights);
  const last = graph.op('Gather', [x, graph.integers([-1])], { axis: 1 }); // (B, 1, C)
  const rows = linear(root.at('output'), flatten(graph, rmsNorm(root.at('norm'), last, EPS), width));
  graph.output('logits', graph.op('Reshape', [rows, graph.integers([-1, 1, entries])]), ['B', 1, entries]);
  return graph.finish();
}

interface Setting {
  readonly architecture: ControlArArchitecture;
  readonly graph: GraphBuilder;
  readonly bias: Value;
  readonly angles: { readonly cos: Value; readonly sin: Value };
}

/** LLaMA's layer: RMS norms, rotary positions, SwiGLU, no biases. */
function layer(setting: Setting, { module, index }: { module: Module; index: number }, x: Value): Value {
  const { graph, architecture } = setting;
  const seen = graph.op('Add', [x, selfAttention(setting, { module: module.at('attention'), index }, normed(module, 'attention_norm', x))]);
  const rows = flatten(graph, normed(module, 'ffn_norm', seen), architecture.config.width);
  return graph.op('Add', [seen, likeTokens(graph, feedForward(module.at('feed_forward'), rows), seen)]);
}

function normed(module: Module, name: string, x: Value): Value {
  return rmsNorm(module.at(name), x, EPS);
}

function feedForward(module: Module, rows: Value): Value {
  const gate = silu(module.graph, linear(module.at('w1'), rows));
  return linear(module.at('w2'), module.graph.op('Mul', [gate, linear(module.at('w3'), rows)]));
}

function selfAttention(setting: Setting, { module, index }: { module: Module; index: number }, x: Value): Value {
  const { graph, architecture, angles, bias } = setting;
  const { headWidth, config, fusedAttention } = architecture;
  const { width, heads } = config;
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
