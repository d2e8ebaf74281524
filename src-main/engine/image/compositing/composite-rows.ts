import type { Rect } from '#base/geometry.js';
import { luma } from '#base/luma.js';
import type { Planes } from '#engine/image/colour/colour.js';
import { fullScale, type Photo } from '#engine/image/files/photo.js';
import type { FrameSampler } from '#engine/image/sampling/resample.js';
import { EVERYWHERE, type Weight } from '#engine/image/working/mask.js';
import { applyMap, type ColourMap } from './colour-map.js';
import { applyObjectMap, type ObjectMap } from './objects/object-map.js';
import { applyTable, type ColourTable } from './own-colours.js';
import type { Seam } from './seam.js';

/** Pixels that are known in the photo's own colours: they take the place of decoded ones. */
export interface NativeRows {
  /** Over row `y` of the photo from column `x` on. */
  write(planes: Planes, place: { readonly x: number; readonly y: number }): void;
}

/** What an edit wants a row of the photo to be, given what it is; in the photo's own colours, as all that follows. */
export type RowEdit =
  | { readonly kind: 'decoded'; readonly decoded: FrameSampler; readonly seam?: Seam; readonly detail?: NativeRows }
  | { readonly kind: 'mapped'; readonly map: ColourMap | ObjectMap }
  | { readonly kind: 'tabled'; readonly table: ColourTable }
  | {
      readonly kind: 'transfer';
      readonly decoded: FrameSampler;
      /** Nine matrix channels (out, in), three offsets, one share of decoded pixels. */
      readonly matrix: FrameSampler;
      readonly offset: FrameSampler;
      readonly share: FrameSampler;
    };

export interface RowsJob {
  readonly photo: Photo;
  /** The result's samples, written in place: a copy of the photo's that may hold other edits already, or the photo's own. */
  readonly samples: Uint8Array | Uint16Array;
  /** Of every pixel: 255 where any sample differs from the photo's. */
  readonly changed: Uint8Array;
  readonly region: Rect;
  readonly weight: Weight;
  readonly edit: RowEdit;
  /** What is drawn covers what was transparent. */
  readonly opaque: boolean;
}

/**
 * Edits row by row, so that memory does not grow with the photo. Every sample gets weight times the difference that the
 * edit makes. The plain loop, with which the kernel (`row-kernel.ts`) is compared. Gives how many pixels differ.
 */
export function compositePlainly(job: RowsJob): number {
  const { region, photo } = job;
  const rows = makeRows(region.width, photo.channels);
  let changed = 0;
  for (let y = 0; y < region.height; y++) {
    const row = (region.y + y) * photo.extent.width + region.x;
    const weights = weightsOf(job, row);
    if (weights?.some((weight) => weight > 0) === false) continue;
    const before = photo.samples.slice(row * photo.channels, (row + region.width) * photo.channels);
    readRow(job, row, rows.own);
    editRow(job, y, rows);
    const shares = job.opaque ? coverRow(job, row, weights) : sharesOf(weights, region.width);
    writeRow(job, row, { ...rows, shares });
    changed += markRow(job, row, before);
  }
  return changed;
}

/** The weights of a row of the region; undefined = all of the edit. */
export function weightsOf({ weight, region }: RowsJob, row: number): Uint8Array | undefined {
  return weight === EVERYWHERE ? undefined : weight.values.subarray(row, row + region.width);
}

export interface Rows {
  /** The photo's samples in 0..1; one plane three times where it is gray. */
  readonly own: Planes;
  readonly edited: Planes;
  readonly coefficients: readonly Float32Array[];
  readonly share: Float32Array;
}

export function makeRows(width: number, channels: number): Rows {
  const plane = () => new Float32Array(width);
  const first = plane();
  return {
    own: channels <= 2 ? [first, first, first] : [first, plane(), plane()],
    edited: [plane(), plane(), plane()],
    coefficients: Array.from({ length: 12 }, plane),
    share: plane(),
  };
}

export function readRow({ photo }: RowsJob, row: number, planes: Planes): void {
  const { channels, samples } = photo;
  const unit = 1 / fullScale(samples);
  planes.slice(0, channels <= 2 ? 1 : 3).forEach((plane, c) => {
    for (let x = 0; x < plane.length; x++) plane[x] = samples[(row + x) * channels + c]! * unit;
  });
}

