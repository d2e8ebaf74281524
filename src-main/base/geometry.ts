/** Width and height of a picture or grid, in its own samples. */
export interface Extent {
  readonly width: number;
  readonly height: number;
}

/** A rectangle of whole samples; `x` and `y` are its top-left corner. */
export interface Rect extends Extent {
  readonly x: number;
  readonly y: number;
}

/** Rows and columns of a token grid: the order in which the papers write a scale. */
export type Grid = readonly [rows: number, columns: number];

export function sampleCount(extent: Extent): number {
  return extent.width * extent.height;
}

export function cellCount([rows, columns]: Grid): number {
  return rows * columns;
}

export function sameExtent(a: Extent, b: Extent): boolean {
  return a.width === b.width && a.height === b.height;
}

/** The part of `rect` that lies inside `bounds`; empty rectangles have a zero side. */
export function intersect(rect: Rect, bounds: Extent): Rect {
  const x = Math.max(0, rect.x);
  const y = Math.max(0, rect.y);
  const right = Math.min(bounds.width, rect.x + rect.width);
  const bottom = Math.min(bounds.height, rect.y + rect.height);
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) };
}
