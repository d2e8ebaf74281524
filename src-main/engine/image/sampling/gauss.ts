import type { Extent } from '#base/geometry.js';

/** Of a window that is cut at twice `sigma`, in samples; an odd number of taps that sum to 1. */
export function gaussianWeights(sigma: number): Float32Array {
  const radius = Math.ceil(2 * sigma);
  const weights = Float32Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Gaussian blur of one plane (cut at 2 sigma, border repeated), rows then columns. */
export function gaussian(plane: Float32Array, extent: Extent, sigma: number): Float32Array {
  const weights = gaussianWeights(sigma);
  return downwards(across(plane, extent, weights), extent, weights);
}

// Both ways add four samples side by side, each in the order of its taps: one alone would wait for every sum.

function across(plane: Float32Array, { width, height }: Extent, weights: Float32Array): Float32Array {
  const taps = weights.length;
  const radius = (taps - 1) / 2;
  const result = new Float32Array(plane.length);
  const padded = new Float32Array(width + 2 * radius + 3);
  for (let y = 0; y < height; y++) {
    const start = y * width;
    padded.fill(plane[start]!, 0, radius).fill(plane[start + width - 1]!, radius + width);
    padded.set(plane.subarray(start, start + width), radius);
    for (let next = 0; next < width; next += 4) {
      const x = Math.max(0, Math.min(next, width - 4));
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let k = 0; k < taps; k++) {
        const weight = weights[k]!;
        const at = x + k;
        a += weight * padded[at]!;
        b += weight * padded[at + 1]!;
        c += weight * padded[at + 2]!;
        d += weight * padded[at + 3]!;
      }
      const [to, left] = [start + x, width - x];
      result[to] = a;
      if (left > 1) result[to + 1] = b;
      if (left > 2) result[to + 2] = c;
      if (left > 3) result[to + 3] = d;
    }
  }
  return result;
}

function downwards(plane: Float32Array, { width, height }: Extent, weights: Float32Array): Float32Array {
  const taps = weights.length;
  const radius = (taps - 1) / 2;
  const result = new Float32Array(plane.length);
  const rows = new Int32Array(taps);
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < taps; k++) rows[k] = Math.min(height - 1, Math.max(0, y + k - radius)) * width;
    const start = y * width;
    for (let next = 0; next < width; next += 4) {
      const x = Math.max(0, Math.min(next, width - 4));
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let k = 0; k < taps; k++) {
        const weight = weights[k]!;
        const at = rows[k]! + x;
        a = Math.fround(a + weight * plane[at]!);
        b = Math.fround(b + weight * plane[at + 1]!);
        c = Math.fround(c + weight * plane[at + 2]!);
        d = Math.fround(d + weight * plane[at + 3]!);
      }
      const [to, left] = [start + x, width - x];
      result[to] = a;
      if (left > 1) result[to + 1] = b;
      if (left > 2) result[to + 2] = c;
      if (left > 3) result[to + 3] = d;
    }
  }
  return result;
}

/**
 * Largest value in a square window of `2·radius + 1`, rows then columns: the largest of all from the start of a block of that
 * length on and of all up to its end (van Herk 1992), three comparisons a sample at any radius.
 */
export function maxWindow(plane: Float32Array, { width, height }: Extent, radius: number): Float32Array {
  const rows = new Float32Array(plane.length);
  const result = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) slideMax(plane, { from: y * width, step: 1, count: width, radius }, rows);
  for (let x = 0; x < width; x++) slideMax(rows, { from: x, step: width, count: height, radius }, result);
  return result;
}

interface Line {
  readonly from: number;
  readonly step: number;
  readonly count: number;
  readonly radius: number;
}

function slideMax(plane: Float32Array, { from, step, count, radius }: Line, result: Float32Array): void {
  const side = 2 * radius + 1;
  const length = Math.ceil((count + 2 * radius) / side) * side;
  const [ahead, behind] = [new Float32Array(length).fill(-Infinity), new Float32Array(length)];
  for (let k = 0; k < count; k++) ahead[radius + k] = plane[from + k * step]!;
  behind.set(ahead);
  for (let k = 1; k < length; k++) if (k % side > 0 && ahead[k - 1]! > ahead[k]!) ahead[k] = ahead[k - 1]!;
  for (let k = length - 2; k >= 0; k--) if ((k + 1) % side > 0 && behind[k + 1]! > behind[k]!) behind[k] = behind[k + 1]!;
  for (let k = 0; k < count; k++) result[from + k * step] = Math.max(behind[k]!, ahead[k + side - 1]!);
}
