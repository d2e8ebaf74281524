import type { Planes } from '#engine/image/colour/colour.js';

/** Colours that one side is a mixture of. */
const COLOURS = 4;
const ROUNDS = 8;
/** Added to every variance: a photograph's grain. */
const GRAIN = 2e-4;
/** Fewer pixels than these are no colour of their own. */
const FEWEST = 6;

interface Blob {
  readonly mean: readonly number[];
  /** Inverse covariance, row-major. */
  readonly precision: readonly number[];
  /** Half the log-determinant of the covariance minus the log of the share. */
  readonly offset: number;
}

/** A mixture of Gaussians over colours (Rother et al. 2004), hard assignment, no randomness. */
export class ColourModel {
  readonly #blobs: readonly Blob[];

  /** @param pixels which of `planes` the model learns from; at least `FEWEST`. */
  constructor(planes: Planes, pixels: readonly number[]) {
    const { labels } = clusters(planes, pixels, COLOURS);
    this.#blobs = Array.from({ length: COLOURS }, (_, blob) => pixels.filter((_, i) => labels[i] === blob))
      .filter((members) => members.length >= FEWEST)
      .map((members) => blobOf(planes, members, members.length / pixels.length));
  }

  /** Negative log-likelihood of the colour at a pixel, up to a constant. */
  cost(planes: Planes, pixel: number): number {
    let best = Infinity;
    for (const { mean, precision, offset } of this.#blobs) {
      const [r, g, b] = [planes[0][pixel]! - mean[0]!, planes[1][pixel]! - mean[1]!, planes[2][pixel]! - mean[2]!];
      const distance =
        precision[0]! * r * r +
        precision[4]! * g * g +
        precision[8]! * b * b +
        2 * (precision[1]! * r * g + precision[2]! * r * b + precision[5]! * g * b);
      best = Math.min(best, distance / 2 + offset);
    }
    return best;
  }
}

/** k-means from starts spread along the axis of the largest variance. */
export function clusters(planes: Planes, pixels: readonly number[], count: number): { means: number[][]; labels: Uint8Array } {
  const along = spreadAxis(planes, pixels);
  const order = pixels.map((_, i) => i).sort((a, b) => along[a]! - along[b]! || a - b);
  const labels = new Uint8Array(pixels.length);
  order.forEach((i, rank) => (labels[i] = Math.min(count - 1, Math.trunc((rank * count) / pixels.length))));
  let means = meansOf(planes, pixels, { labels, count, known: Array.from({ length: count }, () => [0, 0, 0]) });
  for (let round = 0; round < ROUNDS; round++) {
    pixels.forEach((pixel, i) => (labels[i] = nearest(planes, pixel, means)));
    means = meansOf(planes, pixels, { labels, count, known: means });
  }
  return { means, labels };
}

/** Where every pixel lies along the first principal axis, by power iteration. */
function spreadAxis(planes: Planes, pixels: readonly number[]): number[] {
  const { mean, covariance } = momentsOf(planes, pixels);
  let axis = [0.6, 0.5, 0.4];
  for (let i = 0; i < 16; i++) {
    axis = [0, 1, 2].map((a) => axis.reduce((sum, value, b) => sum + covariance[a * 3 + b]! * value, 0));
    const length = Math.hypot(...axis) || 1;
    axis = axis.map((value) => value / length);
  }
  return pixels.map((pixel) => axis.reduce((sum, value, c) => sum + value * (planes[c]![pixel]! - mean[c]!), 0));
}

function nearest(planes: Planes, pixel: number, means: readonly number[][]): number {
  const distances = means.map((mean) => mean.reduce((sum, value, c) => sum + (planes[c]![pixel]! - value) ** 2, 0));
  return distances.indexOf(Math.min(...distances));
}

interface Labelled {
  readonly labels: Uint8Array;
  readonly count: number;
  readonly known: readonly number[][];
}

function meansOf(planes: Planes, pixels: readonly number[], { labels, count, known }: Labelled): number[][] {
  const sums = Array.from({ length: count }, () => [0, 0, 0, 0]);
  pixels.forEach((pixel, i) => {
    const sum = sums[labels[i]!]!;
    for (let c = 0; c < 3; c++) sum[c]! += planes[c]![pixel]!;
    sum[3]!++;
  });
  return sums.map(([r, g, b, n], i) => (n! > 0 ? [r! / n!, g! / n!, b! / n!] : known[i]!));
}

function momentsOf(planes: Planes, pixels: readonly number[]): { mean: number[]; covariance: number[] } {
  const mean = planes.map((plane) => pixels.reduce((sum, pixel) => sum + plane[pixel]!, 0) / pixels.length);
  const covariance = Array.from({ length: 9 }, (_, k) => {
    const [a, b] = [Math.trunc(k / 3), k % 3];
    return pixels.reduce((sum, pixel) => sum + (planes[a]![pixel]! - mean[a]!) * (planes[b]![pixel]! - mean[b]!), 0) / pixels.length;
  });
  return { mean, covariance };
}

function blobOf(planes: Planes, members: readonly number[], share: number): Blob {
  const { mean, covariance } = momentsOf(planes, members);
  for (const k of [0, 4, 8]) covariance[k]! += GRAIN;
  const { inverse, determinant } = inverted(covariance);
  return { mean, precision: inverse, offset: Math.log(determinant) / 2 - Math.log(share) };
}

/** Of a symmetric matrix, by cofactors. */
export function inverted(m: readonly number[]): { inverse: number[]; determinant: number } {
  const [a, b, c, , d, e, , , f] = m as [number, number, number, number, number, number, number, number, number];
  const [ca, cb, cc] = [d * f - e * e, c * e - b * f, b * e - c * d];
  const [cd, ce, cf] = [a * f - c * c, b * c - a * e, a * d - b * b];
  const determinant = a * ca + b * cb + c * cc;
  return { inverse: [ca, cb, cc, cb, cd, ce, cc, ce, cf].map((value) => value / determinant), determinant };
}
