import type { Grid } from '#base/geometry.js';

/** The cells of one anti-diagonal: rows `first`…`last`, ascending, each in column `index − row`. */
export interface Diagonal {
  readonly index: number;
  readonly first: number;
  readonly last: number;
}

/** The anti-diagonals of a grid, from the first cell to the last: as many as rows and columns together, less one. */
export function diagonalsOf([rows, columns]: Grid): readonly Diagonal[] {
  return Array.from({ length: rows + columns - 1 }, (_, index) => ({
    index,
    first: Math.max(0, index - columns + 1),
    last: Math.min(index, rows - 1),
  }));
}

/** Places in raster order. */
export function cellsOf({ index, first, last }: Diagonal, [, columns]: Grid): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * columns + index - first - i);
}
