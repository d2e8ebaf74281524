import { intersect, type Extent, type Rect } from './geometry.js';

/** The smallest rectangle that holds every value above 0 of a mask, or of a part of it; undefined where there is none. */
export function paintedBounds(values: Uint8Array, extent: Extent, within?: Rect): Rect | undefined {
  const part = within ? intersect(within, extent) : { x: 0, y: 0, ...extent };
  let [left, right, top, bottom] = [extent.width, -1, extent.height, -1];
  for (let y = part.y; y < part.y + part.height; y++) {
    const start = y * extent.width + part.x;
    const row = values.subarray(start, start + part.width);
    const first = row.findIndex((value) => value > 0);
    if (first < 0) continue;
    left = Math.min(left, part.x + first);
    right = Math.max(right, part.x + row.findLastIndex((value) => value > 0)); // prettier-ignore
    top = Math.min(top, y);
    bottom = y;
  }
  return right < 0 ? undefined : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
