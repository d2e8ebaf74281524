import type { Extent } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { Point } from '#contract/mask.js';
import { similarPixels } from '#document/similar.js';
import { decodeBitmap } from './bitmap.js';

/** The gray picture that the service makes of a mask file, as values of the mask. */
export async function valuesOfMask(file: Blob): Promise<Uint8Array> {
  const bitmap = await decodeBitmap(file);
  if (!bitmap) throw new ExpectedError('image.unreadable', 'Expected a picture for the mask but received something else.');
  const { data } = pixelsOf(bitmap, bitmap);
  bitmap.close();
  return Uint8Array.from({ length: data.length / 4 }, (_, i) => data[i * 4]!);
}

/** The pixels like the one at `at` that hang together with it, as a mask of the picture. */
export function selectSimilar(bitmap: ImageBitmap, at: Point, tolerance: number): Uint8Array {
  return similarPixels(pixelsOf(bitmap, bitmap), at, tolerance);
}

function pixelsOf(bitmap: ImageBitmap, { width, height }: Extent): ImageData {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('Expected a canvas to draw on.');
  context.imageSmoothingEnabled = false;
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}
