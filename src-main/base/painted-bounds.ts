import { intersect, type Extent, type Rect } from './geometry.js';

/** Plain loops, four values at a time: a large mask is mostly empty, and a function per pixel of it is felt. */
function firstPainted(row: Uint8Array): number {
  let first = 0;
  while (first < row.length && (row.byteOffset + first) % 4 !== 0 && row[first] === 0) first++;
  if ((row.byteOffset + first) % 4 === 0) {
    const words = new Uint32Array(row.buffer, row.byteOffset + first, (row.length - first) >> 2);
    let empty = 0;
    while (empty < words.length && words[empty] === 0) empty++;
    first += 4 * empty;
  }
  while (first < row.length && row[first] === 0) first++;
  return first;
}

/** The smallest rectangle that holds every value above 0 of a mask, or of a part of it; undefined where there is none. */
export function paintedBounds(values: Uint8Array, extent: Extent, within?: Rect): Rect | undefined {
  const part = within ? intersect(within, extent) : { x: 0, y: 0, ...extent };
  const right = part.x + part.width;
  // What lies between rows and columns that are known to be painted is not looked at: a large mask has millions of pixels.
  const firstOf = (y: number, end: number): number =>
    part.x + firstPainted(values.subarray(y * extent.width + part.x, y * extent.width + end));
  let [top, bottom] = [part.y, part.y + part.height - 1];
  while (top <= bottom && firstOf(top, right) === right) top++;
  if (top > bottom) return undefined;
  while (firstOf(bottom, right) === right) bottom--;
  let [first, last] = [right, part.x - 1];
  for (let y = top; y <= bottom; y++) {
    first = firstOf(y, first);
    const start = y * extent.width;
    let x = right - 1;
    while (x > last && values[start + x] === 0) x--;
    last = Math.max(last, x);
  }
  return { x: first, y: top, width: last - first + 1, height: bottom - top + 1 };
}
