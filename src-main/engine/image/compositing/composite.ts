import { intersect, sampleCount, sameExtent, type Extent, type Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import { smoothStep } from '#base/smooth-step.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { colourSpaceOf, type ColourSpace, type Planes } from '#engine/image/colour/colour.js';
import { clampRow, type NativeRows, type RowEdit } from './composite-rows.js';
import type { ColourMap } from './colour-map.js';
import type { ObjectMap } from './objects/object-map.js';
import { inOwnColours, tableOf } from './own-colours.js';
import { compositeRows } from './row-kernel.js';
import { gaussian, maxWindow } from '#engine/image/sampling/gauss.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { FrameSampler } from '#engine/image/sampling/resample.js';
import { EVERYWHERE, fullMask, type Weight } from '#engine/image/working/mask.js';
import { Seam } from './seam.js';
import { matchSurroundings } from './surroundings.js';
import { fitTransfer } from './transfer.js';

/** An edit of the model, in its own frame, on its way back to the pixels of the photo. */
export interface CompositeJob {
  readonly photo: Photo;
  /** The part of the photo that the model saw, in photo pixels; may reach beyond the photo. */
  readonly frame: Rect;
  /** Decoded source and decoded result, `[1, 3, h, w]` sRGB in 0..1. */
  readonly before: FloatTensor;
  readonly after: FloatTensor;
  /** Of the photo's size: 0 = keep exactly, 255 = the edit, between = a mixture. */
  readonly weight: Weight;
  /** `transfer` carries colour and light to the original pixels; `decoded` pastes the model's own. */
  readonly mode: 'transfer' | 'decoded';
  /** `decoded`: bend the tones of the pasted pixels so that no step shows at the seam. Default true. */
  readonly matchSurroundings?: boolean;
  /** What is drawn becomes opaque, by its weight. Default false: all alpha stays. */
  readonly opaque?: boolean;
  /** `decoded`: the old picture that the edit grows around; the new pixels meet its border without a step. */
  readonly kept?: Rect;
  /** `transfer`: the one map of sRGB that the edit is, where one explains it; else maps are fitted per window. */
  readonly map?: ColourMap | ObjectMap;
  /** `decoded`: what is better known than the model knows it. */
  readonly detail?: NativeRows;
  /** `transfer`: 1 where the pack changed tokens, `[…, h', w']`. */
  readonly editMap?: FloatTensor;
  /** The part of the photo whose weight counts; absent = all of it. */
  readonly within?: Rect;
}

export interface Composite {
  readonly photo: Photo;
  /** 255 where any sample differs from the source. */
  readonly changed: Mask;
  readonly changedPixels: number;
  /** Differing pixels where the weight is 0: always 0, counted all the same. */
  readonly changedOutside: number;
}

/**
 * Puts an edit into a photo at full resolution and in the photo's own profile and depth. Samples with weight 0, and all
 * alpha that nothing is drawn into, stay as they are to the last bit; a pixel that the edit leaves alone does too.
 */
export async function compositeEdit(job: CompositeJob): Promise<Composite> {
  const canvas = blankResult(job.photo);
  await compositeInto(canvas, job);
  return composed(canvas, job.photo, job.weight);
}

/** A photo on its way to a result. */
export interface ResultSamples {
  /** Written in place: a copy of the photo's samples, or the photo's own where nobody needs them any more. */
  readonly samples: Photo['samples'];
  /** Of every pixel: 255 where any sample differs from the photo's. */
  readonly changed: Uint8Array;
}

/** Nothing happened yet; `inPlace` gives up the photo as it was. */
export function blankResult({ samples, extent }: Photo, inPlace = false): ResultSamples {
  return { samples: inPlace ? samples : samples.slice(), changed: new Uint8Array(sampleCount(extent)) };
}

/** The same into a result that may hold other edits already; none of them may reach into the frame. */
export async function compositeInto({ samples, changed }: ResultSamples, job: CompositeJob): Promise<void> {
  const { photo, weight } = job;
  if (weight !== EVERYWHERE && !sameExtent(photo.extent, weight.extent)) throw new Error('Expected a weight of the size of the photo.');
  const region = editedRegion(job);
  if (!region) return;
  const edit = await rowEdit(job, { region, space: await colourSpaceOf(photo) });
  compositeRows({ photo, samples, changed, region, weight, edit, opaque: job.opaque === true });
}

/** What became of a photo. */
export function composed({ samples, changed }: ResultSamples, photo: Photo, weight: Weight): Composite {
  const changedPixels = countMarked(changed);
  const changedOutside = weight === EVERYWHERE || changedPixels === 0 ? 0 : countMarkedOutside(changed, weight);
  return { photo: { ...photo, samples }, changed: { extent: photo.extent, values: changed }, changedPixels, changedOutside };
}

/** Of bytes that are 0 or 255; four at a time, since a photograph has many. */
function countMarked(marks: Uint8Array): number {
  const whole = marks.byteOffset % 4 === 0 ? Math.trunc(marks.length / 4) : 0;
  const words = new Int32Array(marks.buffer, whole > 0 ? marks.byteOffset : 0, whole);
  let count = 0;
  for (let i = 0; i < whole; i++) {
    const word = words[i]!;
    if (word === -1) count += 4;
    else if (word !== 0) count += (word & 1) + ((word >>> 8) & 1) + ((word >>> 16) & 1) + (word >>> 31);
  }
  for (let pixel = whole * 4; pixel < marks.length; pixel++) if (marks[pixel]! > 0) count++;
  return count;
}

function countMarkedOutside(marks: Uint8Array, { values }: Mask): number {
  let count = 0;
  for (let pixel = 0; pixel < marks.length; pixel++) if (marks[pixel]! > 0 && values[pixel] === 0) count++;
  return count;
}

/** Over this share of the frame new pixels are led from the tones at the seam to the model's own. */
const SEAM_REACH = 0.25;

function editedRegion({ photo, weight, frame, within }: CompositeJob): Rect | null {
  const whole = { x: 0, y: 0, ...photo.extent };
  const bounds = weight === EVERYWHERE ? intersect(within ?? whole, photo.extent) : paintedBounds(weight.values, weight.extent, within);
  if (!bounds) return null;
  const inside = intersect(frame, photo.extent);
  const x = Math.max(bounds.x, inside.x);
  const y = Math.max(bounds.y, inside.y);
  const width = Math.min(bounds.x + bounds.width, inside.x + inside.width) - x;
  const height = Math.min(bounds.y + bounds.height, inside.y + inside.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

async function rowEdit(job: CompositeJob, { region, space }: { region: Rect; space: ColourSpace }): Promise<RowEdit> {
  const { before, after, frame, mode, editMap } = job;
  if (mode === 'decoded') {
    const matched = (job.matchSurroundings ?? true) ? await matchSurroundings({ ...job, weight: maskOf(job) }) : after;
    const picture = inOwnColours(matched, space);
    const seam = job.kept && seamAround(job.kept, { ...job, picture });
    return { kind: 'decoded', decoded: enlarged(picture, frame, region), ...(seam && { seam }), ...(job.detail && { detail: job.detail }) };
  }
  if (job.map) return space.plain ? { kind: 'mapped', map: job.map } : { kind: 'tabled', table: tableOf(job.map, space) };
  const [from, to] = [inOwnColours(before, space), inOwnColours(after, space)];
  const map = fitTransfer({ before: from, after: to, ...(editMap && { editMap }) });
  const linear = { frame, region, kernel: 'linear' as const };
  return {
    kind: 'transfer',
    decoded: enlarged(to, frame, region),
    matrix: new FrameSampler(map.matrix, linear),
    offset: new FrameSampler(map.offset, linear),
    share: new FrameSampler(map.decodedShare, linear),
  };
}

function maskOf({ weight, photo }: CompositeJob): Mask {
  return weight === EVERYWHERE ? fullMask(photo.extent) : weight;
}

interface Grown {
  readonly photo: Photo;
  readonly frame: Rect;
  readonly picture: FloatTensor;
}

function seamAround(kept: Rect, { photo, frame, picture }: Grown): Seam {
  const reachPx = SEAM_REACH * Math.max(frame.width, frame.height);
  return new Seam({ photo, kept, reachPx }, (line) => {
    const sampler = enlarged(picture, frame, line);
    const plane = () => new Float32Array(sampleCount(line));
    const planes: Planes = [plane(), plane(), plane()];
    for (let y = 0; y < line.height; y++) {
      sampler.readAll(
        y,
        planes.map((plane) => plane.subarray(y * line.width, (y + 1) * line.width)),
      );
    }
    planes.forEach(clampRow);
    return planes;
  });
}

function enlarged(picture: FloatTensor, frame: Rect, region: Rect): FrameSampler {
  const grows = frame.width >= (picture.dims.at(-1) ?? 1);
  return new FrameSampler(picture, { frame, region, kernel: grows ? 'cubic' : 'lanczos' });
}

function forEachDifference(a: Photo, b: Photo, visit: (pixel: number) => void): void {
  const { channels } = a;
  const count = sampleCount(a.extent);
  for (let pixel = 0, at = 0; pixel < count; pixel++, at += channels) {
    for (let c = 0; c < channels; c++) {
      if (a.samples[at + c] === b.samples[at + c]) continue;
      visit(pixel);
      break;
    }
  }
}

/** How many pixels differ where the mask is 0. Photos of another size, depth or channel count differ everywhere. */
export function compareOutside(a: Photo, b: Photo, mask: Mask): number {
  const alike = sameExtent(a.extent, b.extent) && a.channels === b.channels && a.samples.BYTES_PER_ELEMENT === b.samples.BYTES_PER_ELEMENT;
  if (!alike) return mask.values.reduce((count, value) => count + (value === 0 ? 1 : 0), 0);
  let count = 0;
  forEachDifference(a, b, (pixel) => {
    if (mask.values[pixel] === 0) count++;
  });
  return count;
}

/** Decoded pictures differ by this much, of 1, where an edit took place. */
const CHANGED = 0.05;
const CHANGED_SIGMA = 1.5;
const CHANGED_GROW = 2;

/** Where a decoded result differs from the decoded source: `[1, h, w]`, 0..1 with a soft edge. */
export function changedRegion(
  { before, after }: { before: FloatTensor; after: FloatTensor },
  { threshold = CHANGED }: { threshold?: number },
): FloatTensor {
  const [, , height = 0, width = 0] = before.dims;
  const [extent, pixels] = [{ width, height }, height * width];
  const largest = new Float32Array(pixels);
  for (let i = 0; i < before.data.length; i++) {
    largest[i % pixels] = Math.max(largest[i % pixels]!, Math.abs(after.data[i]! - before.data[i]!));
  }
  const hard = gaussian(largest, extent, CHANGED_SIGMA).map((value) => (value > threshold ? 1 : 0));
  return floats([1, height, width], gaussian(maxWindow(hard, extent, CHANGED_GROW), extent, CHANGED_SIGMA));
}

/** A map `[…, h, w]` in 0..1 over `frame` at a picture's size, value for value; 0 beyond the frame. */
export function upsampleMap(map: FloatTensor, frame: Rect, extent: Extent): Mask {
  return upsampled(map, { frame, extent }, (value) => value);
}

/** The same as the soft mask of a region: bilinear alone shows the grid; an S-curve keeps 0 and 1 and rounds what lies between. */
export function upsampleRegion(map: FloatTensor, frame: Rect, extent: Extent): Mask {
  return upsampled(map, { frame, extent }, smoothStep);
}

function upsampled(map: FloatTensor, { frame, extent }: { frame: Rect; extent: Extent }, curve: (value: number) => number): Mask {
  const region = intersect(frame, extent);
  const values = new Uint8Array(sampleCount(extent));
  const sampler = new FrameSampler(map, { frame, region, kernel: 'linear' });
  const row = new Float32Array(region.width);
  for (let y = 0; y < region.height; y++) {
    // Most of a picture is nowhere near an edit.
    if (sampler.mixed(0, y).every((share) => share <= 0)) continue;
    sampler.read(0, y, row);
    const start = (region.y + y) * extent.width + region.x;
    for (let x = 0; x < row.length; x++) if (row[x]! > 0) values[start + x] = Math.round(255 * curve(Math.min(1, row[x]!)));
  }
  return { extent, values };
}
