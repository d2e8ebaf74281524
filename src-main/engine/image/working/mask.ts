import { sameExtent, sampleCount, type Extent, type Rect } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import { openPhoto } from '#engine/image/files/decode.js';
import { paintedBounds } from '#base/painted-bounds.js';
import { smoothStep, softEdge } from '#base/smooth-step.js';
import { FAR, beyond, grown, squaredDistances } from '#base/distance.js';
import { incompleteAs, type Mask } from '#engine/image/files/photo.js';
import { paintedValues } from './mask-file.js';
import { workingMask } from './working-copy.js';

/** Masks of another size are resized when their sides are in the same proportion up to this. */
const SAME_SHAPE = 0.01;
/** At least this much of a pixel must be painted to count as inside. */
const INSIDE = 128;

/**
 * Reads a mask picture of any kind, see `paintedValues`; what had to be guessed is said.
 *
 * @throws ExpectedError `mask.invalid` for a picture that is no mask, `mask.empty` where nothing is painted, `mask.size`
 * where the shape is not the picture's, and as `openPhoto` does.
 */
export async function openMask(bytes: Uint8Array, extent: Extent): Promise<{ mask: Mask; notices: readonly Notice[] }> {
  const photo = await openPhoto(bytes);
  const { values, notices: read } = paintedValues(photo);
  const notices = [...incompleteAs('mask', photo), ...read];
  const mask = { extent: photo.extent, values };
  if (!maskBounds(mask)) throw new ExpectedError('mask.empty', 'Expected a mask with a painted part but received an empty one.');
  if (sameExtent(photo.extent, extent)) return { mask, notices };
  const [received, expected] = [`${photo.extent.width}×${photo.extent.height}`, `${extent.width}×${extent.height}`];
  if (!sameShape(photo.extent, extent)) throw new ExpectedError('mask.size', `Expected a mask of ${expected} but received ${received}.`);
  const message = `The mask was resized from ${received} to ${expected}.`;
  return { mask: resizeMask(mask, extent), notices: [...notices, { code: 'mask.resized', message, details: { received, expected } }] };
}

function sameShape(a: Extent, b: Extent): boolean {
  const stretch = (a.width * b.height) / (a.height * b.width);
  // One pixel of rounding is always allowed: small masks cannot hit the proportion exactly.
  const rounding = Math.max(1 / a.width, 1 / a.height);
  return Math.abs(stretch - 1) <= Math.max(SAME_SHAPE, rounding);
}

/** The mask at another size, by area. */
export function resizeMask(mask: Mask, extent: Extent): Mask {
  const shares = workingMask(mask, { x: 0, y: 0, ...mask.extent }, extent);
  return { extent, values: Uint8Array.from(shares.data, (share) => Math.round(share * 255)) };
}

/** A weight that needs no samples. */
export const EVERYWHERE = 'everywhere';

/** Where and how much an edit shows. */
export type Weight = Mask | typeof EVERYWHERE;

export function emptyMask(extent: Extent): Mask {
  return { extent, values: new Uint8Array(sampleCount(extent)) };
}

export function fullMask(extent: Extent): Mask {
  return { extent, values: new Uint8Array(sampleCount(extent)).fill(255) };
}

export function invert({ extent, values }: Mask): Mask {
  return { extent, values: values.map((value) => 255 - value) };
}

/** The smallest rectangle that holds every painted pixel; null where there is none. */
export function maskBounds({ extent, values }: Mask): Rect | null {
  return paintedBounds(values, extent) ?? null;
}

/** The mask grown by `radiusPx` in every direction (a disc). */
export function dilate(mask: Mask, radiusPx: number): Mask {
  return around(mask, radiusPx, () => 255);
}

interface SoftPart {
  /** What is painted. */
  readonly bounds: Rect;
  readonly softEdgePx: number;
}

/**
 * The mask with a soft edge outside each of its parts: 255 inside as before, 0 beyond the edge. No part may come into the
 * soft edge of another.
 */
export function feather(mask: Mask, parts: readonly SoftPart[]): Mask {
  const values = mask.values.slice();
  for (const { bounds, softEdgePx } of parts) {
    widen(mask, { bounds, radius: softEdgePx, valueAt: (distance) => softEdge(distance, softEdgePx) }, values);
  }
  return { extent: mask.extent, values };
}

/** White beside a rectangle, black in it; the white begins softly over `softEdgePx` pixels. */
export function outside(rect: Rect, extent: Extent, softEdgePx = 0): Mask {
  const values = new Uint8Array(sampleCount(extent)).fill(255);
  const rim = grown(rect, Math.ceil(softEdgePx), extent);
  for (let y = rim.y; y < rim.y + rim.height; y++) {
    const row = values.subarray(y * extent.width, (y + 1) * extent.width);
    const dy = beyond(y, rect.y, rect.height);
    const blackPx = dy === 0 ? rect.width : 0;
    row.fill(0, rect.x, rect.x + blackPx);
    for (let i = 0; i < rim.width - blackPx; i++) {
      const x = rim.x + i + (rim.x + i < rect.x ? 0 : blackPx);
      const distance = Math.sqrt(beyond(x, rect.x, rect.width) ** 2 + dy ** 2);
      row[x] = Math.round(255 * (1 - smoothStep(Math.max(0, 1 - distance / (softEdgePx + 1)))));
    }
  }
  return { extent, values };
}

/** Gives the pixels within `radius` of the mask a value by their distance; painted pixels keep at least theirs. */
function around(mask: Mask, radius: number, valueAt: (distance: number) => number): Mask {
  const bounds = maskBounds(mask);
  if (!bounds || radius <= 0) return mask;
  const values = mask.values.slice();
  widen(mask, { bounds, radius, valueAt }, values);
  return { extent: mask.extent, values };
}

interface Widening {
  /** What is painted in the part at hand. */
  readonly bounds: Rect;
  readonly radius: number;
  readonly valueAt: (distance: number) => number;
}

function widen({ extent, values }: Mask, { bounds, radius, valueAt }: Widening, result: Uint8Array): void {
  if (radius <= 0) return;
  const region = grown(bounds, Math.ceil(radius), extent);
  const solid = highestIn(values, bounds, extent) >= INSIDE ? INSIDE : 1;
  const distances = squaredDistances((x, y) => values[y * extent.width + x]! >= solid, region, radius);
  for (let i = 0; i < distances.length; i++) {
    const squared = distances[i]!;
    if (squared === FAR) continue;
    const at = (region.y + Math.trunc(i / region.width)) * extent.width + region.x + (i % region.width);
    if (result[at] !== 255) result[at] = Math.max(result[at]!, squared === 0 ? result[at]! : valueAt(Math.sqrt(squared)));
  }
}

function highestIn(values: Uint8Array, { x, y, width, height }: Rect, extent: Extent): number {
  let highest = 0;
  for (let row = y; row < y + height; row++) {
    for (let at = row * extent.width + x, end = at + width; at < end; at++) highest = Math.max(highest, values[at]!);
  }
  return highest;
}
