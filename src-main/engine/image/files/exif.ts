import type { Extent } from '#base/geometry.js';
import { Directories, fieldOf, LONG, SHORT, tiffOrder, viewOf, type Directory, type Field } from './directory.js';
import type { Resolution } from './photo.js';

const IMAGE_WIDTH = 0x0100;
const IMAGE_LENGTH = 0x0101;
const STRIP_OFFSETS = 0x0111;
const ORIENTATION = 0x0112;
const STRIP_BYTES = 0x0117;
const X_RESOLUTION = 0x011a;
const Y_RESOLUTION = 0x011b;
const RESOLUTION_UNIT = 0x0128;
const THUMBNAIL = 0x0201;
const THUMBNAIL_BYTES = 0x0202;
const EXIF = 0x8769;
const GPS = 0x8825;
const PIXEL_X = 0xa002;
const PIXEL_Y = 0xa003;
const PREFIX = 'Exif\0\0';
/** What the first segment of a JPEG can be: tables, application data, a comment. */
const FIRST_MARKERS = new Set([0xdb, 0xc4, 0xfe, ...Array.from({ length: 16 }, (_, i) => 0xe0 + i)]);
const INCH = 2;
const CENTIMETRE = 3;
const CM_PER_INCH = 2.54;

/**
 * A copy of an EXIF block as an upright picture carries it: without the "Exif" prefix, orientation 1, and without embedded
 * pictures, which would go on showing what was there before the edit. Undefined where it is no EXIF.
 */
export function uprightExif(block: Uint8Array): Uint8Array | undefined {
  const prefixed = String.fromCharCode(...block.subarray(0, 6)) === PREFIX;
  const exif = new Uint8Array(prefixed ? block.subarray(6) : block);
  const directories = tiffOrder(exif) && Directories.of(exif);
  const first = directories?.open(directories.first);
  if (!directories || !first) return undefined;
  const orientation = fieldOf(first, ORIENTATION);
  if (orientation) setNumber(directories, orientation, { type: SHORT, value: 1 });
  const end = dropThumbnail(directories, first, exif);
  wipePreviews(exif);
  return exif.subarray(0, end);
}

/** The same block with the size that the picture has by now, where it says one. */
export function sizedExif(block: Uint8Array, extent: Extent): Uint8Array {
  const exif = new Uint8Array(block);
  const directories = Directories.of(exif);
  const first = directories?.open(directories.first);
  if (directories && first) setSize(directories, first, extent);
  return exif;
}

function setSize(directories: Directories, first: Directory, { width, height }: Extent): void {
  const exposure = directories.follow(first, EXIF);
  const sides = [
    [first, IMAGE_WIDTH, width],
    [first, IMAGE_LENGTH, height],
    [exposure, PIXEL_X, width],
    [exposure, PIXEL_Y, height],
  ] as const;
  for (const [directory, tag, value] of sides) {
    const field = directory && fieldOf(directory, tag);
    if (field) setNumber(directories, field, { type: LONG, value });
  }
}

/** Writes one number into an entry, whatever stood there. */
function setNumber({ view, little }: Directories, { entry }: Field, { type, value }: { type: number; value: number }): void {
  view.setUint16(entry + 2, type, little);
  view.setUint32(entry + 4, 1, little);
  view.setUint32(entry + 8, 0, little);
  if (type === SHORT) view.setUint16(entry + 8, value, little);
  else view.setUint32(entry + 8, value, little);
}

/** Unlinks the second directory and overwrites it and its picture; gives where the block may end now. */
function dropThumbnail(directories: Directories, first: Directory, exif: Uint8Array): number {
  const thumbnail = first.next === 0 ? undefined : directories.open(first.next);
  if (first.end + 4 <= exif.length) directories.view.setUint32(first.end, 0, directories.little);
  if (!thumbnail) return exif.length;
  let end = exif.length;
  const wipe = (from: number, to: number) => {
    exif.fill(0, from, Math.min(to, exif.length));
    if (to >= end) end = Math.min(end, from);
  };
  for (const [at, bytes] of picturesOf(directories, thumbnail)) wipe(at, at + bytes);
  for (const field of thumbnail.fields) if (field.at !== field.entry + 8) wipe(field.at, field.at + field.bytes.length);
  wipe(thumbnail.at, thumbnail.end + 4);
  return end;
}

