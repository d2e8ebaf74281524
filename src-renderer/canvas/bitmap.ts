import { sameExtent, type Extent } from '#base/geometry.js';
import type { OutputFormat } from '#contract/request.js';
import { offThread } from './off-thread.js';

/** Formats that every browser engine of ours draws by itself. */
const DRAWABLE: ReadonlySet<OutputFormat> = new Set(['png', 'jpeg', 'webp', 'avif']);

/** Smaller copies of large pictures; they go with them. */
const SMALLER = new WeakMap<ImageBitmap, readonly ImageBitmap[]>();

export function isDrawable(format: OutputFormat): boolean {
  return DRAWABLE.has(format);
}

/** An encoded picture for drawing, upright; undefined where the browser reads it otherwise than the service did. */
export async function decodeBitmap(file: Blob, expected?: Extent): Promise<ImageBitmap | undefined> {
  const { bitmap, smaller = [] } = (await offThread('decode', file)) ?? {};
  if (bitmap && smaller.length > 0) SMALLER.set(bitmap, smaller);
  if (!bitmap || !expected || sameExtent(bitmap, expected)) return bitmap;
  bitmap.close();
  return undefined;
}

/** The smallest copy that still has a pixel for each of the screen's at this zoom. */
export function copyFor(bitmap: ImageBitmap, zoom: number): ImageBitmap {
  return SMALLER.get(bitmap)?.findLast(({ width }) => width >= bitmap.width * zoom) ?? bitmap;
}
