import { tiffOrder } from './exif.js';
import type { Photo } from './photo.js';
import { textKeyword, textOf, type PngChunk } from './png-chunks.js';
import { XMP_KEYWORD } from './recipe.js';

const GPS = 0x8825;
/** Bytes per item of a field, by type number. */
const ITEM_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

interface Directory {
  readonly view: DataView;
  readonly little: boolean;
  readonly at: number;
  readonly entries: number;
}

function directoryAt(exif: Uint8Array, at: number): Directory | undefined {
  const little = tiffOrder(exif) === 'little';
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  if (at < 8 || at + 2 > exif.length) return undefined;
  const entries = view.getUint16(at, little);
  return at + 2 + entries * 12 <= exif.length ? { view, little, at, entries } : undefined;
}

function firstDirectory(exif: Uint8Array): Directory | undefined {
  const order = tiffOrder(exif);
  return order && directoryAt(exif, new DataView(exif.buffer, exif.byteOffset).getUint32(4, order === 'little'));
}

/** Where the entry of a tag lies; undefined without one. */
function entryOf({ view, little, at, entries }: Directory, tag: number): number | undefined {
  const places = Array.from({ length: entries }, (_, i) => at + 2 + i * 12);
  return places.find((place) => view.getUint16(place, little) === tag);
}

/** Does the block say where the photograph was taken? */
export function hasLocation(exif: Uint8Array | undefined): boolean {
  const first = exif && firstDirectory(exif);
  return first !== undefined && entryOf(first, GPS) !== undefined;
}

/** A copy of an EXIF block without the place: its bytes are overwritten, everything else stays where it is. */
function exifWithoutLocation(block: Uint8Array): Uint8Array {
  const exif = new Uint8Array(block);
  const first = firstDirectory(exif);
  const entry = first && entryOf(first, GPS);
  if (!first || entry === undefined) return exif;
  const { view, little, at, entries } = first;
  const places = directoryAt(exif, view.getUint32(entry + 8, little));
  if (places) wipe(exif, places);
  // The entries behind it and the link to the next directory move up.
  const end = Math.min(exif.length, at + 2 + entries * 12 + 4);
  exif.copyWithin(entry, entry + 12, end);
  exif.fill(0, end - 12, end);
  view.setUint16(at, entries - 1, little);
  return exif;
}

function wipe(exif: Uint8Array, { view, little, at, entries }: Directory): void {
  for (let entry = at + 2; entry < at + 2 + entries * 12; entry += 12) {
    const bytes = (ITEM_BYTES[view.getUint16(entry + 2, little)] ?? 0) * view.getUint32(entry + 4, little);
    const from = view.getUint32(entry + 8, little);
    if (bytes > 4 && from >= 8) exif.fill(0, from, Math.min(exif.length, from + bytes));
  }
  exif.fill(0, at, at + 2 + entries * 12);
}

/** The photo without the place where it was taken; everything else that it says stays. */
export function withoutLocation(photo: Photo): Photo {
  const { exif, texts } = photo;
  return {
    ...photo,
    ...(exif && { exif: exifWithoutLocation(exif) }),
    ...(texts && { texts: texts.filter((chunk) => !mayTellPlace(chunk)) }),
  };
}

/** Other programs keep EXIF in texts too, as hexadecimal or as XMP. */
function mayTellPlace(chunk: PngChunk): boolean {
  const keyword = textKeyword(chunk) ?? '';
  if (keyword === XMP_KEYWORD) return textOf(chunk)?.includes('GPS') !== false;
  return keyword.startsWith('Raw profile type');
}
