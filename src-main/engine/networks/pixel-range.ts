import type { GraphBuilder, Value } from '#engine/graph/builder.js';

/** 0..1 → −1..1 */
export function fromUnitRange(graph: GraphBuilder, picture: Value): Value {
  return graph.op('Sub', [graph.op('Mul', [picture, graph.scalar(2)]), graph.scalar(1)]);
}

/** −1..1 → 0..1, cut to that range. What is infinite becomes NaN instead of black or white, so that it can be seen. */
export function toUnitRange(graph: GraphBuilder, picture: Value): Value {
  const half = graph.scalar(0.5);
  const shifted = graph.op('Add', [graph.op('Mul', [picture, half]), half]);
  const seen = graph.op('Add', [shifted, graph.op('Mul', [shifted, graph.scalar(0)])]);
  return graph.op('Clip', [seen, graph.scalar(0), graph.scalar(1)]);
}
