import { sameExtent } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';

export interface Fade {
  /** 0 = the picture below, 1 = the one above. */
  readonly opacity: number;
  /** Where the one above counts; absent = everywhere. */
  readonly mask?: Mask | undefined;
}

/**
 * One picture over another of its size and layout, as an editor's layer of that opacity: samples are mixed as they stand
 * in the file, so that 0 and 1 give back the samples of one or the other. Throws `request.invalid`.
 */
export function faded(below: Photo, above: Photo, { opacity, mask }: Fade): Photo {
  expectAlike(below, above);
  if (opacity === 1 && !mask) return above;
  const { channels } = above;
  const samples = above.samples.slice();
  const share = opacity / 255;
  for (let pixel = 0, i = 0; i < samples.length; pixel++) {
    const part = mask ? mask.values[pixel]! * share : opacity;
    for (let channel = 0; channel < channels; channel++, i++) {
      const under = below.samples[i]!;
      samples[i] = Math.round(under + (samples[i]! - under) * part);
    }
  }
  return { ...above, samples };
}

function expectAlike(below: Photo, above: Photo): void {
  const isAlike = below.channels === above.channels && below.samples.BYTES_PER_ELEMENT === above.samples.BYTES_PER_ELEMENT;
  if (isAlike && sameExtent(below.extent, above.extent)) return;
  throw new ExpectedError('request.invalid', 'Expected two pictures of one size and depth to be laid over each other.');
}