/** Where the pictures of a thumbnail's directory lie; never the header or the directory in front of it. */
function picturesOf(directories: Directories, thumbnail: Directory): readonly (readonly [number, number])[] {
  const numbers = (tag: number) => {
    const field = fieldOf(thumbnail, tag);
    return field ? directories.numbers(field) : [];
  };
  const places = [...numbers(THUMBNAIL), ...numbers(STRIP_OFFSETS)];
  const sizes = [...numbers(THUMBNAIL_BYTES), ...numbers(STRIP_BYTES)];
  return places.map((at, i) => [at, sizes[i] ?? 0] as const).filter(([at, bytes]) => at > thumbnail.end && bytes > 0);
}

/** Cameras put previews into their own notes, too: whatever begins and ends as a JPEG is overwritten where it lies. */
function wipePreviews(exif: Uint8Array): void {
  const bytes = Buffer.from(exif.buffer, exif.byteOffset, exif.byteLength);
  for (let at = bytes.indexOf('ffd8ff', 0, 'hex'); at >= 0; at = bytes.indexOf('ffd8ff', at + 1, 'hex')) {
    const end = bytes.indexOf('ffd9', at + 3, 'hex');
    if (end >= 0 && FIRST_MARKERS.has(bytes[at + 3] ?? 0)) bytes.fill(0, at, end + 2);
  }
}

/** Pixels per inch, where the block says so. */
export function exifResolution(exif: Uint8Array | undefined): Resolution | undefined {
  const directories = Directories.of(exif);
  const first = directories?.open(directories.first);
  if (!directories || !first) return undefined;
  const [x, y, unit = INCH] = [X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT].map((tag) => {
    const field = fieldOf(first, tag);
    return field && directories.numbers(field, 1)[0];
  });
  if (x === undefined || (unit !== INCH && unit !== CENTIMETRE)) return undefined;
  const scale = unit === CENTIMETRE ? CM_PER_INCH : 1;
  const perInch = { x: x * scale, y: (y ?? x) * scale };
  return isResolution(perInch.x) && isResolution(perInch.y) ? perInch : undefined;
}

/** A resolution that a printer or scanner could have; 0 and nonsense say nothing. */
export function isResolution(perInch: number): boolean {
  return perInch >= 1 && perInch <= 100_000;
}

/** A block that says nothing but the resolution, for formats that have no other place for it. */
export function exifOfResolution({ x, y }: Resolution): Uint8Array {
  const block = new Uint8Array(8 + 2 + 3 * 12 + 4 + 16);
  const view = viewOf(block);
  block.set([0x49, 0x49, 0x2a, 0, 8, 0, 0, 0, 3, 0]);
  const [first, second] = [50, 58];
  [
    [X_RESOLUTION, 5, first],
    [Y_RESOLUTION, 5, second],
    [RESOLUTION_UNIT, SHORT, 2],
  ].forEach(([tag = 0, type = 0, value = 0], i) => {
    view.setUint16(10 + i * 12, tag, true);
    view.setUint16(12 + i * 12, type, true);
    view.setUint32(14 + i * 12, 1, true);
    view.setUint32(18 + i * 12, value, true);
  });
  [x, y].forEach((value, i) => {
    view.setUint32(first + i * 8, Math.round(value * 100), true);
    view.setUint32(first + i * 8 + 4, 100, true);
  });
  return block;
}

/** Does the block say where the photograph was taken? */
export function exifTellsPlace(exif: Uint8Array | undefined): boolean {
  const directories = Directories.of(exif);
  const first = directories?.open(directories.first);
  return first !== undefined && fieldOf(first, GPS) !== undefined;
}

/** A copy of an EXIF block without the place: its bytes are overwritten, everything else stays where it is. */
export function exifWithoutPlace(block: Uint8Array): Uint8Array {
  const exif = new Uint8Array(block);
  const directories = Directories.of(exif);
  const first = directories?.open(directories.first);
  const field = first && fieldOf(first, GPS);
  if (!directories || !first || !field) return exif;
  const places = directories.follow(first, GPS);
  for (const { at, entry, bytes } of places?.fields ?? []) if (at !== entry + 8 && at >= 8) exif.fill(0, at, at + bytes.length);
  if (places) exif.fill(0, places.at, places.end);
  // The entries behind it and the link to the next directory move up.
  const end = Math.min(exif.length, first.end + 4);
  exif.copyWithin(field.entry, field.entry + 12, end);
  exif.fill(0, end - 12, end);
  directories.view.setUint16(first.at, (first.end - first.at - 2) / 12 - 1, directories.little);
  return exif;
}

/** The block as JPEG and WebP frame it. */
export function prefixedExif(exif: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(PREFIX, 'latin1'), exif]);
}
