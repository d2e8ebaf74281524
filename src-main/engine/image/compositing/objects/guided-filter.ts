import type { Extent } from '#base/geometry.js';
import type { Planes } from '#engine/image/colour/colour.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { inverted } from './colour-model.js';

/** Per pixel a straight line through the colours, `a · colour + b`: three planes and one. */
export type GuidedLines = readonly [Float32Array, Float32Array, Float32Array, Float32Array];

export interface GuidedOptions {
  readonly extent: Extent;
  /** Standard deviation of a window, in pixels. */
  readonly sigma: number;
  /** Variance of colours below which an edge is none. */
  readonly epsilon: number;
}

/** Draws maps to the edges of a picture: in every window a map is regressed on the colours (guided filter, He et al. 2010). */
export class GuidedFilter {
  readonly #guide: Planes;
  readonly #means: readonly Float32Array[];
  /** Nine planes of inverse covariances. */
  readonly #inverse: readonly Float32Array[];
  readonly #blur: (plane: Float32Array) => Float32Array;

  constructor(guide: Planes, { extent, sigma, epsilon }: GuidedOptions) {
    this.#guide = guide;
    this.#blur = (plane) => gaussian(plane, extent, sigma);
    this.#means = guide.map(this.#blur);
    const pairs = PAIRS.map(([a, b]) => this.#blur(product(guide[a], guide[b])));
    this.#inverse = Array.from({ length: 9 }, () => new Float32Array(guide[0].length));
    const covariance = new Array<number>(9).fill(0);
    for (let i = 0; i < guide[0].length; i++) {
      PAIRS.forEach(([a, b], k) => {
        const value = pairs[k]![i]! - this.#means[a]![i]! * this.#means[b]![i]! + (a === b ? epsilon : 0);
        covariance[a * 3 + b] = value;
        covariance[b * 3 + a] = value;
      });
      inverted(covariance).inverse.forEach((value, k) => (this.#inverse[k]![i] = value));
    }
  }

  /** The lines that say `wanted` best in the colours around every pixel. */
  lines(wanted: Float32Array): GuidedLines {
    const mean = this.#blur(wanted);
    const towards = this.#guide.map((plane, c) => {
      const shared = this.#blur(product(plane, wanted));
      return shared.map((value, i) => value - this.#means[c]![i]! * mean[i]!);
    });
    const slopes = [0, 1, 2].map((c) => mean.map((_, i) => this.#slope(towards, c, i)));
    const rest = mean.map((value, i) => value - slopes.reduce((sum, slope, c) => sum + slope[i]! * this.#means[c]![i]!, 0));
    return [...slopes, rest].map(this.#blur) as unknown as GuidedLines;
  }

  /** Where the lines take the guide itself. */
  smoothed(wanted: Float32Array): Float32Array {
    const [r, g, b, rest] = this.lines(wanted);
    const [red, green, blue] = this.#guide;
    return rest.map((value, i) => value + r[i]! * red[i]! + g[i]! * green[i]! + b[i]! * blue[i]!);
  }

  #slope(towards: readonly Float32Array[], c: number, i: number): number {
    const inverse = this.#inverse;
    return inverse[c * 3]![i]! * towards[0]![i]! + inverse[c * 3 + 1]![i]! * towards[1]![i]! + inverse[c * 3 + 2]![i]! * towards[2]![i]!;
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

function product(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value * b[i]!);
}
