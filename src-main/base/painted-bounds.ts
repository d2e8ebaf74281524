import type { Extent, Rect } from './geometry.js';

/** The smallest rectangle that holds every value above 0 of a mask; undefined where there is none. */
export function paintedBounds(values: Uint8Array, { width, height }: Extent): Rect | undefined {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    const row = values.subarray(y * width, (y + 1) * width);
    const first = row.findIndex((value) => value > 0);
    if (first < 0) continue;
    left = Math.min(left, first);
    right = Math.max(right, row.findLastIndex((value) => value > 0)); // prettier-ignore
    top = Math.min(top, y);
    bottom = y;
  }
  return right < 0 ? undefined : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
