import { sampleCount, type Extent } from '#base/geometry.js';
import type { Point, Runs } from '#contract/mask.js';
import { runsOf } from '#document/mask.js';
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

/** Work on millions of pixels, which would hold the window up. */
export interface PixelWork {
  decode: { in: Blob; out: Decoded };
  encodeMask: { in: { readonly values: Uint8Array; readonly extent: Extent }; out: Blob };
  /** The bitmap is used up. */
  similar: { in: { readonly bitmap: ImageBitmap; readonly at: Point; readonly tolerance: number }; out: Omit<Runs, 'erase'> };
}

export type PixelTask = keyof PixelWork;

export const PIXEL_WORK: { readonly [T in PixelTask]: (input: PixelWork[T]['in']) => Promise<PixelWork[T]['out']> } = {
  decode: async (file) => {
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
    return { bitmap, smaller: halvesOf(bitmap) };
  },
  encodeMask: ({ values, extent }) => encodeGreyPng(values, extent),
  // eslint-disable-next-line @typescript-eslint/require-await -- all work answers later
  similar: async ({ bitmap, at, tolerance }) => {
    const pixels = pixelsOf(bitmap);
    bitmap.close();
    return runsOf(similarPixels(pixels, at, tolerance));
  },
};

export function pixelsOf(bitmap: ImageBitmap): ImageData {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('Expected a canvas to draw on.');
  context.imageSmoothingEnabled = false;
  context.drawImage(bitmap, 0, 0, width, height);
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

/** Bitmaps move between the threads, they are not copied. */
export function bitmapsOf(value: unknown): Transferable[] {
  return typeof value === 'object' && value !== null && !(value instanceof Blob) ? Object.values(value).flat().filter(isBitmap) : [];
}

function isBitmap(value: unknown): value is ImageBitmap {
  return value instanceof ImageBitmap;
}
