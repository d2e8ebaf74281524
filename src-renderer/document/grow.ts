import { FAR, grown, squaredDistances } from '#base/distance.js';
import type { Extent } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import { softEdge } from '#base/smooth-step.js';

/** From here on a pixel counts as painted where only yes and no are known. */
const INSIDE = 128;

/**
 * Widens what is painted by a disc of `px` pixels, or narrows it where `px` is negative; growing and then shrinking
 * again gives a disc back. A soft edge becomes hard where it is passed over. What lies beyond the picture counts as like its edge: shrinking takes nothing off there.
 */
export function growMask(mask: Uint8Array, extent: Extent, px: number): void {
  const bounds = paintedBounds(mask, extent);
  if (!bounds || px === 0) return;
  const radius = Math.abs(px);
  const region = grown(bounds, px > 0 ? radius : 1, extent);
  const grows = px > 0;
  const isSeed = (x: number, y: number) => mask[y * extent.width + x]! >= INSIDE === grows;
  const distances = squaredDistances(isSeed, region, radius);
  distances.forEach((distance, i) => {
    if (distance === FAR || distance > radius * radius) return;
    const x = region.x + (i % region.width);
    const y = region.y + Math.floor(i / region.width);
    mask[y * extent.width + x] = grows ? 255 : 0;
  });
}

/** Gives what is painted a soft edge of `px` pixels outside, as the engine's own soft edge: nothing inside becomes less. */
export function featherMask(mask: Uint8Array, extent: Extent, px: number): void {
  const bounds = paintedBounds(mask, extent);
  if (!bounds) return;
  const region = grown(bounds, px, extent);
  const distances = squaredDistances((x, y) => mask[y * extent.width + x]! >= INSIDE, region, px);
  distances.forEach((distance, i) => {
    if (distance === FAR) return;
    const at = (region.y + Math.floor(i / region.width)) * extent.width + region.x + (i % region.width);
    mask[at] = Math.max(mask[at]!, softEdge(Math.sqrt(distance), px));
  });
}
