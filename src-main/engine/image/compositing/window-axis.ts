import type { Extent } from '#base/geometry.js';

// x, y two pictures · W windows in all

export interface WindowShape {
  /** Standard deviation of a window, in samples; it is cut at twice that. */
  readonly sigma: number;
  /** From window to window, at most; in samples. */
  readonly step: number;
}

/** The windows along one side; each looks at `width` neighbouring blocks of `block` samples, from `first` on. */
export interface WindowAxis {
  readonly count: number;
  readonly block: number;
  readonly blocks: number;
  readonly width: number;
  readonly first: Int32Array;
  readonly weights: Float32Array;
}

/** Two blocks to a step: what a window weighs changes little within one. */
export function windowAxis(length: number, { sigma, step }: WindowShape): WindowAxis {
  const block = Math.max(1, Math.trunc(step / 2));
  const count = Math.ceil((length - 1) / step) + 1;
  const radius = Math.ceil(2 * sigma);
  const width = Math.ceil((2 * radius + 2) / block) + 1;
  const first = new Int32Array(count);
  const weights = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const centre = (i * (length - 1)) / Math.max(1, count - 1);
    const from = Math.floor(centre) - radius;
    first[i] = Math.floor(from / block);
    const own = weights.subarray(i * width, (i + 1) * width);
    for (let sample = from; sample <= centre + radius; sample++) {
      if (sample < centre - radius) continue;
      own[Math.floor(sample / block) - first[i]!]! += Math.exp(-((sample - centre) ** 2) / (2 * sigma * sigma));
    }
    const total = own.reduce((sum, weight) => sum + weight, 0);
    for (let k = 0; k < width; k++) own[k]! /= total;
  }
  return { count, block, blocks: Math.ceil(length / block), width, first, weights };
}

/** Two pictures in planes: three of x, three of y. */
export interface Picture {
  readonly planes: readonly Float32Array[];
  readonly extent: Extent;
}

/** Gives the moments of all windows, `[21][W]`, and those of the whole picture. */
export interface MomentReader {
  readonly totals: Float64Array;
  read(): readonly Float32Array[];
}
