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

/** The smallest rectangle that holds both. */
export function union(a: Rect, b: Rect): Rect {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  const right = Math.max(a.x + a.width, b.x + b.width);
  const bottom = Math.max(a.y + a.height, b.y + b.height);
  return { x, y, width: right - x, height: bottom - y };
}

/** Whether they share a sample. */
export function overlaps(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** Whether all of a rectangle lies in another. */
export function contains(outer: Rect, { x, y, width, height }: Rect): boolean {
  return x >= outer.x && y >= outer.y && x + width <= outer.x + outer.width && y + height <= outer.y + outer.height;
}

/** The part of `rect` that lies inside `bounds`; empty rectangles have a zero side. */
export function intersect(rect: Rect, { width, height }: Extent): Rect {
  return common(rect, { x: 0, y: 0, width, height });
}

/** What both have; empty rectangles have a zero side. */
export function common(a: Rect, b: Rect): Rect {
  const [x, y] = [Math.max(a.x, b.x), Math.max(a.y, b.y)];
  const right = Math.min(a.x + a.width, b.x + b.width);
  const bottom = Math.min(a.y + a.height, b.y + b.height);
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) };
}
