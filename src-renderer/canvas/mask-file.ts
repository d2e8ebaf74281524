import { ExpectedError } from '#contract/errors.js';
import type { Extent } from '#base/geometry.js';
import type { Point, Runs } from '#contract/mask.js';
import { decodeBitmap } from './bitmap.js';
import { offThread } from './off-thread.js';
import { pixelsOf } from './pixel-work.js';

/** The gray picture that the service makes of a mask file, as values of the mask. */
export async function valuesOfMask(file: Blob): Promise<Uint8Array> {
  const bitmap = await decodeBitmap(file);
  if (!bitmap) throw new ExpectedError('image.unreadable', 'Expected a picture for the mask but received something else.');
  const { data } = pixelsOf(bitmap);
  bitmap.close();
  return Uint8Array.from({ length: data.length / 4 }, (_, i) => data[i * 4]!);
}

/** The same mask with edges that follow the picture's, as runs. */
export async function refineMask(
  bitmap: ImageBitmap,
  { values, extent }: { readonly values: Uint8Array; readonly extent: Extent },
  radius: number,
): Promise<Omit<Runs, 'erase'> | undefined> {
  return offThread('refine', { bitmap: await createImageBitmap(bitmap), values, extent, radius });
}

/** The pixels like the one at `at` that hang together with it, as runs of a mask of the picture. */
export async function selectSimilar(bitmap: ImageBitmap, at: Point, tolerance: number): Promise<Omit<Runs, 'erase'> | undefined> {
  return offThread('similar', { bitmap: await createImageBitmap(bitmap), at, tolerance });
}
