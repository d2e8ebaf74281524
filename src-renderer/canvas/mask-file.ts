import type { Extent } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { Point } from '#contract/mask.js';
import { similarPixels } from '#document/similar.js';
import { decodeBitmap } from './bitmap.js';

/** What lossy compression leaves of black and white. */
const [NEARLY_BLACK, NEARLY_WHITE] = [16, 239];
/** Sides may differ by rounding. */
const SHAPE_TOLERANCE = 0.01;

/**
 * A mask that someone made elsewhere, white where to repaint, at the picture's size.
 *
 * @throws ExpectedError `image.unreadable` for files that are no picture, `mask.size` for masks of another shape.
 */
export async function readMask(file: Blob, extent: Extent): Promise<{ readonly mask: Uint8Array; readonly resized: boolean }> {
  const bitmap = await decodeBitmap(file);
  if (!bitmap) throw new ExpectedError('image.unreadable', 'Expected a picture for the mask but received something else.');
  const { width, height } = bitmap;
  if (Math.abs((width / height) * (extent.height / extent.width) - 1) > SHAPE_TOLERANCE) {
    const wanted = `${extent.width}×${extent.height}`;
    throw new ExpectedError('mask.size', `Expected a mask in the shape of ${wanted} but received ${width}×${height}.`);
  }
  const { data } = pixelsOf(bitmap, extent);
  const mask = new Uint8Array(extent.width * extent.height);
  const valueOf = file.type === 'image/png' ? Math.round : cleaned;
  for (let i = 0; i < mask.length; i++) mask[i] = valueOf((data[i * 4]! * data[i * 4 + 3]!) / 255);
  bitmap.close();
  return { mask, resized: width !== extent.width || height !== extent.height };
}

function cleaned(value: number): number {
  if (value <= NEARLY_BLACK) return 0;
  return value >= NEARLY_WHITE ? 255 : Math.round(value);
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
