import { intersect, type Extent, type Rect } from './geometry.js';

/** The smallest rectangle that holds every value above 0 of a mask, or of a part of it; undefined where there is none. */
export function paintedBounds(values: Uint8Array, extent: Extent, within?: Rect): Rect | undefined {
  const part = within ? intersect(within, extent) : { x: 0, y: 0, ...extent };
  let [left, right, top, bottom] = [extent.width, -1, extent.height, -1];
  for (let y = part.y; y < part.y + part.height; y++) {
    const start = y * extent.width + part.x;
    const row = values.subarray(start, start + part.width);
    // Plain loops: a large mask is mostly empty, and a function per pixel of it is felt.
    let first = 0;
    while (first < row.length && row[first] === 0) first++;
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
