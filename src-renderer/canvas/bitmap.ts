import { sameExtent, sampleCount, type Extent } from '#base/geometry.js';
import type { OutputFormat } from '#contract/request.js';
import { offThread } from './off-thread.js';
import { SMALL_PIXELS } from './pixel-work.js';

/** Formats that every browser engine of ours draws by itself. */
const DRAWABLE: ReadonlySet<OutputFormat> = new Set(['png', 'jpeg', 'webp', 'avif']);

/** Smaller copies of large pictures. */
const SMALLER = new WeakMap<ImageBitmap, readonly ImageBitmap[]>();

const BYTES_PER_PIXEL = 4;

export function isDrawable(format: OutputFormat): boolean {
  return DRAWABLE.has(format);
}

/** An encoded picture for drawing, upright; undefined where the browser reads it otherwise than the service did. */
export async function decodeBitmap(file: Blob, expected?: Extent): Promise<ImageBitmap | undefined> {
  const { bitmap, smaller = [] } = (await offThread('decode', file)) ?? {};
  if (bitmap && smaller.length > 0) SMALLER.set(bitmap, smaller);
  if (!bitmap || !expected || sameExtent(bitmap, expected)) return bitmap;
  closeBitmap(bitmap);
  return undefined;
}

/** The largest copy that is small enough to stay, with the smaller ones; the picture itself where there are none. */
export function smallOf(bitmap: ImageBitmap): ImageBitmap {
  const copies = copiesOf(bitmap);
  const at = copies.findIndex((copy) => sampleCount(copy) <= SMALL_PIXELS);
  const small = copies[at] ?? bitmap;
  if (small !== bitmap) SMALLER.set(small, copies.slice(at + 1));
  return small;
}

/** Gives a picture the copies that another of the same has already, in place of its own. */
export function shareSmaller(bitmap: ImageBitmap, small: ImageBitmap): void {
  const own = copiesOf(bitmap);
  for (const copy of own) if (sampleCount(copy) <= sampleCount(small)) copy.close();
  SMALLER.set(bitmap, [...own.filter((copy) => sampleCount(copy) > sampleCount(small)), small, ...copiesOf(small)]);
}

/** Lets go of a picture and of its copies, down to one that stays. */
export function closeBitmap(bitmap: ImageBitmap, down?: ImageBitmap): void {
  for (const copy of heldWith(bitmap, down)) copy.close();
}

/** Bytes of a picture and of its copies, down to one that stays anyway. */
export function bytesOf(bitmap: ImageBitmap, down: ImageBitmap): number {
  return heldWith(bitmap, down).reduce((sum, copy) => sum + BYTES_PER_PIXEL * sampleCount(copy), 0);
}

function copiesOf(bitmap: ImageBitmap): readonly ImageBitmap[] {
  return SMALLER.get(bitmap) ?? [];
}

/** The picture and its copies that are larger than the one that stays. */
function heldWith(bitmap: ImageBitmap, down: ImageBitmap | undefined): readonly ImageBitmap[] {
  const all = [bitmap, ...copiesOf(bitmap)];
  return down ? all.slice(0, all.indexOf(down)) : all;
}

/** The smallest copy that still has a pixel for each of the screen's at this zoom. */
export function copyFor(bitmap: ImageBitmap, zoom: number): ImageBitmap {
  return SMALLER.get(bitmap)?.findLast(({ width }) => width >= bitmap.width * zoom) ?? bitmap;
}
