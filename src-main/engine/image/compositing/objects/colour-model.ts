import type { Planes } from '#engine/image/colour/colour.js';

/** Colours that one side is a mixture of. */
const COLOURS = 4;
const ROUNDS = 8;
/** Added to every variance: a photograph's grain. */
const GRAIN = 2e-4;
/** Fewer pixels than these are no colour of their own. */
const FEWEST = 6;

/** Which pixels of a picture are meant. */
type Pixels = readonly number[];

/** Mean, the upper triangle of the inverse covariance, and half the log-determinant of the covariance minus the log of the share. */
type Blob = readonly [number, number, number, number, number, number, number, number, number, number];

/** A mixture of Gaussians over colours (Rother et al. 2004), hard assignment, no randomness. */
export class ColourModel {
  readonly #blobs: readonly Blob[];

  /** @param pixels which of `planes` the model learns from; at least `FEWEST`. */
  constructor(planes: Planes, pixels: Pixels) {
    const { labels } = clusters(planes, pixels, COLOURS);
    this.#blobs = Array.from({ length: COLOURS }, (_, blob) => pixels.filter((_, i) => labels[i] === blob))
      .filter((members) => members.length >= FEWEST)
      .map((members) => blobOf(planes, members, members.length / pixels.length));
  }

  /** Negative log-likelihood of the colour at a pixel, up to a constant. */
  cost([red, green, blue]: Planes, pixel: number): number {
    let best = Infinity;
    // By index: this runs for every pixel, and taking tuples apart leaves garbage.
    for (const blob of this.#blobs) {
      const r = red[pixel]! - blob[0];
      const g = green[pixel]! - blob[1];
      const b = blue[pixel]! - blob[2];
      const distance = blob[3] * r * r + blob[6] * g * g + blob[8] * b * b + 2 * (blob[4] * r * g + blob[5] * r * b + blob[7] * g * b);
      best = Math.min(best, distance / 2 + blob[9]);
    }
    return best;
  }
}

/** k-means from starts spread along the axis of the largest variance. */
export function clusters(planes: Planes, pixels: Pixels, count: number): { means: number[][]; labels: Uint8Array } {
  const along = spreadAxis(planes, pixels);
  const order = Uint32Array.from(along.keys()).sort((a, b) => along[a]! - along[b]! || a - b);
  const labels = new Uint8Array(pixels.length);
  order.forEach((i, rank) => (labels[i] = Math.min(count - 1, Math.trunc((rank * count) / pixels.length))));
  let means = meansOf(planes, pixels, { labels, count, known: Array.from({ length: count }, () => [0, 0, 0]) });
  for (let round = 0; round < ROUNDS; round++) {
    const isSame = !assignNearest(planes, pixels, { labels, means });
    if (isSame && round > 0) break;
    means = meansOf(planes, pixels, { labels, count, known: means });
  }
  return { means, labels };
}

/** Where every pixel lies along the first principal axis, by power iteration. */
function spreadAxis(planes: Planes, pixels: Pixels): Float64Array {
  const { mean, covariance } = momentsOf(planes, pixels);
  let axis = [0.6, 0.5, 0.4];
  for (let i = 0; i < 16; i++) {
    axis = [0, 1, 2].map((a) => axis.reduce((sum, value, b) => sum + covariance[a * 3 + b]! * value, 0));
    const length = Math.hypot(...axis) || 1;
    axis = axis.map((value) => value / length);
  }
  const [ar, ag, ab] = axis as [number, number, number];
  const [mr, mg, mb] = mean as [number, number, number];
  const [red, green, blue] = planes;
  const along = new Float64Array(pixels.length);
  for (let i = 0; i < along.length; i++) {
    const pixel = pixels[i]!;
    along[i] = ar * (red[pixel]! - mr) + ag * (green[pixel]! - mg) + ab * (blue[pixel]! - mb);
  }
  return along;
}

/** Gives every pixel the mean that is nearest; whether any has another than before. */
function assignNearest([red, green, blue]: Planes, pixels: Pixels, { labels, means }: { labels: Uint8Array; means: number[][] }): boolean {
  let changed = false;
  for (let i = 0; i < labels.length; i++) {
    const pixel = pixels[i]!;
    let best = Infinity;
    let label = 0;
    for (let k = 0; k < means.length; k++) {
      const mean = means[k]!;
      const r = red[pixel]! - mean[0]!;
      const g = green[pixel]! - mean[1]!;
      const b = blue[pixel]! - mean[2]!;
      const distance = r ** 2 + g ** 2 + b ** 2;
      if (distance >= best) continue;
      best = distance;
      label = k;
    }
    if (labels[i] !== label) changed = true;
    labels[i] = label;
  }
  return changed;
}

interface Labelled {
  readonly labels: Uint8Array;
  readonly count: number;
  readonly known: readonly number[][];
}

function meansOf([red, green, blue]: Planes, pixels: Pixels, { labels, count, known }: Labelled): number[][] {
  const sums = Array.from({ length: count }, () => [0, 0, 0, 0]);
  for (let i = 0; i < labels.length; i++) {
    const [sum, pixel] = [sums[labels[i]!]!, pixels[i]!];
    sum[0]! += red[pixel]!;
    sum[1]! += green[pixel]!;
    sum[2]! += blue[pixel]!;
    sum[3]!++;
  }
  return sums.map(([r, g, b, n], i) => (n! > 0 ? [r! / n!, g! / n!, b! / n!] : known[i]!));
}

function momentsOf(planes: Planes, pixels: Pixels): { mean: number[]; covariance: number[] } {
  const mean = planes.map((plane) => {
    let sum = 0;
    for (const pixel of pixels) sum += plane[pixel]!;
    return sum / pixels.length;
  });
  const covariance = new Array<number>(9).fill(0);
  for (let a = 0; a < 3; a++) {
    for (let b = a; b < 3; b++) {
      const [first, second, meanA, meanB] = [planes[a]!, planes[b]!, mean[a]!, mean[b]!];
      let sum = 0;
      for (const pixel of pixels) sum += (first[pixel]! - meanA) * (second[pixel]! - meanB);
      covariance[a * 3 + b] = covariance[b * 3 + a] = sum / pixels.length;
    }
  }
  return { mean, covariance };
}

function blobOf(planes: Planes, members: Pixels, share: number): Blob {
  const { mean, covariance } = momentsOf(planes, members);
  for (const k of [0, 4, 8]) covariance[k]! += GRAIN;
  const [rr, rg, rb, , gg, gb, , , bb] = covariance as Square;
  const inverse = new Float64Array(6);
  const determinant = invert([rr, rg, rb, gg, gb, bb], inverse, 0);
  return [...mean, ...inverse, Math.log(determinant) / 2 - Math.log(share)] as unknown as Blob;
}

type Square = [number, number, number, number, number, number, number, number, number];

/** The inverse of a symmetric matrix (its upper triangle), by cofactors, into `target` from `at` on; its determinant. */
export function invert(
  [a, b, c, d, e, f]: readonly [number, number, number, number, number, number],
  target: Float64Array,
  at: number,
): number {
  const [ca, cb, cc] = [d * f - e * e, c * e - b * f, b * e - c * d];
  const determinant = a * ca + b * cb + c * cc;
  target[at] = ca / determinant;
  target[at + 1] = cb / determinant;
  target[at + 2] = cc / determinant;
  target[at + 3] = (a * f - c * c) / determinant;
  target[at + 4] = (b * c - a * e) / determinant;
  target[at + 5] = (a * d - b * b) / determinant;
  return determinant;
}
