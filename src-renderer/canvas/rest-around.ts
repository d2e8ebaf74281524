import { grown } from '#base/distance.js';
import type { Extent, Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import { restOutside, type Rest } from '#document/rest-outside.js';

/** Rests are judged in a picture of this longer side. */
const SIDE = 192;

/** What touches a mask of a picture and is like nothing further around it; lengths are pixels of the picture. */
export function restAround(bitmap: ImageBitmap, { values, extent }: { values: Uint8Array; extent: Extent }): Rest | undefined {
  const bounds = paintedBounds(values, extent);
  if (!bounds) return undefined;
  const region = grown(bounds, Math.max(bounds.width, bounds.height), extent);
  const scale = Math.min(1, SIDE / Math.max(region.width, region.height));
  const size = { width: Math.max(1, Math.round(region.width * scale)), height: Math.max(1, Math.round(region.height * scale)) };
  const rest = restOutside(pixelsOf(bitmap, region, size), maskOf(values, extent.width, { region, size }));
  return rest && { ...rest, growPx: Math.ceil(rest.growPx / scale) };
}

function pixelsOf(bitmap: ImageBitmap, { x, y, width, height }: Rect, size: Extent): ImageData {
  const context = new OffscreenCanvas(size.width, size.height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('Expected a canvas to draw on.');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, x, y, width, height, 0, 0, size.width, size.height);
  return context.getImageData(0, 0, size.width, size.height);
}

/** The pixel under the middle of every smaller one. */
function maskOf(values: Uint8Array, stride: number, { region, size }: { region: Rect; size: Extent }): Uint8Array {
  const mask = new Uint8Array(size.width * size.height);
  for (let i = 0; i < mask.length; i++) {
    const x = region.x + Math.floor((((i % size.width) + 0.5) * region.width) / size.width);
    const y = region.y + Math.floor(((Math.floor(i / size.width) + 0.5) * region.height) / size.height);
    mask[i] = values[y * stride + x]!;
  }
  return mask;
}
