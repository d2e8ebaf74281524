import { expect, it } from 'vitest';
import { cheapestCut, type CutGraph } from '#engine/image/compositing/objects/max-flow.js';

/** Park and Miller's minimal standard: the same graphs every time. */
function draws(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

function randomGraph(next: () => number, count: number): CutGraph {
  const pairs = Array.from({ length: count * count }, (_, k) => [Math.trunc(k / count), k % count] as const);
  const edges = pairs.filter(([a, b]) => a < b && next() < 0.4);
  return {
    count,
    from: Int32Array.from(edges, ([a]) => a),
    to: Int32Array.from(edges, ([, b]) => b),
    cost: Float32Array.from(edges, () => Math.round(next() * 20) / 4),
    pull: Float32Array.from({ length: count }, () => Math.round((next() - 0.5) * 40) / 4),
  };
}

function costOf({ from, to, cost, pull }: CutGraph, inside: (v: number) => boolean): number {
  const cut = cost.reduce((sum, value, e) => (inside(from[e]!) === inside(to[e]!) ? sum : sum + value), 0);
  return pull.reduce((sum, value, v) => (value > 0 === inside(v) ? sum : sum + Math.abs(value)), cut);
}

it('cuts as cheaply as the best of all cuts', () => {
  const next = draws(7);
  for (let round = 0; round < 120; round++) {
    const graph = randomGraph(next, 7);
    const all = Array.from({ length: 2 ** graph.count }, (_, cut) => costOf(graph, (v) => ((cut >> v) & 1) === 1));
    const found = cheapestCut(graph);
    expect(costOf(graph, (v) => found[v] === 1)).toBeCloseTo(Math.min(...all), 6);
  }
});

it('leaves outside what nothing holds inside', () => {
  const none = { from: new Int32Array(), to: new Int32Array(), cost: new Float32Array() };
  expect([...cheapestCut({ count: 3, ...none, pull: Float32Array.of(1, 0, -1) })]).toEqual([1, 0, 0]);
});
