import { GraphBuilder } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { llamaLayer, llamaSetting, normed } from '../llamagen/layer.js';
import { Module } from '../module.js';
import { flatten, linear } from '../nn.js';
import type { ControlArArchitecture } from './architecture.js';

// B batch rows · L tokens at hand · P cached tokens before them · C width · c head width · V codebook entries

/**
 * Tokens through the transformer: `x` `[B, L, C]`, `control_i` `[B, L, C]`, the angles `cos`, `sin` `[L, c/2]`, the
 * mask `bias` `[1, 1, L, P + L]` and per layer the cached `past_k_i`, `past_v_i` `[P, B, C]` → the last token's
 * `logits` `[B, 1, V]` and the new rows `k_i`, `v_i` `[L, B, C]`.
 */
export function stepGraph(architecture: ControlArArchitecture): GraphModel {
  const { config, weights, layers, controlled, fusedAttention } = architecture;
  const { width, heads, entries } = config;
  const graph = new GraphBuilder('controlar-step');
  let x = graph.input('x', ['B', 'L', width]);
  const setting = llamaSetting(graph, { width, heads, fusedAttention });
  layers.forEach((layerWeights, index) => {
    const fusion = controlled.indexOf(index);
    if (fusion >= 0) x = graph.op('Add', [x, graph.input(`control_${fusion}`, ['B', 'L', width])]);
    x = llamaLayer(setting, { module: new Module(graph, layerWeights), index }, x);
  });
  const root = new Module(graph, weights);
  const last = graph.op('Gather', [x, graph.integers([-1])], { axis: 1 }); // (B, 1, C)
  const rows = linear(root.at('output'), flatten(graph, normed(root, 'norm', last), width));
  graph.output('logits', graph.op('Reshape', [rows, graph.integers([-1, 1, entries])]), ['B', 1, entries]);
  return graph.finish();
}