/** What the edit makes of row `y` of the region. */
export function editRow({ edit, region, photo }: RowsJob, y: number, rows: Rows): void {
  const { own, edited } = rows;
  if (edit.kind === 'mapped' || edit.kind === 'tabled') {
    if (edit.kind === 'tabled') applyTable(edit.table, { before: own, after: edited, deep: fullScale(photo.samples) > 255 });
    else if ('tones' in edit.map) applyMap(edit.map, own, edited);
    else applyObjectMap(edit.map, own, edited);
    edited.forEach(clampRow);
    return;
  }
  edit.decoded.readAll(y, edited);
  if (edit.kind === 'decoded') {
    edited.forEach(clampRow);
    edit.seam?.close(edited, { x: region.x, y: region.y + y });
    edit.detail?.write(edited, { x: region.x, y: region.y + y });
    return;
  }
  edit.matrix.readAll(y, rows.coefficients.slice(0, 9));
  edit.offset.readAll(y, rows.coefficients.slice(9));
  edit.share.read(0, y, rows.share);
  transferRow(rows);
}

export function clampRow(plane: Float32Array): void {
  for (let x = 0; x < plane.length; x++) plane[x] = Math.min(1, Math.max(0, plane[x]!));
}

/** The fitted colour map on the photo's own pixels, decoded pixels where it fails. */
function transferRow({ own, edited, coefficients, share }: Rows): void {
  const [red, green, blue] = own;
  edited.forEach((plane, c) => {
    const [fromRed, fromGreen, fromBlue] = coefficients.slice(c * 3, c * 3 + 3) as unknown as Planes;
    const offset = coefficients[9 + c]!;
    for (let x = 0; x < plane.length; x++) {
      const fitted = fromRed[x]! * red[x]! + fromGreen[x]! * green[x]! + fromBlue[x]! * blue[x]! + offset[x]!;
      plane[x] = fitted + (plane[x]! - fitted) * share[x]!;
    }
    clampRow(plane);
  });
}

/** How much of each pixel is the edit: 0 to 1. */
function sharesOf(weights: Uint8Array | undefined, width: number): Float64Array {
  return weights ? Float64Array.from(weights, (weight) => weight / 255) : new Float64Array(width).fill(1);
}

/**
 * Lays the edit over what shows through: alpha grows by the weight, and of the colour as much is the edit as it has of the
 * new alpha (Porter and Duff's "over"), so that nothing hidden shines into a soft edge. Gives the shares of the colour.
 */
export function coverRow({ photo, samples, region }: RowsJob, row: number, weights: Uint8Array | undefined): Float64Array {
  const shares = sharesOf(weights, region.width);
  const { channels } = photo;
  if (channels % 2 === 1) return shares;
  const scale = fullScale(samples);
  for (let x = 0; x < shares.length; x++) {
    const at = (row + x) * channels + channels - 1;
    const below = photo.samples[at]! / scale;
    if (shares[x] === 0 || below === 1) continue;
    const alpha = below + shares[x]! * (1 - below);
    samples[at] = Math.round(alpha * scale);
    shares[x] = shares[x]! / alpha;
  }
  return shares;
}

type Written = Rows & { readonly shares: Float64Array };

function writeRow(job: RowsJob, row: number, rows: Written): void {
  if (job.photo.channels <= 2) writeGrayRow(job, row, rows);
  else writeColourRow(job, row, rows);
}

function writeColourRow({ photo, samples }: RowsJob, row: number, { own, edited, shares }: Written): void {
  const scale = fullScale(samples);
  for (let c = 0; c < 3; c++) {
    const [from, to] = [own[c]!, edited[c]!];
    for (let x = 0; x < shares.length; x++) {
      if (shares[x] === 0) continue;
      const value = from[x]! + shares[x]! * (to[x]! - from[x]!);
      samples[(row + x) * photo.channels + c] = Math.min(scale, Math.max(0, Math.round(value * scale)));
    }
  }
}

/** Gray photos stay gray: they get the brightness of the edit. */
function writeGrayRow({ photo, samples }: RowsJob, row: number, { own: [own], edited, shares }: Written): void {
  const scale = fullScale(samples);
  const [red, green, blue] = edited;
  for (let x = 0; x < shares.length; x++) {
    if (shares[x] === 0) continue;
    const change = luma(red[x]! - own[x]!, green[x]! - own[x]!, blue[x]! - own[x]!);
    samples[(row + x) * photo.channels] = Math.min(scale, Math.max(0, Math.round((own[x]! + shares[x]! * change) * scale)));
  }
}

/** Marks what differs from the row as it was before. */
function markRow({ photo: { channels }, samples, changed, region }: RowsJob, row: number, before: Uint8Array | Uint16Array): number {
  let count = 0;
  for (let x = 0; x < region.width; x++) {
    let differs = false;
    for (let c = 0; c < channels; c++) differs ||= samples[(row + x) * channels + c] !== before[x * channels + c];
    changed[row + x] = differs ? 255 : 0;
    if (differs) count++;
  }
  return count;
}
