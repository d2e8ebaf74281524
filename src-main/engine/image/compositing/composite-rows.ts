import type { Rect } from '#base/geometry.js';
import type { ColourSpace, Planes } from '#engine/image/colour/colour.js';
import { fullScale, type Mask, type Photo } from '#engine/image/files/photo.js';
import type { FrameSampler } from '#engine/image/sampling/resample.js';
import { applyMap, type ColourMap } from './colour-map.js';
import type { Seam } from './seam.js';

/** Pixels that are known in the photo's own colours: they take the place of decoded ones. */
export interface NativeRows {
  /** Over row `y` of the photo from column `x` on. */
  write(planes: Planes, place: { readonly x: number; readonly y: number }): void;
}

/** What an edit wants a row of the photo to be, given what it is. */
export type RowEdit =
  | { readonly kind: 'decoded'; readonly decoded: FrameSampler; readonly seam?: Seam; readonly detail?: NativeRows }
  | { readonly kind: 'mapped'; readonly map: ColourMap }
  | {
      readonly kind: 'transfer';
      readonly decoded: FrameSampler;
      /** Nine matrix channels (out, in), three offsets, one share of decoded pixels. */
      readonly matrix: FrameSampler;
      readonly offset: FrameSampler;
      readonly share: FrameSampler;
    };

interface RowsJob {
  readonly photo: Photo;
  /** A copy of the photo's samples, written in place. */
  readonly samples: Uint8Array | Uint16Array;
  readonly region: Rect;
  readonly weight: Mask;
  readonly edit: RowEdit;
  readonly space: ColourSpace;
}

/**
 * Edits row by row, so that memory does not grow with the photo. Every sample gets weight times the difference that the
 * edit makes, measured in the photo's own colours.
 */
export function compositeRows(job: RowsJob): void {
  const { region } = job;
  const rows = makeRows(region.width);
  for (let y = 0; y < region.height; y++) {
    const row = (region.y + y) * job.weight.extent.width + region.x;
    const weights = job.weight.values.subarray(row, row + region.width);
    if (!weights.some((weight) => weight > 0)) continue;
    readRow(job, row, rows.native);
    editRow(job, y, rows);
    writeRow(job, row, { ...rows, weights });
  }
}

interface Rows {
  /** The photo's samples in 0..1 of its own profile. */
  readonly native: Planes;
  /** The same after a trip through sRGB: what the edit starts from. */
  readonly unedited: Planes;
  readonly edited: Planes;
  readonly coefficients: readonly Float32Array[];
  readonly share: Float32Array;
}

function makeRows(width: number): Rows {
  const plane = () => new Float32Array(width);
  const planes = (): Planes => [plane(), plane(), plane()];
  return { native: planes(), unedited: planes(), edited: planes(), coefficients: Array.from({ length: 12 }, plane), share: plane() };
}

function readRow({ photo }: RowsJob, row: number, planes: Planes): void {
  const { channels, samples } = photo;
  const unit = 1 / fullScale(samples);
  planes.forEach((plane, c) => {
    const channel = channels <= 2 ? 0 : c;
    for (let x = 0; x < plane.length; x++) plane[x] = samples[(row + x) * channels + channel]! * unit;
  });
}

function editRow({ edit, space, region }: RowsJob, y: number, rows: Rows): void {
  const { native, unedited, edited } = rows;
  unedited.forEach((plane, c) => {
    plane.set(native[c]!);
  });
  if (edit.kind === 'mapped') {
    mapRow(edit.map, rows, space);
    return;
  }
  edit.decoded.readAll(y, edited);
  if (edit.kind === 'decoded') {
    toNative(edited, space);
    edit.seam?.close(edited, { x: region.x, y: region.y + y });
    edit.detail?.write(edited, { x: region.x, y: region.y + y });
    return;
  }
  edit.matrix.readAll(y, rows.coefficients.slice(0, 9));
  edit.offset.readAll(y, rows.coefficients.slice(9));
  edit.share.read(0, y, rows.share);
  space.toSrgb(unedited);
  transferRow(rows);
  space.fromSrgb(edited);
  space.fromSrgb(unedited);
}

/** One map for all of the picture. */
function mapRow(map: ColourMap, { unedited, edited }: Rows, space: ColourSpace): void {
  space.toSrgb(unedited);
  applyMap(map, unedited, edited);
  edited.forEach((plane, c) => {
    const own = unedited[c]!;
    for (let x = 0; x < plane.length; x++) plane[x] = withinOwn(plane[x]!, own[x]!);
  });
  space.fromSrgb(edited);
  space.fromSrgb(unedited);
}

/** Colours that were outside sRGB before the edit may stay there. */
function withinOwn(value: number, own: number): number {
  return Math.min(Math.max(1, own), Math.max(Math.min(0, own), value));
}

/** Decoded colours in place, as the photo would say them. */
export function toNative(planes: Planes, space: ColourSpace): void {
  planes.forEach(clampRow);
  space.fromSrgb(planes);
}

function clampRow(plane: Float32Array): void {
  for (let x = 0; x < plane.length; x++) plane[x] = Math.min(1, Math.max(0, plane[x]!));
}

/** The fitted colour map on the photo's own pixels, decoded pixels where it fails. */
function transferRow({ unedited, edited, coefficients, share }: Rows): void {
  const [red, green, blue] = unedited;
  edited.forEach((plane, c) => {
    const [fromRed, fromGreen, fromBlue] = coefficients.slice(c * 3, c * 3 + 3) as unknown as Planes;
    const offset = coefficients[9 + c]!;
    const own = unedited[c]!;
    for (let x = 0; x < plane.length; x++) {
      const fitted = fromRed[x]! * red[x]! + fromGreen[x]! * green[x]! + fromBlue[x]! * blue[x]! + offset[x]!;
      const mixed = fitted + (plane[x]! - fitted) * share[x]!;
      plane[x] = withinOwn(mixed, own[x]!);
    }
  });
}

function writeRow(job: RowsJob, row: number, rows: Rows & { readonly weights: Uint8Array }): void {
  if (job.photo.channels <= 2) writeGrayRow(job, row, rows);
  else writeColourRow(job, row, rows);
}

function writeColourRow(
  { photo, samples }: RowsJob,
  row: number,
  { native, unedited, edited, weights }: Rows & { readonly weights: Uint8Array },
): void {
  const scale = fullScale(samples);
  for (let c = 0; c < 3; c++) {
    const [from, to, own] = [unedited[c]!, edited[c]!, native[c]!];
    for (let x = 0; x < weights.length; x++) {
      if (weights[x] === 0) continue;
      const value = own[x]! + (weights[x]! / 255) * (to[x]! - from[x]!);
      samples[(row + x) * photo.channels + c] = Math.min(scale, Math.max(0, Math.round(value * scale)));
    }
  }
}

/** Gray photos stay gray: they get the brightness of the edit. */
function writeGrayRow(
  { photo, samples }: RowsJob,
  row: number,
  { native, unedited, edited, weights }: Rows & { readonly weights: Uint8Array },
): void {
  const scale = fullScale(samples);
  const [fromR, fromG, fromB] = unedited;
  const [toR, toG, toB] = edited;
  for (let x = 0; x < weights.length; x++) {
    if (weights[x] === 0) continue;
    const change = 0.299 * (toR[x]! - fromR[x]!) + 0.587 * (toG[x]! - fromG[x]!) + 0.114 * (toB[x]! - fromB[x]!);
    const value = native[0][x]! + (weights[x]! / 255) * change;
    samples[(row + x) * photo.channels] = Math.min(scale, Math.max(0, Math.round(value * scale)));
  }
}
