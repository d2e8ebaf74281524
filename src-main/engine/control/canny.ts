import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Extent } from '#base/geometry.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { modelEdges } from './model-edges.js';

/** Interleaved 8-bit samples. */
export interface PixelPicture extends Extent {
  readonly channels: number;
  readonly samples: Uint8Array;
}

/** tan(22.5°) in 15-bit fixed point, as the reference rounds it. */
const TAN_22 = 13573;
const FIXED_ONE = 32768;

const SUPPRESSED = 1;
const WEAK = 0;
const EDGE = 2;

/**
 * Canny edges (Canny 1986), 255 on an edge and 0 elsewhere, equal to OpenCV's `Canny(picture, low, high)` bit for bit:
 * 3×3 Sobel on every channel, the strongest channel wins, L1 norm, hysteresis over eight neighbours. Thresholds lie in 0..1530.
 */
export function canny(picture: PixelPicture, low: number, high: number): Uint8Array {
  const gradient = strongestGradient(picture);
  const [weak, strong] = [Math.floor(Math.min(low, high)), Math.floor(Math.max(low, high))];
  const { map, edges } = thinned(picture, gradient, [weak, strong]);
  follow(map, edges, picture.width + 2);
  return withoutBorder(map, picture);
}

/** Per pixel the derivatives of the channel with the largest norm; norms have a border of one zero. */
interface Gradient {
  readonly dx: Int16Array;
  readonly dy: Int16Array;
  readonly norm: Int32Array;
}

function strongestGradient({ width, height, channels, samples }: PixelPicture): Gradient {
  const [dx, dy] = [new Int16Array(width * height), new Int16Array(width * height)];
  const norm = new Int32Array((width + 2) * (height + 2));
  for (let y = 0; y < height; y++) {
    const rows = [Math.max(0, y - 1), y, Math.min(height - 1, y + 1)].map((row) => row * width) as [number, number, number];
    for (let x = 0; x < width; x++) {
      const columns = [Math.max(0, x - 1), x, Math.min(width - 1, x + 1)] as const;
      let best = -1;
      for (let c = 0; c < channels; c++) {
        const at = (row: 0 | 1 | 2, column: 0 | 1 | 2) => samples[(rows[row] + columns[column]) * channels + c]!;
        const gx = at(0, 2) + 2 * at(1, 2) + at(2, 2) - at(0, 0) - 2 * at(1, 0) - at(2, 0);
        const gy = at(2, 0) + 2 * at(2, 1) + at(2, 2) - at(0, 0) - 2 * at(0, 1) - at(0, 2);
        const size = Math.abs(gx) + Math.abs(gy);
        if (size <= best) continue;
        best = size;
        dx[y * width + x] = gx;
        dy[y * width + x] = gy;
      }
      norm[(y + 1) * (width + 2) + x + 1] = best;
    }
  }
  return { dx, dy, norm };
}

/** Non-maximum suppression across the edge, in four directions. */
function thinned({ width, height }: Extent, { dx, dy, norm }: Gradient, [low, high]: readonly [number, number]) {
  const stride = width + 2;
  const map = new Uint8Array(norm.length).fill(SUPPRESSED);
  const edges: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y + 1) * stride + x + 1;
      if (norm[at]! <= low || !isRidge(norm, at, { stride, dx: dx[y * width + x]!, dy: dy[y * width + x]! })) continue;
      map[at] = norm[at]! > high ? EDGE : WEAK;
      if (map[at] === EDGE) edges.push(at);
    }
  }
  return { map, edges };
}

function isRidge(norm: Int32Array, at: number, { stride, dx, dy }: { stride: number; dx: number; dy: number }): boolean {
  const size = norm[at]!;
  const [across, up] = [Math.abs(dx) * TAN_22, Math.abs(dy) * FIXED_ONE];
  if (up < across) return size > norm[at - 1]! && size >= norm[at + 1]!;
  if (up > across + Math.abs(dx) * 2 * FIXED_ONE) return size > norm[at - stride]! && size >= norm[at + stride]!;
  const slant = (dx ^ dy) < 0 ? -1 : 1;
  return size > norm[at - stride - slant]! && size > norm[at + stride + slant]!;
}

