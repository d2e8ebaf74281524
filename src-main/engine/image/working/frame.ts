import { sampleCount, type Extent, type Rect } from '#base/geometry.js';
import { mirrored } from '#engine/image/sampling/resample.js';
import { outside } from './mask.js';
import { fullScale, type ExtraChannels, type Mask, type Photo } from '#engine/image/files/photo.js';

/** Border in pixels to add, per side. */
export interface Border {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface FrameOptions {
  /** Width over height. */
  readonly aspect: number;
  /** Shorter frame side over the mask's longer side. */
  readonly context: number;
  /** In photo pixels. */
  readonly minSide: number;
}

/** Less context than this and the model can only guess what a hole is part of. */
const LEAST_CONTEXT = 1.6;
export const LEAST_SIDE = 128;

/**
 * The part of a photo to work on for a mask with these bounds: the mask in the middle, context around it. Moved to stay
 * inside the photo where it fits; where it is longer than the photo it is centred on it and reaches beyond.
 */
export function frameAround(bounds: Rect, photo: Extent, { aspect, context, minSide }: FrameOptions): Rect {
  const side = Math.max(Math.max(bounds.width, bounds.height) * Math.max(LEAST_CONTEXT, context), minSide, LEAST_SIDE);
  const width = Math.ceil(side * Math.max(1, aspect));
  const height = Math.ceil(width / aspect);
  const whole = frameWhole(photo, aspect);
  if (width >= whole.width && height >= whole.height) return whole;
  return {
    x: place({ centre: bounds.x + bounds.width / 2, side: width, photoSide: photo.width }),
    y: place({ centre: bounds.y + bounds.height / 2, side: height, photoSide: photo.height }),
    width,
    height,
  };
}

function place({ centre, side, photoSide }: { centre: number; side: number; photoSide: number }): number {
  if (side >= photoSide) return centredStart(side, photoSide);
  return Math.min(photoSide - side, Math.max(0, Math.round(centre - side / 2)));
}

/** Where a frame side begins that is centred on a shorter photo side. */
function centredStart(side: number, photoSide: number): number {
  return Math.ceil((photoSide - side) / 2) || 0; // never a negative zero
}

/** The smallest frame of this aspect (width over height) that holds the whole photo, centred on it. */
export function frameWhole(photo: Extent, aspect: number): Rect {
  const width = Math.max(photo.width, Math.round(photo.height * aspect));
  const height = Math.max(photo.height, Math.round(photo.width / aspect));
  return { x: centredStart(width, photo.width), y: centredStart(height, photo.height), width, height };
}

function extended({ width, height }: Extent, margins: Border): Extent {
  return { width: width + margins.left + margins.right, height: height + margins.top + margins.bottom };
}

/** The photo on a larger canvas: its own samples unchanged, its mirror image around them, opaque. */
export function extendPhoto(photo: Photo, margins: Border): Photo {
  const { channels, samples } = photo;
  const extent = extended(photo.extent, margins);
  const length = sampleCount(extent) * channels;
  const grown = samples.BYTES_PER_ELEMENT === 2 ? new Uint16Array(length) : new Uint8Array(length);
  const rowLength = photo.extent.width * channels;
  for (let y = 0; y < extent.height; y++) {
    const source = mirrored(y - margins.top, photo.extent.height) * rowLength;
    const row = grown.subarray(y * extent.width * channels, (y + 1) * extent.width * channels);
    row.set(samples.subarray(source, source + rowLength), margins.left * channels);
    mirrorRow(row, { photo, left: margins.left, source });
  }
  if (channels === 2 || channels === 4) makeOpaque(grown, { channels, mask: outside(keptPart(photo, margins), extent) });
  const { extra } = photo;
  return {
    ...photo,
    extent,
    samples: grown,
    ...(extra && { extra: { ...extra, samples: placed(extra, photo.extent, { extent, margins }) } }),
  };
}

/** Further channels on the larger canvas: nothing is selected in the new border. */
function placed({ count, samples }: ExtraChannels, from: Extent, to: { extent: Extent; margins: Border }): Uint8Array | Uint16Array {
  const length = sampleCount(to.extent) * count;
  const grown = samples.BYTES_PER_ELEMENT === 2 ? new Uint16Array(length) : new Uint8Array(length);
  for (let y = 0; y < from.height; y++) {
    const row = samples.subarray(y * from.width * count, (y + 1) * from.width * count);
    grown.set(row, ((y + to.margins.top) * to.extent.width + to.margins.left) * count);
  }
  return grown;
}

function mirrorRow(row: Uint8Array | Uint16Array, { photo, left, source }: { photo: Photo; left: number; source: number }): void {
  const { channels, samples, extent } = photo;
  for (let x = 0; x < row.length / channels; x++) {
    const from = x - left;
    if (from >= 0 && from < extent.width) continue;
    const at = source + mirrored(from, extent.width) * channels;
    for (let c = 0; c < channels; c++) row[x * channels + c] = samples[at + c]!;
  }
}

function makeOpaque(samples: Uint8Array | Uint16Array, { channels, mask }: { channels: number; mask: Mask }): void {
  const opaque = fullScale(samples);
  mask.values.forEach((value, i) => {
    if (value > 0) samples[i * channels + channels - 1] = opaque;
  });
}

/** Where the photo lies on its larger canvas. */
export function keptPart(photo: Photo, margins: Border): Rect {
  return { x: margins.left, y: margins.top, ...photo.extent };
}
