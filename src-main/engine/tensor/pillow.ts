import type { Grid } from '#base/geometry.js';
import { floats, type FloatTensor } from './tensor.js';

// c channels · H, W rows and columns

/** Catmull-Rom's. */
const A = -0.5;
/** Weights are whole numbers of this unit, as there: a rounding may lie on half a level. */
const UNIT = 2 ** 22;
const SUPPORT = 2;

interface Tap {
  /** The first sample that counts, and the weights from there on. */
  readonly first: number;
  readonly weights: readonly number[];
}

/**
 * A picture of 8 bits `[c, H, W]` (0..255) resized as Pillow does by default: bicubic, widened where it shrinks, weights
 * outside the picture dropped, columns first; each of the two passes is rounded half up and clipped to 8 bits.
 */
export function resizePillow(picture: FloatTensor, [rows, columns]: Grid): FloatTensor {
  return acrossRows(acrossColumns(picture, columns), rows);
}

function acrossColumns(picture: FloatTensor, columns: number): FloatTensor {
  const [channels = 0, height = 0, width = 0] = picture.dims;
  if (columns === width) return picture;
  const result = floats([channels, height, columns]);
  tapsOf(width, columns).forEach(({ first, weights }, x) => {
    for (let line = 0; line < channels * height; line++) {
      const start = line * width + first;
      result.data[line * columns + x] = eightBits(weights.reduce((sum, weight, i) => sum + weight * picture.data[start + i]!, 0));
    }
  });
  return result;
}

function acrossRows(picture: FloatTensor, rows: number): FloatTensor {
  const [channels = 0, height = 0, width = 0] = picture.dims;
  if (rows === height) return picture;
  const result = floats([channels, rows, width]);
  tapsOf(height, rows).forEach(({ first, weights }, y) => {
    for (let channel = 0; channel < channels; channel++) {
      for (let x = 0; x < width; x++) {
        const start = (channel * height + first) * width + x;
        const sum = weights.reduce((total, weight, i) => total + weight * picture.data[start + i * width]!, 0);
        result.data[(channel * rows + y) * width + x] = eightBits(sum);
      }
    }
  });
  return result;
}

function eightBits(value: number): number {
  return Math.min(255, Math.max(0, Math.floor(value / UNIT + 0.5)));
}

function tapsOf(inputs: number, outputs: number): readonly Tap[] {
  const scale = inputs / outputs;
  const widened = Math.max(1, scale);
  return Array.from({ length: outputs }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - SUPPORT * widened + 0.5));
    const end = Math.min(inputs, Math.floor(centre + SUPPORT * widened + 0.5));
    const raw = Array.from({ length: end - first }, (__, k) => cubic(Math.abs((k + first - centre + 0.5) / widened)));
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: raw.map((weight) => Math.trunc((weight / total) * UNIT + Math.sign(weight) * 0.5)) };
  });
}

function cubic(x: number): number {
  if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
}
