import type { GraphBuilder, Value } from '#engine/graph/builder.js';

// B batch rows · L new tokens · P cached rows before them · C width

/** Cached rows come first, so that what is cached so far is the front of one array. `[B, L, C]` ↔ `[L, B, C]` */
export function rowsFirst(graph: GraphBuilder, value: Value): Value {
  return graph.op('Transpose', [value], { perm: [1, 0, 2] });
}

/** Reads `past_<name>` `[P, B, C]`, gives the new rows out as `<name>` and returns past and new together: `[B, P + L, C]`. */
export function withPast(graph: GraphBuilder, fresh: Value, { name, width }: { name: string; width: number }): Value {
  const past = graph.input(`past_${name}`, ['P', 'B', width]);
  const rows = rowsFirst(graph, fresh);
  graph.output(name, rows, ['L', 'B', width]);
  return rowsFirst(graph, graph.op('Concat', [past, rows], { axis: 0 }));
}
