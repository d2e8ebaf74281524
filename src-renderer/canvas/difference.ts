import type { Extent } from '#base/geometry.js';
import type { Space } from '#document/space.js';

/** Longer side of a heat map: differences are looked for, not measured. */
const LONGEST = 1024;
/** Below this share of full scale nobody sees a difference. */
const LEAST = 2 / 255;
/** Small differences are what one looks for: the map rises quickly and then levels off. */
const RISE = 8;

/** What changed from one picture to the other, over the space of the second: nothing is clear, little is blue, much is yellow. */
export function differenceOf(before: ImageBitmap, after: ImageBitmap, space: Space): OffscreenCanvas {
  const scale = Math.min(1, LONGEST / Math.max(space.extent.width, space.extent.height));
  const size = { width: Math.max(1, Math.round(space.extent.width * scale)), height: Math.max(1, Math.round(space.extent.height * scale)) };
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext('2d');
  if (!context) return canvas;
  const { x, y, width, height } = space.source;
  const [a, b] = [
    pixelsOf(size, (paint) => {
      paint.drawImage(before, x * scale, y * scale, width * scale, height * scale);
    }),
    pixelsOf(size, (paint) => {
      paint.drawImage(after, 0, 0, size.width, size.height);
    }),
  ];
  const heat = context.createImageData(size.width, size.height);
  for (let i = 0; i < heat.data.length; i += 4) {
    const change = Math.max(Math.abs(a[i]! - b[i]!), Math.abs(a[i + 1]! - b[i + 1]!), Math.abs(a[i + 2]! - b[i + 2]!)) / 255;
    heat.data.set(colourOf(change), i);
  }
  context.putImageData(heat, 0, 0);
  return canvas;
}

const CHANGED: readonly [number, number, number, number] = [40, 220, 90, 140];

/** A mask of what changed, as a tint over it. */
export function changedOverlay(mask: ImageBitmap): OffscreenCanvas {
  const scale = Math.min(1, LONGEST / Math.max(mask.width, mask.height));
  const size = { width: Math.max(1, Math.round(mask.width * scale)), height: Math.max(1, Math.round(mask.height * scale)) };
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext('2d');
  if (!context) return canvas;
  const levels = pixelsOf(size, (paint) => {
    paint.drawImage(mask, 0, 0, size.width, size.height);
  });
  const tint = context.createImageData(size.width, size.height);
  // What is smaller than a pixel of the overlay shows all the same.
  for (let i = 0; i < tint.data.length; i += 4) if (levels[i]! > 0) tint.data.set(CHANGED, i);
  context.putImageData(tint, 0, 0);
  return canvas;
}

function pixelsOf({ width, height }: Extent, draw: (context: OffscreenCanvasRenderingContext2D) => void): Uint8ClampedArray {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) return new Uint8ClampedArray(width * height * 4);
  draw(context);
  return context.getImageData(0, 0, width, height).data;
}

function colourOf(change: number): readonly [number, number, number, number] {
  if (change < LEAST) return [16, 16, 20, 200];
  const heat = 1 - Math.exp(-RISE * change);
  return [255 * Math.min(1, heat * 1.6), 255 * Math.max(0, heat * 1.5 - 0.4), 255 * Math.max(0, 0.9 - heat), 235];
}
