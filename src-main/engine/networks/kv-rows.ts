import type { GraphBuilder, Value } from '#engine/graph/builder.js';
import type { CacheType } from './kv-cache.js';

// B batch rows · L new tokens · P cached rows before them · C width

/** Cached rows come first, so that what is cached so far is the front of one array. `[B, L, C]` ↔ `[L, B, C]` */
export function rowsFirst(graph: GraphBuilder, value: Value): Value {
  return graph.op('Transpose', [value], { perm: [1, 0, 2] });
}

interface CachedRows {
  readonly name: string;
  readonly width: number;
  /** How the cache keeps them; absent = as they are computed. */
  readonly kept?: CacheType;
}

/**
 * Reads `past_<name>` `[P, B, C]`, gives the new rows out as `<name>` and returns past and new together: `[B, P + L, C]`.
 * New rows are seen unrounded by their own scale.
 */
export function withPast(graph: GraphBuilder, fresh: Value, { name, width, kept = 'float32' }: CachedRows): Value {
  const past = graph.input(`past_${name}`, ['P', 'B', width], kept);
  const rows = rowsFirst(graph, fresh);
  graph.output(name, graph.cast(rows, { from: 'float32', to: kept }), ['L', 'B', width]);
  return rowsFirst(graph, graph.op('Concat', [graph.cast(past, { from: kept, to: 'float32' }), rows], { axis: 0 }));
}
