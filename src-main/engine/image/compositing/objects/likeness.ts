import { weaknessOf } from './guesses.js';
import { RegionColours } from './region-colours.js';
import type { RegionGraph } from './region-graph.js';

// s superpixels

/**
 * What each trait of a region says for its being an object. Learnt as the ranking of guesses whose best one is known: on 49
 * objects of rendered scenes, and on 31 in photographs where it was chosen by eye.
 */
const SAYS = {
  /** Mean and upper fifth of how weak the edge along the outline is, and the logarithm of its mean contrast. */
  weakness: -3.9,
  weakest: -2.6,
  outline: 1.1,
  /** The same within. */
  innerWeakness: -3.9,
  inner: 1.2,
  /** The logarithm of its share of the picture, and its square. */
  share: 0.07,
  shareSquared: -0.089,
  /** Share of its outline that the picture's border is. */
  border: -8.6,
  /** Roundness; how much of the box around it it fills; how far from its centre it was pointed at, in its own size. */
  round: 4.4,
  fill: 1.4,
  aside: -8.9,
  /** How many pixels around it and of it have their own side's colours. */
  groundApart: 12.8,
  apart: 5.4,
} as const;
/** How wide the surroundings are to which it is compared: in its own size, and in pixels. */
const [AROUND, AROUND_PX] = [0.35, 6];
/** The extreme centres of superpixels lie so far within. */
const HALF_STEPS = 6;

/** A guess among others. */
interface Judged {
  readonly inside: Uint8Array;
  /** Where it was pointed at. */
  readonly at: readonly [number, number];
  /** Pixels of the whole photograph, in pixels of the graph's picture. */
  readonly wholePixels: number;
}

/** Where a region lies, in pixels. */
interface Shape {
  readonly area: number;
  /** Pixels on the picture's border. */
  readonly border: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** From its centre to where it was pointed at. */
  readonly aside: number;
}

/** Tells how much like an object regions of one graph are; only differences count. */
export class Likeness {
  readonly #graph: RegionGraph;
  readonly #weakness: Float32Array;
  readonly #colours: RegionColours;

  constructor(graph: RegionGraph) {
    this.#graph = graph;
    this.#weakness = weaknessOf(graph);
    this.#colours = new RegionColours(graph);
  }

  of(judged: Judged): number {
    const edges = this.#edges(judged.inside);
    const shape = this.#shape(judged);
    const apart = this.#apart(judged.inside, shape);
    const outline = edges.length + shape.border;
    const share = Math.log(shape.area / judged.wholePixels);
    return (
      SAYS.weakness * edges.weakness +
      SAYS.weakest * edges.weakest +
      SAYS.outline * Math.log(edges.contrast + 1) +
      SAYS.innerWeakness * edges.innerWeakness +
      SAYS.inner * Math.log(edges.innerContrast + 1) +
      SAYS.share * share +
      SAYS.shareSquared * share ** 2 +
      SAYS.border * (shape.border / (outline + 1)) +
      SAYS.round * Math.sqrt((4 * Math.PI * shape.area) / outline ** 2) +
      SAYS.fill * (shape.area / ((shape.right - shape.left + HALF_STEPS) * (shape.bottom - shape.top + HALF_STEPS))) +
      SAYS.aside * (shape.aside / Math.sqrt(shape.area)) +
      SAYS.groundApart * apart.ground +
      SAYS.apart * apart.object
    );
  }

  #edges(inside: Uint8Array) {
    const { from, to, length, contrast } = this.#graph;
    const [outline, inner]: [number[], number[]] = [[], []];
    for (let e = 0; e < from.length; e++) {
      const [a, b] = [inside[from[e]!]!, inside[to[e]!]!];
      if (a !== b) outline.push(e);
      else if (a === 1) inner.push(e);
    }
    const mean = (edges: readonly number[], values: Float32Array) => {
      const all = edges.reduce((sum, e) => sum + length[e]!, 0);
      return edges.reduce((sum, e) => sum + length[e]! * values[e]!, 0) / Math.max(1, all);
    };
    return {
      length: outline.reduce((sum, e) => sum + length[e]!, 0),
      weakness: mean(outline, this.#weakness),
      weakest: this.#weakestOf(outline),
      contrast: mean(outline, contrast),
      innerWeakness: mean(inner, this.#weakness),
      innerContrast: mean(inner, contrast),
    };
  }

  /** A fifth of the outline is weaker. */
  #weakestOf(outline: readonly number[]): number {
    const { length } = this.#graph;
    const all = outline.reduce((sum, e) => sum + length[e]!, 0);
    let [weakest, passed] = [0, 0];
    for (const e of outline.toSorted((a, b) => this.#weakness[b]! - this.#weakness[a]!)) {
      weakest = this.#weakness[e]!;
      passed += length[e]!;
      if (passed > all / 5) break;
    }
    return weakest;
  }

  #shape({ inside, at: [atX, atY] }: Judged): Shape {
    const { sizes, onBorder, x, y, count } = this.#graph;
    const shape = { area: 0, border: 0, left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
    let [sumX, sumY] = [0, 0];
    for (let v = 0; v < count; v++) {
      if (inside[v] === 0) continue;
      shape.area += sizes[v]!;
      shape.border += onBorder[v]!;
      sumX += sizes[v]! * x[v]!;
      sumY += sizes[v]! * y[v]!;
      [shape.left, shape.right] = [Math.min(shape.left, x[v]!), Math.max(shape.right, x[v]!)];
      [shape.top, shape.bottom] = [Math.min(shape.top, y[v]!), Math.max(shape.bottom, y[v]!)];
    }
    return { ...shape, aside: Math.hypot(atX - sumX / shape.area, atY - sumY / shape.area) };
  }

  #apart(inside: Uint8Array, { area, left, right, top, bottom }: Shape) {
    const { x, y, sizes, colours, count } = this.#graph;
    const room = AROUND * Math.sqrt(area) + AROUND_PX;
    const isNear = (v: number) => x[v]! > left - room && x[v]! < right + room && y[v]! > top - room && y[v]! < bottom + room;
    const object = this.#colours.of((v) => inside[v] === 1);
    const ground = this.#colours.of((v) => inside[v] === 0 && isNear(v));
    if (!object || !ground) return { object: 0, ground: 0 };
    const [own, all] = [new Float64Array(2), new Float64Array(2)];
    for (let v = 0; v < count; v++) {
      if (!isNear(v)) continue;
      const side = inside[v]!;
      all[side]! += sizes[v]!;
      if (ground.cost(colours, v) > object.cost(colours, v) === (side === 1)) own[side]! += sizes[v]!;
    }
    return { ground: own[0]! / Math.max(1, all[0]!), object: own[1]! / Math.max(1, all[1]!) };
  }
}
