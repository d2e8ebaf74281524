import type { RegionGraph } from './region-graph.js';

// s superpixels

/** What a step to a neighbour costs beside the edge that it crosses, in units of Lab. */
const STEP = 0.5;

export function neighbour({ from, to }: RegionGraph, edge: number, v: number): number {
  return from[edge] === v ? to[edge]! : from[edge]!;
}

/** Length of the way from one superpixel to every other that crosses the weakest edges, `[s]` (Dijkstra 1959). */
export function geodesicFrom(graph: RegionGraph, start: number): Float64Array {
  const distance = new Float64Array(graph.count).fill(Infinity);
  const heap = new Heap();
  distance[start] = 0;
  heap.push(0, start);
  for (let next = heap.pop(); next; next = heap.pop()) {
    const [reached, v] = next;
    if (reached > distance[v]!) continue;
    for (let k = graph.first[v]!; k < graph.first[v + 1]!; k++) {
      const edge = graph.edges[k]!;
      const to = neighbour(graph, edge, v);
      const way = reached + graph.contrast[edge]! + STEP;
      if (way >= distance[to]!) continue;
      distance[to] = way;
      heap.push(way, to);
    }
  }
  return distance;
}

class Heap {
  readonly #entries: (readonly [number, number])[] = [];

  push(key: number, value: number): void {
    const entries = this.#entries;
    let at = entries.push([key, value]) - 1;
    for (let above = (at - 1) >> 1; at > 0 && entries[above]![0] > key; above = (at - 1) >> 1) {
      entries[at] = entries[above]!;
      at = above;
    }
    entries[at] = [key, value];
  }

  pop(): readonly [number, number] | undefined {
    const entries = this.#entries;
    const [first, last] = [entries[0], entries.pop()];
    if (last === undefined || entries.length === 0) return first;
    let at = 0;
    for (let below = 1; below < entries.length; below = 2 * at + 1) {
      if (below + 1 < entries.length && entries[below + 1]![0] < entries[below]![0]) below++;
      if (last[0] <= entries[below]![0]) break;
      entries[at] = entries[below]!;
      at = below;
    }
    entries[at] = last;
    return first;
  }
}

/** The superpixels that are reached from `start` over those that `enter` takes; each is asked once at most. */
export function walk(graph: RegionGraph, start: number, enter: (v: number) => boolean): readonly number[] {
  const reached = [start];
  // It grows meanwhile.
  for (const v of reached) {
    for (let k = graph.first[v]!; k < graph.first[v + 1]!; k++) {
      const to = neighbour(graph, graph.edges[k]!, v);
      if (enter(to)) reached.push(to);
    }
  }
  return reached;
}

/** What hangs together of `inside` with `seed`, or the largest piece of it; without holes smaller than `hole` pixels. */
export function onePiece(graph: RegionGraph, inside: Uint8Array, { seed, hole }: { seed: number | undefined; hole: number }): Uint8Array {
  const piece = new Uint8Array(graph.count);
  const members = seed === undefined ? largest(graph, inside) : piecesOf(graph, inside, [seed])[0]!;
  for (const v of members) piece[v] = 1;
  const outside = piece.map((value) => 1 - value);
  for (const gap of piecesOf(graph, outside, outside.keys())) {
    if (gap.some((v) => graph.onBorder[v]! > 0) || sizeOf(graph, gap) >= hole) continue;
    for (const v of gap) piece[v] = 1;
  }
  return piece;
}

function piecesOf(graph: RegionGraph, inside: Uint8Array, starts: Iterable<number>): (readonly number[])[] {
  const open = inside.slice();
  const enter = (v: number): boolean => {
    const is = open[v] === 1;
    open[v] = 0;
    return is;
  };
  return Array.from(starts).flatMap((start) => (enter(start) ? [walk(graph, start, enter)] : []));
}

function largest(graph: RegionGraph, inside: Uint8Array): readonly number[] {
  const pieces = piecesOf(graph, inside, inside.keys());
  return pieces.reduce<readonly number[]>((most, piece) => (sizeOf(graph, piece) > sizeOf(graph, most) ? piece : most), []);
}

function sizeOf({ sizes }: RegionGraph, members: readonly number[]): number {
  return members.reduce((sum, v) => sum + sizes[v]!, 0);
}
