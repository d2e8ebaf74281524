import type { Grid } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

/** Rows of numbers that stand for the cells of a grid. */
export interface CellRows {
  readonly rows: Float32Array; // (cells, width)
  readonly width: number;
}

interface Window {
  readonly first: number;
  readonly end: number;
}

/**
 * Averages the rows of a grid's cells down to a coarser grid, as torch's "area" (adaptive average
 * pooling) does it: window ⌊i·in/out⌋ … ⌈(i+1)·in/out⌉, equal weights, overlapping where sizes don't divide.
 *
 * @param target receives `[cells of to, width]`.
 */
export function poolRows({ rows, width }: CellRows, { from, to }: { from: Grid; to: Grid }, target: Float32Array): void {
  if (from[0] === to[0] && from[1] === to[1]) {
    target.set(rows);
    return;
  }
  const vertical = windows(from[0], to[0]);
  const horizontal = windows(from[1], to[1]);
  vertical.forEach((lines, y) => {
    horizontal.forEach((columns, x) => {
      const start = (y * to[1] + x) * width;
      averageInto(target.subarray(start, start + width), windowCells(lines, columns, from[1]), { rows, width });
    });
  });
}

/** The same along one side as a matrix, `[to, from]`. */
export function areaWeights(from: number, to: number): FloatTensor {
  const weights = floats([to, from]);
  windows(from, to).forEach(({ first, end }, i) => weights.data.fill(1 / (end - first), i * from + first, i * from + end));
  return weights;
}

function windows(inputs: number, outputs: number): Window[] {
  return Array.from({ length: outputs }, (_, i) => ({
    first: Math.floor((i * inputs) / outputs),
    end: Math.ceil(((i + 1) * inputs) / outputs),
  }));
}

function windowCells(lines: Window, columns: Window, stride: number): number[] {
  const cells: number[] = [];
  for (let y = lines.first; y < lines.end; y++) for (let x = columns.first; x < columns.end; x++) cells.push(y * stride + x);
  return cells;
}

function averageInto(target: Float32Array, cells: readonly number[], { rows, width }: CellRows): void {
  target.fill(0);
  for (const cell of cells) {
    const start = cell * width;
    for (let i = 0; i < width; i++) target[i]! += rows[start + i]!;
  }
  const share = 1 / cells.length;
  for (let i = 0; i < width; i++) target[i]! *= share;
}
