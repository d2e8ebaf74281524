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
  let [left, right, top, bottom] = [extent.width, -1, extent.height, -1];
  for (let y = part.y; y < part.y + part.height; y++) {
    const start = y * extent.width + part.x;
    const row = values.subarray(start, start + part.width);
    const first = firstPainted(row);
    if (first === row.length) continue;
    let last = row.length - 1;
    while (row[last] === 0) last--;
    left = Math.min(left, part.x + first);
    right = Math.max(right, part.x + last);
    top = Math.min(top, y);
    bottom = y;
  }
  return right < 0 ? undefined : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
