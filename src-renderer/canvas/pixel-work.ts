import { sampleCount, type Extent, type Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import type { Point } from '#contract/mask.js';
import { runsOf, type PaintedRuns } from '#document/mask.js';
import { edgeRegion, refinedEdges } from '#document/guided-filter.js';
import { similarPixels } from '#document/similar.js';
import { encodeGreyPng } from './mask-png.js';

/** From here on a picture gets smaller copies of itself to be looked at from afar. */
const LARGE_PIXELS = 4_000_000;
const SMALLEST_SIDE = 512;

/** A picture with its halves, quarters and so on, the largest first. */
export interface Decoded {
  readonly bitmap: ImageBitmap;
  readonly smaller: readonly ImageBitmap[];
}

/** The rows of a mask from the first that is painted to the last; all others are empty. */
export interface MaskRows {
  readonly extent: Extent;
  readonly top: number;
  /** They are used up. */
  readonly rows: Uint8Array<ArrayBuffer>;
}

/** Work on millions of pixels, which would hold the window up. */
export interface PixelWork {
  decode: { in: Blob; out: Decoded };
  encodeMask: { in: MaskRows; out: Blob };
  /** Of a gray picture, as a service makes it of a mask. */
  readMask: { in: Blob; out: PaintedRuns };
  /** The bitmap is used up. */
  similar: { in: { readonly bitmap: ImageBitmap; readonly at: Point; readonly tolerance: number }; out: PaintedRuns };
  /** The bitmap and the values are used up. */
  refine: {
    in: { readonly bitmap: ImageBitmap; readonly values: Uint8Array<ArrayBuffer>; readonly extent: Extent; readonly radius: number };
    out: PaintedRuns;
  };
}

export type PixelTask = keyof PixelWork;

export const PIXEL_WORK: { readonly [T in PixelTask]: (input: PixelWork[T]['in']) => Promise<PixelWork[T]['out']> } = {
  decode: async (file) => {
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
    return { bitmap, smaller: halvesOf(bitmap) };
  },
  encodeMask: ({ extent, top, rows }) => {
    const values = new Uint8Array(sampleCount(extent));
    values.set(rows, top * extent.width);
    return encodeGreyPng(values, extent);
  },
  readMask: async (file) => {
    const bitmap = await createImageBitmap(file);
    const { data } = pixelsOf(bitmap);
    bitmap.close();
    const values = new Uint8Array(data.length / 4);
    for (let i = 0; i < values.length; i++) values[i] = data[4 * i]!;
    return runsOf(values);
  },
  // eslint-disable-next-line @typescript-eslint/require-await -- all work answers later
  similar: async ({ bitmap, at, tolerance }) => {
    const pixels = pixelsOf(bitmap);
    bitmap.close();
    return runsOf(similarPixels(pixels, at, tolerance));
  },
  // eslint-disable-next-line @typescript-eslint/require-await -- all work answers later
  refine: async (input) => {
    const values = refined(input);
    input.bitmap.close();
    return runsOf(values);
  },
};

/** More pixels are looked at in smaller copies. */
const REFINED_AT_ONCE = 2_000_000;

/** The same mask with edges that follow the picture's. */
function refined({ bitmap, values, extent, radius }: PixelWork['refine']['in']): Uint8Array {
  const bounds = paintedBounds(values, extent);
  if (!bounds) return values;
  const region = edgeRegion(bounds, extent, radius);
  const picture = pixelsOf(bitmap, region);
  const rowOf = (y: number): number => (region.y + y) * extent.width + region.x;
  const part = new Uint8Array(sampleCount(region));
  for (let y = 0; y < region.height; y++) part.set(values.subarray(rowOf(y), rowOf(y) + region.width), y * region.width);
  const step = Math.min(Math.max(1, Math.floor(radius / 2)), Math.ceil(Math.sqrt(sampleCount(region) / REFINED_AT_ONCE)));
  const edges = refinedEdges({ picture, values: part }, radius, step);
  const result = values.slice();
  for (let y = 0; y < region.height; y++) result.set(edges.subarray(y * region.width, (y + 1) * region.width), rowOf(y));
  return result;
}

/** Of all of a bitmap, or of a part. */
export function pixelsOf(
  bitmap: ImageBitmap,
  { x, y, width, height }: Rect = { x: 0, y: 0, width: bitmap.width, height: bitmap.height },
): ImageData {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('Expected a canvas to draw on.');
  context.imageSmoothingEnabled = false;
  context.drawImage(bitmap, -x, -y);
  return context.getImageData(0, 0, width, height);
}

function halvesOf(bitmap: ImageBitmap): readonly ImageBitmap[] {
  if (sampleCount(bitmap) < LARGE_PIXELS) return [];
  const halves: ImageBitmap[] = [];
  let last = bitmap;
  while (Math.min(last.width, last.height) >= 2 * SMALLEST_SIDE) {
    const half = new OffscreenCanvas(Math.round(last.width / 2), Math.round(last.height / 2));
    const context = half.getContext('2d');
    if (!context) break;
    context.imageSmoothingQuality = 'medium';
    context.drawImage(last, 0, 0, half.width, half.height);
    last = half.transferToImageBitmap();
    halves.push(last);
  }
  return halves;
}

/** Bitmaps and samples move between the threads, they are not copied: that would hold the window up. */
export function movedWith(value: unknown): Transferable[] {
  const parts: readonly unknown[] =
    typeof value === 'object' && value !== null && !(value instanceof Blob) ? Object.values(value).flat() : [];
  return parts.flatMap<Transferable>((part) => {
    if (part instanceof ImageBitmap) return [part];
    return part instanceof Uint8Array && part.buffer instanceof ArrayBuffer ? [part.buffer] : [];
  });
}
