import type { Extent } from '#base/geometry.js';
import type { MaskHistory } from '#contract/mask.js';
import { rasterise } from '#document/mask.js';

/** Finer than this no screen shows the outline of a whole picture. */
const MOST_CELLS = 1500;
const HALF = 128;

/** A line along the cells of a mask, in its pixels. */
export interface OutlineLine {
  readonly from: readonly [x: number, y: number];
  readonly to: readonly [x: number, y: number];
}

const known = new WeakMap<MaskHistory, readonly OutlineLine[]>();

/** The outline of what is painted, found once per mask. */
export function outlineOfMask(history: MaskHistory, extent: Extent): readonly OutlineLine[] {
  const lines = known.get(history) ?? outlineOfValues(rasterise(history, extent), extent);
  known.set(history, lines);
  return lines;
}

/** Lines between cells that are painted and cells that are not, as long as they go straight on. */
export function outlineOfValues(values: Uint8Array, { width, height }: Extent): readonly OutlineLine[] {
  const side = Math.max(1, Math.ceil(Math.max(width, height) / MOST_CELLS));
  const [columns, rows] = [Math.ceil(width / side), Math.ceil(height / side)];
  const isIn = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < columns && y < rows && values[y * side * width + x * side]! >= HALF;
  const x = (at: number): number => Math.min(width, at * side);
  const y = (at: number): number => Math.min(height, at * side);
  const lines: OutlineLine[] = [];
  for (let row = 0; row <= rows; row++) {
    alongEdges(columns, (at) => isIn(at, row) !== isIn(at, row - 1), (from, to) => lines.push({ from: [x(from), y(row)], to: [x(to), y(row)] })); // prettier-ignore
  }
  for (let column = 0; column <= columns; column++) {
    alongEdges(rows, (at) => isIn(column, at) !== isIn(column - 1, at), (from, to) => lines.push({ from: [x(column), y(from)], to: [x(column), y(to)] })); // prettier-ignore
  }
  return lines;
}

function alongEdges(count: number, isEdge: (at: number) => boolean, found: (from: number, to: number) => void): void {
  for (let from = 0; from < count; from++) {
    if (!isEdge(from)) continue;
    let to = from;
    while (to < count && isEdge(to)) to++;
    found(from, to);
    from = to;
  }
}