/** Hysteresis: weak pixels that touch an edge become edges. */
function follow(map: Uint8Array, edges: number[], stride: number): void {
  const around = [-stride - 1, -stride, -stride + 1, -1, 1, stride - 1, stride, stride + 1];
  for (let at = edges.pop(); at !== undefined; at = edges.pop()) {
    for (const step of around) {
      if (map[at + step] !== WEAK) continue;
      map[at + step] = EDGE;
      edges.push(at + step);
    }
  }
}

function withoutBorder(map: Uint8Array, { width, height }: Extent): Uint8Array {
  const result = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) result[y * width + x] = map[(y + 1) * (width + 2) + x + 1] === EDGE ? 255 : 0;
  }
  return result;
}

/** The thresholds that users see, and the ones that the packs were trained with; both scale together. */
const SHOWN = { low: 100, high: 200 };
const TRAINED = { low: 0.04, high: 0.09 };

/** Edges as the packs saw them in training: `[1, 3, H, W]` in 0..1 → `[1, 1, H, W]` of 0 and 1. At 100 and 200, exactly so. */
export function modelCanny(
  picture: FloatTensor,
  { low = SHOWN.low, high = SHOWN.high, blur = 0 }: { readonly low?: number; readonly high?: number; readonly blur?: number } = {},
): FloatTensor {
  const [, channels = 0, height = 0, width = 0] = picture.dims;
  const [weak, strong] = [Math.min(low, high), Math.max(low, high)];
  const thresholds = { low: (TRAINED.low * weak) / SHOWN.low, high: (TRAINED.high * strong) / SHOWN.high };
  return floats([1, 1, height, width], modelEdges(blurred(picture.data, { width, height, channels }, blur), { width, height }, thresholds));
}

/** What a gradient can be at most: thresholds are parts of it. */
const STRONGEST = 1530;

/** A ready map of edges, `[…, h, w]` in 0..1, held to the thresholds where they are not the usual ones: 0 and 1. */
export function thresholdMap(map: FloatTensor, { low, high }: { readonly low: number; readonly high: number }): FloatTensor {
  if (low === SHOWN.low && high === SHOWN.high) return map;
  const [height = 1, width = 1] = map.dims.slice(-2);
  const [weak, strong] = [Math.min(low, high) / STRONGEST, Math.max(low, high) / STRONGEST];
  const state = new Uint8Array((width + 2) * (height + 2)).fill(SUPPRESSED);
  const edges: number[] = [];
  map.data.forEach((value, i) => {
    const at = (Math.trunc(i / width) + 1) * (width + 2) + (i % width) + 1;
    if (value > weak) state[at] = value > strong ? EDGE : WEAK;
    if (state[at] === EDGE) edges.push(at);
  });
  follow(state, edges, width + 2);
  const kept = withoutBorder(state, { width, height });
  return floats(
    map.dims,
    map.data.map((_, i) => kept[i]! / 255),
  );
}

/** Each plane through a Gaussian of that sigma; the very same planes where it is 0. */
function blurred(planes: Float32Array, { width, height, channels }: Extent & { readonly channels: number }, sigma: number): Float32Array {
  if (sigma === 0) return planes;
  const size = width * height;
  const result = new Float32Array(planes.length);
  for (let c = 0; c < channels; c++) result.set(gaussian(planes.subarray(c * size, (c + 1) * size), { width, height }, sigma), c * size);
  return result;
}

/** Interleaved samples through the same Gaussian. */
export function blurredPicture(picture: PixelPicture, sigma: number): PixelPicture {
  if (sigma === 0) return picture;
  const { channels, samples } = picture;
  const size = picture.width * picture.height;
  const result = new Uint8Array(samples.length);
  for (let c = 0; c < channels; c++) {
    const plane = Float32Array.from({ length: size }, (_, i) => samples[i * channels + c]!);
    gaussian(plane, picture, sigma).forEach((value, i) => (result[i * channels + c] = Math.round(value)));
  }
  return { ...picture, samples: result };
}
