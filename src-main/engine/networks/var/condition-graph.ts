import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { Module } from '../module.js';
import { linear, silu } from '../nn.js';
import type { VarArchitecture } from './architecture.js';

// B rows: the class, then under guidance none · C width

/**
 * Everything that depends on the class alone, once per picture: `class` `[B]` → `cond` `[B, C]`, per layer the
 * adaptive parameters `ada_i` `[B, 6, C]`, and the head's, `head_ada` `[B, 2, C]`.
 */
export function conditionGraph({ config: { width }, weights, blocks }: VarArchitecture): GraphModel {
  const graph = new GraphBuilder('var-condition');
  const root = new Module(graph, weights);
  const cond = graph.op('Gather', [root.parameter('class_emb.weight'), graph.input('class', ['B'], 'int64')], { axis: 0 });
  const activated = silu(graph, cond);
  // The 512-pixel model shares one layer among its blocks and gives each an offset.
  const shared = root.has('shared_ada_lin') ? parameters(root.at('shared_ada_lin', 1), activated, { count: 6, width }) : undefined;
  blocks.forEach((weightsOfBlock, layer) => {
    const block = new Module(graph, weightsOfBlock);
    const own = shared
      ? graph.op('Add', [shared, block.parameter('ada_gss', [1, 6, width])])
      : parameters(block.at('ada_lin', 1), activated, { count: 6, width });
    graph.output(`ada_${layer}`, own, ['B', 6, width]);
  });
  graph.output('head_ada', parameters(root.at('head_nm', 'ada_lin', 1), activated, { count: 2, width }), ['B', 2, width]);
  graph.output('cond', cond, ['B', width]);
  return graph.finish();
}

/** `[B, count, C]` of the activated class `[B, C]`. */
export function parameters(layer: Module, activated: Value, { count, width }: { count: number; width: number }): Value {
  return layer.graph.op('Reshape', [linear(layer, activated), layer.graph.integers([-1, count, width])]);
}
