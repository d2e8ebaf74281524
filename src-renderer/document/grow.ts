import { FAR, grown, squaredDistances } from '#base/distance.js';
import type { Extent, Rect } from '#base/geometry.js';

/**
 * Widens what is painted by a disc of `px` pixels, or narrows it where `px` is negative; growing and then shrinking
 * again gives a disc back. What lies beyond the picture counts as like its edge: shrinking takes nothing off there.
 */
export function growMask(mask: Uint8Array, extent: Extent, px: number): void {
  const bounds = paintedBounds(mask, extent);
  if (!bounds || px === 0) return;
  const radius = Math.abs(px);
  const region = grown(bounds, px > 0 ? radius : 1, extent);
  const grows = px > 0;
  const isSeed = (x: number, y: number) => mask[y * extent.width + x]! > 0 === grows;
  const distances = squaredDistances(isSeed, region, radius);
  distances.forEach((distance, i) => {
    if (distance === FAR || distance > radius * radius) return;
    const x = region.x + (i % region.width);
    const y = region.y + Math.floor(i / region.width);
    mask[y * extent.width + x] = grows ? 255 : 0;
  });
}

/** The smallest rectangle around what is painted; undefined where nothing is. */
function paintedBounds(mask: Uint8Array, { width, height }: Extent): Rect | undefined {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    const row = mask.subarray(y * width, (y + 1) * width);
    const first = row.findIndex((value) => value > 0);
    if (first < 0) continue;
    left = Math.min(left, first);
    right = Math.max(right, row.findLastIndex((value) => value > 0)); // prettier-ignore
    top = Math.min(top, y);
    bottom = y;
  }
  return right < 0 ? undefined : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
