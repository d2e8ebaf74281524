import { sameExtent, sampleCount } from '#base/geometry.js';
import type { Photo } from './photo.js';

export interface Change {
  readonly before: Photo;
  readonly after: Photo;
  /** Another version of `before`. */
  readonly onto: Photo;
}

/**
 * What turned `before` into `after`, done to `onto`: changed pixels as they stand in `after`, all others as in `onto`.
 * Undefined where that is no edit of its own: `onto` differs from `before` in a changed pixel or right beside one, or in
 * its size or layout.
 */
export function carryChange({ before, after, onto }: Change): Photo | undefined {
  if (!isAlike(before, after) || !isAlike(before, onto)) return undefined;
  const changed = differences(before, after);
  if (touch(changed, differences(before, onto), before.extent.width)) return undefined;
  const { channels } = before;
  const samples = onto.samples.slice();
  changed.forEach((differs, i) => {
    if (differs) samples.set(after.samples.subarray(i * channels, (i + 1) * channels), i * channels);
  });
  return { ...onto, samples };
}

function isAlike(a: Photo, b: Photo): boolean {
  return sameExtent(a.extent, b.extent) && a.channels === b.channels && a.samples.BYTES_PER_ELEMENT === b.samples.BYTES_PER_ELEMENT;
}

/** 1 for every pixel that differs. */
function differences(a: Photo, b: Photo): Uint8Array {
  const { channels } = a;
  const pixels = new Uint8Array(sampleCount(a.extent));
  for (let i = 0; i < a.samples.length; i++) {
    if (a.samples[i] !== b.samples[i]) pixels[Math.trunc(i / channels)] = 1;
  }
  return pixels;
}

/** Is any pixel of one a pixel of the other, or one of its eight neighbours? */
function touch(a: Uint8Array, b: Uint8Array, width: number): boolean {
  return a.some((set, i) => {
    if (!set) return false;
    const x = i % width;
    const [from, to] = [x === 0 ? 0 : -1, x === width - 1 ? 0 : 1];
    for (let row = i - width; row <= i + width; row += width) {
      for (let dx = from; dx <= to; dx++) if (b[row + dx]) return true;
    }
    return false;
  });
}
