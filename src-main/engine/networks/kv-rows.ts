import type { Grid } from '#base/geometry.js';
import type { GraphBuilder, Value } from '#engine/graph/builder.js';

// B batch rows · L new tokens · P cached rows before them · C width

export const KINDS = ['k', 'v'] as const;

/** How keys and values are kept between scales. */
export type CacheType = 'float32' | 'float16';

/** The parts in which a device holds the past, in order; none = the CPU holds it in one piece. */
export type PastParts = readonly string[];

/** The part that VAREdit's source makes. */
export const SOURCE = 'source';

/** The part that a scale makes. */
export function partOf(scale: number): string {
  return `s${scale}`;
}

/** Of what the last scale makes nobody reads anything. */
export function pastParts(scales: readonly Grid[], { readsSource }: { readsSource: boolean }): PastParts {
  const targets = scales.slice(0, -1).map((_, scale) => partOf(scale));
  return readsSource ? [SOURCE, ...targets] : targets;
}

/** Cached rows come first, so that what is cached so far is the front of one array. `[B, L, C]` ↔ `[L, B, C]` */
export function rowsFirst(graph: GraphBuilder, value: Value): Value {
  return graph.op('Transpose', [value], { perm: [1, 0, 2] });
}

interface CachedRows {
  readonly name: string;
  readonly width: number;
  /** How the cache keeps them; absent = as they are computed. */
  readonly kept?: CacheType;
  readonly parts?: PastParts;
}

/**
 * Reads `past_<name>` `[P, B, C]`, gives the new rows out as `<name>` and returns past and new together: `[B, P + L, C]`.
 * New rows are seen unrounded by their own scale. Where the past comes in parts, each is an input `past_<name>_<part>`, and
 * the new rows stay on the device.
 */
export function withPast(graph: GraphBuilder, fresh: Value, rows: CachedRows): Value {
  const { name, width, kept = 'float32', parts = [] } = rows;
  const added = rowsFirst(graph, fresh);
  const given = graph.cast(added, { from: 'float32', to: kept });
  if (parts.length === 0) {
    const past = graph.input(`past_${name}`, ['P', 'B', width], kept);
    graph.output(name, given, ['L', 'B', width]);
    return rowsFirst(graph, joined(graph, [past], { added, kept }));
  }
  const past = parts.map((part) => graph.input(`past_${name}_${part}`, [`P ${part}`, 'B', width], kept));
  graph.deviceOutput(name, given, ['L', 'B', width]);
  return rowsFirst(graph, joined(graph, past, { added, kept }));
}

/**
 * WebGPU joins as many tensors at once as its shaders may bind, at least seven, and fails where all of those are empty
 * (ONNX Runtime 1.30), as the parts of later scales are: so each of its steps takes along what is joined already.
 */
const MOST_JOINED = 6;

function joined(graph: GraphBuilder, past: readonly Value[], { added, kept }: { added: Value; kept: CacheType }): Value {
  const exact = past.map((part) => graph.cast(part, { from: kept, to: 'float32' }));
  let all = added;
  for (let end = exact.length; end > 0; end -= MOST_JOINED)
    all = graph.op('Concat', [...exact.slice(Math.max(0, end - MOST_JOINED), end), all], { axis: 0 });
  return all;
}
