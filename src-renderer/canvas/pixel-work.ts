import { sampleCount, type Extent } from '#base/geometry.js';
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
}

export type PixelTask = keyof PixelWork;

export const PIXEL_WORK: { readonly [T in PixelTask]: (input: PixelWork[T]['in']) => Promise<PixelWork[T]['out']> } = {
  decode: async (file) => {
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
    return { bitmap, smaller: halvesOf(bitmap) };
  },
  encodeMask: ({ values, extent }) => encodeGreyPng(values, extent),
};

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
