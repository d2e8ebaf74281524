import type { Extent } from '#base/geometry.js';
import { luma } from '#base/luma.js';

/** A picture this dark or darker is not brightened further. */
const DARKEST_PEAK = 0.25;
const WANTED_PEAK = 0.9;
const SIGMA = 1;
const RADIUS = 2;
/** tan(67.5°): directions steeper than this count as straight. */
const STEEP = 2.414;
/** How far, in pixels, strong edges pull weak ones in. */
const FOLLOWING = 6;

interface Thresholds {
  readonly low: number;
  readonly high: number;
}

/**
 * The edge detector of the packs' training data: brightness scaled to a common peak (dark pictures keep their edges),
 * Gaussian, Sobel, non-maximum suppression, a few steps of hysteresis. `data` is `[3, H, W]`; the result is 0 or 1.
 */
export function modelEdges(data: Float32Array, extent: Extent, { low, high }: Thresholds): Float32Array {
  const { gx, gy, size } = sobel(smoothed(exposed(data, extent), extent), extent);
  const thin = size.map((value, i) => (isRidge({ gx, gy, size }, i, extent) ? value : 0));
  let edges = thin.map((value) => (value > high ? 1 : 0));
  for (let step = 0; step < FOLLOWING; step++) {
    const previous = edges;
    edges = thin.map((value, i) => (value > low && touches(previous, i, extent) ? 1 : 0));
  }
  return edges;
}

function exposed(data: Float32Array, { width, height }: Extent): Float32Array {
  const pixels = width * height;
  const light = Float32Array.from({ length: pixels }, (_, i) => luma(data[i]!, data[pixels + i]!, data[2 * pixels + i]!));
  const peak = light.reduce((most, value) => Math.max(most, value), DARKEST_PEAK);
  return light.map((value) => (value * WANTED_PEAK) / peak);
}

/** Reads a plane with its border repeated. */
function clamped(plane: Float32Array, { width, height }: Extent) {
  return (x: number, y: number) => plane[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))]!;
}

function smoothed(plane: Float32Array, extent: Extent): Float32Array {
  const raw = Array.from({ length: 2 * RADIUS + 1 }, (_, k) => Math.exp(-((k - RADIUS) ** 2) / (2 * SIGMA * SIGMA)));
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  const weights = raw.map((weight) => weight / total);
  const blur = (from: Float32Array, [stepX, stepY]: readonly [number, number]) => {
    const at = clamped(from, extent);
    return from.map((_, i) => {
      const [x, y] = [i % extent.width, Math.trunc(i / extent.width)];
      return weights.reduce((sum, weight, k) => sum + weight * at(x + stepX * (k - RADIUS), y + stepY * (k - RADIUS)), 0);
    });
  };
  return blur(blur(plane, [1, 0]), [0, 1]);
}

interface Gradient {
  readonly gx: Float32Array;
  readonly gy: Float32Array;
  readonly size: Float32Array;
}

function sobel(plane: Float32Array, extent: Extent): Gradient {
  const at = clamped(plane, extent);
  const [gx, gy] = [new Float32Array(plane.length), new Float32Array(plane.length)];
  for (let i = 0; i < plane.length; i++) {
    const [x, y] = [i % extent.width, Math.trunc(i / extent.width)];
    const [left, right] = [at(x - 1, y - 1) + 2 * at(x - 1, y) + at(x - 1, y + 1), at(x + 1, y - 1) + 2 * at(x + 1, y) + at(x + 1, y + 1)];
    const [above, below] = [at(x - 1, y - 1) + 2 * at(x, y - 1) + at(x + 1, y - 1), at(x - 1, y + 1) + 2 * at(x, y + 1) + at(x + 1, y + 1)];
    gx[i] = (right - left) / 4;
    gy[i] = (below - above) / 4;
  }
  return { gx, gy, size: gx.map((value, i) => Math.sqrt(value * value + gy[i]! * gy[i]!)) };
}

function isRidge({ gx, gy, size }: Gradient, i: number, { width, height }: Extent): boolean {
  const [x, y] = [i % width, Math.trunc(i / width)];
  const [stepX, stepY] = direction(gx[i]!, gy[i]!);
  const at = (u: number, v: number) => (u < 0 || v < 0 || u >= width || v >= height ? 0 : size[v * width + u]!);
  return size[i]! >= at(x + stepX, y + stepY) && size[i]! > at(x - stepX, y - stepY);
}

/** Across the edge, in whole pixels. */
function direction(gx: number, gy: number): readonly [number, number] {
  if (Math.abs(gx) > STEEP * Math.abs(gy)) return [1, 0];
  if (Math.abs(gy) > STEEP * Math.abs(gx)) return [0, 1];
  return gx * gy > 0 ? [1, 1] : [-1, 1];
}

function touches(edges: Float32Array, i: number, { width, height }: Extent): boolean {
  const [x, y] = [i % width, Math.trunc(i / width)];
  for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
    for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) if (edges[v * width + u]! > 0) return true;
  }
  return false;
}
