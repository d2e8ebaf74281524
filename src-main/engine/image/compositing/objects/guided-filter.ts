import type { Extent } from '#base/geometry.js';
import type { Planes } from '#engine/image/colour/colour.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { invert } from './colour-model.js';

/** Per pixel a straight line through the colours, `a · colour + b`: three planes and one. */
export type GuidedLines = readonly [Float32Array, Float32Array, Float32Array, Float32Array];

export interface GuidedOptions {
  readonly extent: Extent;
  /** Standard deviation of a window, in pixels. */
  readonly sigma: number;
  /** Variance of colours below which an edge is none. */
  readonly epsilon: number;
}

/** So far, in standard deviations of a window, a pixel's line depends on others: a window of windows, each cut at two. */
export const GUIDED_REACH = 4;

/** Draws maps to the edges of a picture: in every window a map is regressed on the colours (guided filter, He et al. 2010). */
export class GuidedFilter {
  readonly #guide: Planes;
  readonly #means: Planes;
  /** Upper triangles of inverse covariances, one behind the other. */
  readonly #inverse: Float64Array;
  readonly #blur: (plane: Float32Array) => Float32Array;

  constructor(guide: Planes, { extent, sigma, epsilon }: GuidedOptions) {
    this.#guide = guide;
    this.#blur = (plane) => gaussian(plane, extent, sigma);
    this.#means = guide.map(this.#blur) as unknown as Planes;
    const [red, green, blue] = this.#means;
    const [rr, rg, rb, gg, gb, bb] = PAIRS.map(([a, b]) => this.#blur(product(guide[a], guide[b]))) as Six;
    this.#inverse = new Float64Array(6 * red.length);
    for (let i = 0; i < red.length; i++) {
      const [r, g, b] = [red[i]!, green[i]!, blue[i]!];
      const variances = [rr[i]! - r * r + epsilon, gg[i]! - g * g + epsilon, bb[i]! - b * b + epsilon] as const;
      const [var0, var1, var2] = variances;
      invert([var0, rg[i]! - r * g, rb[i]! - r * b, var1, gb[i]! - g * b, var2], this.#inverse, 6 * i);
    }
  }

  /** The lines that say `wanted` best in the colours around every pixel. */
  lines(wanted: Float32Array): GuidedLines {
    const mean = this.#blur(wanted);
    const [red, green, blue] = this.#means;
    const [r, g, b] = this.#guide.map((plane) => this.#blur(product(plane, wanted))) as unknown as Planes;
    const rest = new Float32Array(mean.length);
    const inverse = this.#inverse;
    for (let i = 0, at = 0; i < mean.length; i++, at += 6) {
      // What a colour and the map share, for which the slope is put in its place.
      const [dr, dg, db] = [r[i]! - red[i]! * mean[i]!, g[i]! - green[i]! * mean[i]!, b[i]! - blue[i]! * mean[i]!];
      const [rr, rg, rb] = [inverse[at]!, inverse[at + 1]!, inverse[at + 2]!];
      const [gg, gb, bb] = [inverse[at + 3]!, inverse[at + 4]!, inverse[at + 5]!];
      r[i] = rr * dr + rg * dg + rb * db;
      g[i] = rg * dr + gg * dg + gb * db;
      b[i] = rb * dr + gb * dg + bb * db;
      rest[i] = mean[i]! - (r[i]! * red[i]! + g[i]! * green[i]! + b[i]! * blue[i]!);
    }
    return [this.#blur(r), this.#blur(g), this.#blur(b), this.#blur(rest)];
  }

  /** Where the lines take the guide itself. */
  smoothed(wanted: Float32Array): Float32Array {
    const [r, g, b, rest] = this.lines(wanted);
    const [red, green, blue] = this.#guide;
    return rest.map((value, i) => value + r[i]! * red[i]! + g[i]! * green[i]! + b[i]! * blue[i]!);
  }
}

const PAIRS = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 1],
  [1, 2],
  [2, 2],
] as const;

type Six = [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];

function product(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value * b[i]!);
}
