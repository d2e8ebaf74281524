import type { Extent } from '#base/geometry.js';

function gaussianWeights(sigma: number): Float32Array {
  const radius = Math.ceil(2 * sigma);
  const weights = Float32Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Gaussian blur of one plane (cut at 2 sigma, border repeated), rows then columns. */
export function gaussian(plane: Float32Array, { width, height }: Extent, sigma: number): Float32Array {
  const weights = gaussianWeights(sigma);
  const radius = (weights.length - 1) / 2;
  const across = new Float32Array(plane.length);
  const padded = new Float32Array(width + 2 * radius);
  for (let y = 0; y < height; y++) {
    const start = y * width;
    for (let x = 0; x < padded.length; x++) padded[x] = plane[start + Math.min(width - 1, Math.max(0, x - radius))]!;
    for (let x = 0; x < width; x++) {
      let total = 0;
      for (let k = 0; k < weights.length; k++) total += weights[k]! * padded[x + k]!;
      across[start + x] = total;
    }
  }
  const result = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) {
    const target = result.subarray(y * width, (y + 1) * width);
    for (let k = 0; k < weights.length; k++) {
      const from = Math.min(height - 1, Math.max(0, y + k - radius)) * width;
      for (let x = 0; x < width; x++) target[x]! += weights[k]! * across[from + x]!;
    }
  }
  return result;
}

/** Largest value in a square window of `2·radius + 1`, rows then columns. */
export function maxWindow(plane: Float32Array, { width, height }: Extent, radius: number): Float32Array {
  const across = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let best = -Infinity;
      for (let k = Math.max(0, x - radius); k <= Math.min(width - 1, x + radius); k++) best = Math.max(best, plane[y * width + k]!);
      across[y * width + x] = best;
    }
  }
  const result = new Float32Array(plane.length).fill(-Infinity);
  for (let y = 0; y < height; y++) {
    for (let k = Math.max(0, y - radius); k <= Math.min(height - 1, y + radius); k++) {
      for (let x = 0; x < width; x++) result[y * width + x] = Math.max(result[y * width + x]!, across[k * width + x]!);
    }
  }
  return result;
}
