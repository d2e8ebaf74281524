import { cheapestCut } from './max-flow.js';
import { RegionColours } from './region-colours.js';
import type { RegionGraph } from './region-graph.js';
import { geodesicFrom, onePiece } from './region-walk.js';

// s superpixels

/** Shares of the picture from which a guess starts, and how much more or less it takes in, in log-odds. */
const [SHARES, LEANINGS] = [
  [0.003, 0.01, 0.03, 0.1, 0.25],
  [-0.7, 0, 0.7],
];
/** Of a box, how much of it a guess starts from. */
const BOX_SHARES = [0.4, 0.7, 0.95];
const ROUNDS = 3;
/** The most that a pixel's colour says in log-odds, and what a boundary costs a pixel of its length where there is no edge. */
const [COLOURS_SAY, NEIGHBOURS_SAY] = [3, 8];
/** What nearness says: the most, the least, and at how many times the start's reach it turns. */
const [NEAR_SAYS, FAR_SAYS, TURNS] = [1, -2, 1.5];
/** What lies beside what was found before, in the units of a geodesic distance: as likely ground as object. */
const BESIDE = 1.5;
/** Objects seldom reach the border: what a pixel there says. */
const BORDER_SAYS = 10;
/** More than any cut costs. */
const SURELY = 1e6;
/** Holes smaller than this share of the picture are specks. */
const SPECK = 0.002;

/** Where the object is: around a superpixel, within those that are marked, or about where they are, `[s]`. */
export type Pointed = { readonly seed: number } | { readonly box: Uint8Array } | { readonly start: Uint8Array };

/** What an object may be. */
export interface Guess {
  /** 1 inside, `[s]`. */
  readonly inside: Uint8Array;
}

interface Start {
  readonly distance: Float64Array;
  readonly reach: number;
  readonly leaning: number;
}

/**
 * Objects that may be meant, nested more or less: from starts of several sizes, colours of inside and outside are learnt and the
 * cheapest cut is made in turns (GrabCut, Rother et al. 2004; hypotheses as in constrained parametric min-cuts, Carreira &
 * Sminchisescu 2010) on superpixels. Yields one guess at a time, none twice.
 */
export function* guesses(graph: RegionGraph, pointed: Pointed): Generator<Guess, void> {
  const work = { graph, pointed, colours: new RegionColours(graph), cost: boundaryCosts(graph) };
  const known = new Set<string>();
  for (const start of startsOf(graph, pointed)) {
    const inside = cutFrom(work, start);
    const key = inside.join('');
    if (known.has(key) || !inside.includes(1)) continue;
    known.add(key);
    yield { inside };
  }
}

/** How weak an edge lies on each boundary, 0..1: against the picture's mean contrast. */
export function weaknessOf({ contrast, length }: RegionGraph): Float32Array {
  let [sum, all] = [0, 0];
  for (let e = 0; e < length.length; e++) {
    sum += contrast[e]! ** 2 * length[e]!;
    all += length[e]!;
  }
  const mean = Math.max(1e-6, sum / Math.max(1, all));
  return contrast.map((value) => Math.exp(-(value * value) / (2 * mean)));
}

function boundaryCosts(graph: RegionGraph): Float32Array {
  const weakness = weaknessOf(graph);
  return graph.length.map((length, e) => NEIGHBOURS_SAY * length * weakness[e]!);
}

function* startsOf(graph: RegionGraph, pointed: Pointed): Generator<Start> {
  if ('start' in pointed) {
    yield { distance: Float64Array.from(pointed.start, (value) => (value === 1 ? 0 : BESIDE)), reach: 0, leaning: 0 };
    return;
  }
  const distance = 'seed' in pointed ? geodesicFrom(graph, pointed.seed) : fromCentre(graph, pointed.box);
  const order = Uint32Array.from(distance.keys()).sort((a, b) => distance[a]! - distance[b]! || a - b);
  const all = 'seed' in pointed ? graph.labels.length : graph.sizes.reduce((sum, size, v) => sum + size * pointed.box[v]!, 0);
  for (const share of 'seed' in pointed ? SHARES : BOX_SHARES) {
    const reach = reachOf(graph, order, share * all);
    for (const leaning of LEANINGS) yield { distance, reach: distance[reach]!, leaning };
  }
}

/** The last superpixel within so many pixels. */
function reachOf({ sizes }: RegionGraph, order: Uint32Array, pixels: number): number {
  let [size, last] = [0, order[0]!];
  for (const v of order) {
    if (size > pixels) break;
    last = v;
    size += sizes[v]!;
  }
  return last;
}

/** From the middle of a box, as shares of its half sides, in the units of a geodesic distance. */
function fromCentre({ x, y }: RegionGraph, box: Uint8Array): Float64Array {
  const members = Array.from(box.keys()).filter((v) => box[v] === 1);
  const [across, down] = [x, y].map((places) => {
    const [low, high] = members.reduce(([l, h], v) => [Math.min(l, places[v]!), Math.max(h, places[v]!)], [Infinity, -Infinity]);
    return { middle: (low + high) / 2, half: Math.max(1, (high - low) / 2) };
  }) as [Side, Side];
  return Float64Array.from(x, (_, v) => 100 * Math.hypot((x[v]! - across.middle) / across.half, (y[v]! - down.middle) / down.half));
}

interface Side {
  readonly middle: number;
  readonly half: number;
}

interface Work {
  readonly graph: RegionGraph;
  readonly pointed: Pointed;
  readonly colours: RegionColours;
  readonly cost: Float32Array;
}

function cutFrom({ graph, pointed, colours, cost }: Work, start: Start): Uint8Array {
  const { count, from, to } = graph;
  const options = { seed: 'seed' in pointed ? pointed.seed : undefined, hole: SPECK * graph.labels.length };
  let inside: Uint8Array = Uint8Array.from(start.distance, (distance) => (distance <= start.reach ? 1 : 0));
  for (let round = 0; round < ROUNDS; round++) {
    const pull = pullOf(graph, { colours, inside, start });
    if (!pull) break;
    if ('seed' in pointed) pull[pointed.seed] = SURELY;
    else if ('box' in pointed) for (let v = 0; v < count; v++) if (pointed.box[v] === 0) pull[v] = -SURELY;
    const before = inside;
    inside = onePiece(graph, cheapestCut({ count, from, to, cost, pull }), options);
    if (inside.every((value, v) => value === before[v])) break;
  }
  return inside;
}

interface Belief {
  readonly colours: RegionColours;
  readonly inside: Uint8Array;
  readonly start: Start;
}

function pullOf(
  { count, sizes, onBorder, colours: means }: RegionGraph,
  { colours, inside, start }: Belief,
): Float32Array<ArrayBuffer> | undefined {
  const [object, ground] = [colours.of((v) => inside[v] === 1), colours.of((v) => inside[v] === 0)];
  if (!object || !ground) return undefined;
  return Float32Array.from({ length: count }, (_, v) => {
    const colour = clamped(ground.cost(means, v) - object.cost(means, v), -COLOURS_SAY, COLOURS_SAY);
    const near = clamped(NEAR_SAYS - start.distance[v]! / (TURNS * start.reach + 1), FAR_SAYS, NEAR_SAYS);
    return sizes[v]! * (colour + near + start.leaning) - BORDER_SAYS * onBorder[v]!;
  });
}

function clamped(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
