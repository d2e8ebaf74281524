import type { GraphBuilder, Value } from '#engine/graph/builder.js';

/** 0..1 → −1..1 */
export function fromUnitRange(graph: GraphBuilder, picture: Value): Value {
  return graph.op('Sub', [graph.op('Mul', [picture, graph.scalar(2)]), graph.scalar(1)]);
}

/** −1..1 → 0..1, cut to that range. */
export function toUnitRange(graph: GraphBuilder, picture: Value): Value {
  const half = graph.scalar(0.5);
  const shifted = graph.op('Add', [graph.op('Mul', [picture, half]), half]);
  return graph.op('Clip', [shifted, graph.scalar(0), graph.scalar(1)]);
}
