import type { Extent } from '#base/geometry.js';
import { Directories, fieldOf, LONG, RATIONAL, SHORT, tiffOrder, viewOf, type Directory, type Field } from './directory.js';
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
const INTEROPERABILITY = 0xa005;
const INTEROPERABILITY_INDEX = 1;
const COLOUR_SPACE = 0xa001;
const FOCAL_PLANE_X = 0xa20e;
const FOCAL_PLANE_Y = 0xa20f;
const PIXEL_X = 0xa002;
const PIXEL_Y = 0xa003;
const PREFIX = 'Exif\0\0';
/** What the first segment of a JPEG can be: tables, application data, a comment. */
const FIRST_MARKERS = new Set([0xdb, 0xc4, 0xfe, ...Array.from({ length: 16 }, (_, i) => 0xe0 + i)]);
const NO_UNIT = 1;
const INCH = 2;
const CENTIMETRE = 3;
const CM_PER_INCH = 2.54;

/**
 * A copy of an EXIF block as an upright picture carries it: without the "Exif" prefix, orientation 1, and without embedded
 * pictures, which would go on showing what was there before the edit. Undefined where it is no EXIF.
 */
export function uprightExif(block: Uint8Array): Uint8Array | undefined {
  const exif = new Uint8Array(isPrefixed(block) ? block.subarray(PREFIX.length) : block);
  const directories = tiffOrder(exif) && Directories.of(exif);
  const first = directories?.open(directories.first);
  if (!directories || !first) return undefined;
  const orientation = fieldOf(first, ORIENTATION);
  if (orientation) setNumber(directories, orientation, { type: SHORT, value: 1 });
  const end = dropThumbnail(directories, first, exif);
  wipePreviews(exif);
  return exif.subarray(0, end);
}

/** What is said along and across a picture, changed round: for one that was turned by a quarter. */
export function quarterTurnedExif(block: Uint8Array): Uint8Array {
  const exif = new Uint8Array(block);
  const directories = Directories.of(exif);
  const first = directories?.open(directories.first);
  if (!directories || !first) return exif;
  exchange(exif, first, [X_RESOLUTION, Y_RESOLUTION]);
  const exposure = directories.follow(first, EXIF);
  if (exposure) exchange(exif, exposure, [FOCAL_PLANE_X, FOCAL_PLANE_Y]);
  return exif;
}

function exchange(exif: Uint8Array, directory: Directory, tags: readonly [number, number]): void {
  const [a, b] = tags.map((tag) => fieldOf(directory, tag));
  if (!a || !b) return;
  if (a.type !== b.type || a.bytes.length !== b.bytes.length) return;
  const [x, y] = [a.bytes.slice(), b.bytes.slice()];
  exif.set(y, a.at);
  exif.set(x, b.at);
}

/** How the block says that the picture was held; 1 where it says nothing. */
export function exifOrientation(exif: Uint8Array | undefined): number {
  const directories = Directories.of(exif && isPrefixed(exif) ? exif.subarray(PREFIX.length) : exif);
  return numberIn(directories, directories?.open(directories.first), ORIENTATION) ?? 1;
}

/** Cameras name Adobe RGB so, without a profile (DCF 2.0, 5.2.4): uncalibrated, of the optional index R03. */
export function exifNamesAdobeRgb(exif: Uint8Array | undefined): boolean {
  const directories = Directories.of(exif);
  const exposure = directories?.follow(directories.open(directories.first), EXIF);
  const colours = numberIn(directories, exposure, COLOUR_SPACE);
  // Some cameras write a 2, which no standard knows and everybody understands.
  if (colours === 2) return true;
  const more = directories?.follow(exposure, INTEROPERABILITY);
  const index = more && fieldOf(more, INTEROPERABILITY_INDEX);
  return colours !== 1 && index !== undefined && Buffer.from(index.bytes).toString('latin1', 0, 3) === 'R03';
}

function numberIn(directories: Directories | undefined, directory: Directory | undefined, tag: number): number | undefined {
  const field = directory && fieldOf(directory, tag);
  return field && directories?.numbers(field, 1)[0];
}

function isPrefixed(block: Uint8Array): boolean {
  return String.fromCharCode(...block.subarray(0, PREFIX.length)) === PREFIX;
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
  const [x, y, unit = INCH] = [X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT].map((tag) => numberIn(directories, first, tag));
  if (x === undefined) return undefined;
  if (unit !== INCH && unit !== CENTIMETRE) return pixelShape(x, y ?? x);
  const scale = unit === CENTIMETRE ? CM_PER_INCH : 1;
  const perInch = { x: x * scale, y: (y ?? x) * scale };
  return isResolution(perInch.x) && isResolution(perInch.y) ? perInch : undefined;
}

/** A resolution that a printer or scanner could have; 0 and nonsense say nothing. */
export function isResolution(perInch: number): boolean {
  return perInch >= 1 && perInch <= 100_000;
}

/** The most that one side of a pixel can be of the other: anamorphic lenses and fax machines stay below it. */
const OBLONG = 10;

/** What two numbers without a unit say: nothing, where they are equal or nonsense. */
export function pixelShape(x: number, y: number): Resolution | undefined {
  return x > 0 && y > 0 && x !== y && x / y < OBLONG && y / x < OBLONG ? { x, y, shapeOnly: true } : undefined;
}

/** The same in whole numbers, where a format has no others. */
export function wholeShape({ x, y }: Resolution): readonly [x: number, y: number] {
  const scale = Number.isInteger(x) && Number.isInteger(y) && Math.max(x, y) <= MOST_WHOLE ? 1 : MOST_WHOLE / 2 / Math.max(x, y);
  return [Math.max(1, Math.round(x * scale)), Math.max(1, Math.round(y * scale))];
}

/** A JPEG has two bytes for each. */
const MOST_WHOLE = 65_535;

/** A block that says nothing but the resolution, for formats that have no other place for it. */
export function exifOfResolution({ x, y, shapeOnly }: Resolution): Uint8Array {
  const block = new Uint8Array(8 + 2 + 3 * 12 + 4 + 16);
  const view = viewOf(block);
  block.set([0x49, 0x49, 0x2a, 0, 8, 0, 0, 0, 3, 0]);
  const [first, second] = [50, 58];
  [
    [X_RESOLUTION, 5, first],
    [Y_RESOLUTION, 5, second],
    [RESOLUTION_UNIT, SHORT, shapeOnly ? NO_UNIT : INCH],
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

/** A copy of a block that was given a resolution nobody asked for: it says the shape of a pixel, or that it is square. */
export function unitlessExif(block: Uint8Array, shape: Resolution | undefined): Uint8Array {
  const exif = new Uint8Array(block);
  const directories = Directories.of(exif);
  const first = directories?.open(directories.first);
  const [x, y, unit] = [X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT].map((tag) => first && fieldOf(first, tag));
  if (!directories || !unit) return exif;
  setNumber(directories, unit, { type: SHORT, value: NO_UNIT });
  const sides = shape ? wholeShape(shape) : [1, 1];
  [x, y].forEach((field, i) => {
    if (field?.type !== RATIONAL) return;
    directories.view.setUint32(field.at, sides[i] ?? 1, directories.little);
    directories.view.setUint32(field.at + 4, 1, directories.little);
  });
  return exif;
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
