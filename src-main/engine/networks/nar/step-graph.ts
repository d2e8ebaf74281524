import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { llamaLayer, llamaSetting, normed } from '../llamagen/layer.js';
import { Module } from '../module.js';
import { flatten, linear } from '../nn.js';
import type { NarArchitecture } from './architecture.js';

// B batch rows · L tokens at hand · P cached tokens before them · C width · c head width · V codebook entries

/**
 * Tokens through the transformer: `x` `[B, L, C]`, the angles `cos`, `sin` `[L, c/2]`, the mask `bias` `[1, 1, L, P + L]`
 * and per layer the cached `past_k_i`, `past_v_i` `[P, B, C]` → of every token the logits of its neighbours `right` and
 * `below` `[B, L, V]`, and the new rows `k_i`, `v_i` `[L, B, C]`. What lies below is read behind one extra layer.
 */
export function stepGraph(architecture: NarArchitecture): GraphModel {
  const { config, weights, layers, width } = architecture;
  const graph = new GraphBuilder('nar-step');
  const setting = llamaSetting(graph, architecture);
  const root = new Module(graph, weights);
  let x = graph.input('x', ['B', 'L', width]);
  const shape = graph.op('Shape', [x]);
  const logits = (norm: string, head: string): Value => {
    const rows = linear(root.at(head), flatten(graph, normed(root, norm, x), width));
    const sides = graph.op('Concat', [graph.op('Slice', [shape, graph.integers([0]), graph.integers([2])]), graph.integers([-1])], {
      axis: 0,
    });
    return graph.op('Reshape', [rows, sides]);
  };
  layers.forEach((layer, index) => {
    if (index === layers.length - 1) graph.output('right', logits('norm', 'output'), ['B', 'L', config.entries]);
    x = llamaLayer(setting, { module: new Module(graph, layer), index }, x);
  });
  graph.output('below', logits('medusa_norm', 'medusa_output'), ['B', 'L', config.entries]);
  return graph.finish();
}
