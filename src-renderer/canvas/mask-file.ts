import { ExpectedError } from '#contract/errors.js';
import type { Extent } from '#base/geometry.js';
import type { MaskHistory, Point } from '#contract/mask.js';
import type { PaintedRuns } from '#document/mask.js';
import { offThread } from './off-thread.js';

/** The gray picture that the service makes of a mask file or of an object, as runs of a mask. */
export async function runsOfMask(file: Blob): Promise<PaintedRuns> {
  const runs = await offThread('readMask', file);
  if (!runs) throw new ExpectedError('image.unreadable', 'Expected a picture for the mask but received something else.');
  return runs;
}

/** White where a mask paints, as the contract wants it; undefined where it paints nothing. */
export async function paintedPng(history: MaskHistory, extent: Extent): Promise<Blob | undefined> {
  const painted = await offThread('paintMask', { history, extent });
  if (!painted) throw new Error('Expected the mask as a PNG but it could not be written.');
  return painted.png;
}

/** The same mask with edges that follow the picture's, as runs. */
export async function refineMask(
  bitmap: ImageBitmap,
  { values, extent }: { readonly values: Uint8Array; readonly extent: Extent },
  radius: number,
): Promise<PaintedRuns | undefined> {
  return offThread('refine', { bitmap: await createImageBitmap(bitmap), values: values.slice(), extent, radius });
}

/** The pixels like the one at `at` that hang together with it, as runs of a mask of the picture. */
export async function selectSimilar(bitmap: ImageBitmap, at: Point, tolerance: number): Promise<PaintedRuns | undefined> {
  return offThread('similar', { bitmap: await createImageBitmap(bitmap), at, tolerance });
}
