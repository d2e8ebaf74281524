import { floats, type FloatTensor } from './tensor.js';
import type { Grid } from '#base/geometry.js';

// Resizing between token grids as small dense matrices. d channels · H, W rows and columns.

/** Row-major `[outputs, inputs]`. */
interface Matrix {
  readonly outputs: number;
  readonly inputs: number;
  readonly values: Float32Array;
}

/** The same with where the part of each row begins and ends that is not 0: nearly all of it is. */
interface BandedMatrix extends Matrix {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

function banded(matrix: Matrix): BandedMatrix {
  const { outputs, inputs, values } = matrix;
  const [starts, ends] = [new Int32Array(outputs), new Int32Array(outputs)];
  for (let out = 0; out < outputs; out++) {
    const row = values.subarray(out * inputs, (out + 1) * inputs);
    starts[out] = Math.max(
      0,
      row.findIndex((value) => value !== 0),
    );
    ends[out] = row.findLastIndex((value) => value !== 0) + 1;
  }
  return { ...matrix, starts, ends };
}

/**
 * The averaging windows of adaptive average pooling: output i sees inputs
 * ⌊i·in/out⌋ … ⌈(i+1)·in/out⌉ with equal weights; windows overlap where the sizes don't divide.
 */
function areaMatrix(inputs: number, outputs: number): Matrix {
  const values = new Float32Array(outputs * inputs);
  for (let row = 0; row < outputs; row++) {
    const first = Math.floor((row * inputs) / outputs);
    const end = Math.ceil(((row + 1) * inputs) / outputs);
    values.fill(1 / (end - first), row * inputs + first, row * inputs + end);
  }
  return { outputs, inputs, values };
}

/** Linear interpolation between sample centres (align_corners = false), clamped at the border, without antialiasing. */
function linearMatrix(inputs: number, outputs: number): Matrix {
  const values = new Float32Array(outputs * inputs);
  for (let row = 0; row < outputs; row++) {
    const position = Math.max(0, ((row + 0.5) * inputs) / outputs - 0.5);
    const low = Math.min(inputs - 1, Math.floor(position));
    const high = Math.min(inputs - 1, low + 1);
    const share = position - low;
    values[row * inputs + low]! += 1 - share;
    values[row * inputs + high]! += share;
  }
  return { outputs, inputs, values };
}

/** Keys' cubic convolution (a = −0.75, align_corners = false), border samples repeated, without antialiasing. */
function cubicMatrix(inputs: number, outputs: number): Matrix {
  return cubicTaps({ inputs, outputs }, (row) => ((row + 0.5) * inputs) / outputs - 0.5);
}

/** The same with the outermost samples on each other (align_corners = true). */
function cubicCornersMatrix(inputs: number, outputs: number): Matrix {
  return cubicTaps({ inputs, outputs }, (row) => (row * (inputs - 1)) / Math.max(1, outputs - 1));
}

function cubicTaps({ inputs, outputs }: Omit<Matrix, 'values'>, positionOf: (row: number) => number): Matrix {
  const values = new Float32Array(outputs * inputs);
  for (let row = 0; row < outputs; row++) {
    const position = positionOf(row);
    const low = Math.floor(position);
    for (let tap = -1; tap <= 2; tap++) {
      const column = Math.min(inputs - 1, Math.max(0, low + tap));
      values[row * inputs + column]! += cubicWeight(Math.abs(position - low - tap));
    }
  }
  return { outputs, inputs, values };
}

/** torch's nearest: the sample at or before. */
function nearestMatrix(inputs: number, outputs: number): Matrix {
  const values = new Float32Array(outputs * inputs);
  for (let row = 0; row < outputs; row++) values[row * inputs + Math.floor((row * inputs) / outputs)] = 1;
  return { outputs, inputs, values };
}

function cubicWeight(distance: number): number {
  const a = -0.75;
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a;
}

const matrices = {
  area: areaMatrix,
  linear: linearMatrix,
  cubic: cubicMatrix,
  'cubic corners': cubicCornersMatrix,
  nearest: nearestMatrix,
};
const cache = new Map<string, BandedMatrix>();

function matrix(kind: keyof typeof matrices, inputs: number, outputs: number): BandedMatrix {
  const key = `${kind} ${inputs} ${outputs}`;
  const known = cache.get(key);
  if (known) return known;
  const made = banded(matrices[kind](inputs, outputs));
  cache.set(key, made);
  return made;
}

/** `[d, H, W]` resized to `[d, rows, columns]`; returns the same tensor where the size stays. */
function resize(kind: keyof typeof matrices, map: FloatTensor, [rows, columns]: Grid): FloatTensor {
  const [channels = 0, height = 0, width = 0] = map.dims;
  if (height === rows && width === columns) return map;
  const vertical = matrix(kind, height, rows);
  const horizontal = matrix(kind, width, columns);
  const result = floats([channels, rows, columns]);
  const narrowed = new Float32Array(height * columns); // one channel, columns done
  for (let channel = 0; channel < channels; channel++) {
    const plane = map.data.subarray(channel * height * width, (channel + 1) * height * width);
    mapRows(plane, horizontal, narrowed);
    mapColumns(narrowed, vertical, result.data.subarray(channel * rows * columns, (channel + 1) * rows * columns));
  }
  return result;
}

/** Every row of `plane [n, inputs]` through the matrix, into `target [n, outputs]`. */
function mapRows(plane: Float32Array, { outputs, inputs, values, starts, ends }: BandedMatrix, target: Float32Array): void {
  const count = plane.length / inputs;
  for (let row = 0; row < count; row++) {
    for (let out = 0; out < outputs; out++) {
      let total = 0;
      for (let i = starts[out]!; i < ends[out]!; i++) total += values[out * inputs + i]! * plane[row * inputs + i]!;
      target[row * outputs + out] = total;
    }
  }
}

/** Every column of `plane [inputs, n]` through the matrix, into `target [outputs, n]`. */
function mapColumns(plane: Float32Array, { outputs, inputs, values, starts, ends }: BandedMatrix, target: Float32Array): void {
  const count = plane.length / inputs;
  for (let out = 0; out < outputs; out++) {
    for (let column = 0; column < count; column++) {
      let total = 0;
      for (let i = starts[out]!; i < ends[out]!; i++) total += values[out * inputs + i]! * plane[i * count + column]!;
      target[out * count + column] = total;
    }
  }
}

/** torch's "area" resize (adaptive average pooling) of `[d, H, W]`. */
export function resizeArea(map: FloatTensor, grid: Grid): FloatTensor {
  return resize('area', map, grid);
}

/** torch's bicubic resize (align_corners = false) of `[d, H, W]`. */
export function resizeCubic(map: FloatTensor, grid: Grid): FloatTensor {
  return resize('cubic', map, grid);
}

/** torch's bilinear resize (align_corners = false) of `[d, H, W]`. */
export function resizeLinear(map: FloatTensor, grid: Grid): FloatTensor {
  return resize('linear', map, grid);
}

/** torch's bicubic resize (align_corners = true) of `[d, H, W]`. */
export function resizeCubicCorners(map: FloatTensor, grid: Grid): FloatTensor {
  return resize('cubic corners', map, grid);
}

/** torch's nearest resize of `[d, H, W]`. */
export function resizeNearest(map: FloatTensor, grid: Grid): FloatTensor {
  return resize('nearest', map, grid);
}
