import { Budget, FEW_PIXELS_BYTES, Parts, type Stretch } from './parts.js';
import type { Source } from './source.js';

// The boxes of an AVIF (ISO/IEC 14496-12) that say where its items lie: `iinf` names them, `iloc` places them.

/** More boxes side by side, and more items, than any encoder writes. */
const MOST = 65_536;
/** Items that are no pictures: EXIF, XMP, and what has an address of its own. */
const METADATA = new Set(['Exif', 'mime', 'uri ']);
/** Version and flags in front of a full box's content. */
const FULL = 4;

/** An AVIF without items of metadata that hold more than any does: they become empty. All else stays where it is. */
export function slimAvif(source: Source, fewPixels: boolean): Parts {
  const meta = find(source, { from: 0, to: source.length }, 'meta');
  const inside = meta && { from: meta.from + FULL, to: meta.to };
  const metadata = inside ? metadataItems(source, find(source, inside, 'iinf')) : new Set<number>();
  const located = inside ? itemsAt(source, find(source, inside, 'iloc')).filter(({ id }) => metadata.has(id)) : [];
  const budget = new Budget();
  const giants = located.filter(({ extents }) => !budget.take('', sum(extents.map(({ length }) => length))));
  const parts = new Parts();
  const small = placesOf(source, located.filter((item) => !giants.includes(item))); // prettier-ignore
  const head = { from: 0, to: Math.min(source.length, FEW_PIXELS_BYTES) };
  if (fewPixels) parts.keepOnly([head, ...(meta ? [meta] : []), ...small], source.length);
  else parts.keepAllBut(placesOf(source, giants), source.length);
  if (giants.length > 0) parts.drop(true);
  for (const { extents } of giants) for (const { lengthAt, lengthBytes } of extents) parts.patch(lengthAt, new Uint8Array(lengthBytes));
  return parts;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The content of the first box of a type. */
function find(source: Source, within: Stretch, type: string): Stretch | undefined {
  let at = within.from;
  for (let boxes = 0; at + 8 <= within.to && boxes < MOST; boxes++) {
    const short = source.u32(at);
    const size = short === 1 ? source.u64(at + 8) : short === 0 ? within.to - at : short;
    const head = short === 1 ? 16 : 8;
    if (!(size >= head && at + size <= within.to)) return undefined;
    if (source.latin(at + 4, 4) === type) return { from: at + head, to: at + size };
    at += size;
  }
  return undefined;
}

function metadataItems(source: Source, iinf: Stretch | undefined): ReadonlySet<number> {
  const found = new Set<number>();
  if (!iinf) return found;
  let at = iinf.from + FULL + (source.u8(iinf.from) === 0 ? 2 : 4);
  for (let items = 0; at + 8 <= iinf.to && items < MOST; items++) {
    const size = source.u32(at);
    if (!(size >= 8)) break;
    // `infe` of version 2 has numbers of 16 bits, version 3 of 32; before the type stands what protects it.
    const wide = source.u8(at + 8) === 3;
    const id = wide ? source.u32(at + 12) : source.u16(at + 12);
    if (METADATA.has(source.latin(at + (wide ? 18 : 16), 4))) found.add(id);
    at += size;
  }
  return found;
}

interface Extent {
  /** In the file. */
  readonly from: number;
  readonly length: number;
  readonly lengthAt: number;
  readonly lengthBytes: number;
}

interface Item {
  readonly id: number;
  readonly extents: readonly Extent[];
}

function itemsAt(source: Source, iloc: Stretch | undefined): readonly Item[] {
  if (!iloc) return [];
  const version = source.u8(iloc.from);
  const sizes = source.u16(iloc.from + FULL);
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexBytes = version === 0 ? 0 : sizes & 15;
  const idBytes = version === 2 ? 4 : 2;
  const items: Item[] = [];
  let at = iloc.from + FULL + 2;
  const next = (bytes: number): number => numberAt(source, (at += bytes) - bytes, bytes);
  for (let left = Math.min(next(idBytes), MOST); left > 0 && at < iloc.to; left--) {
    const id = next(idBytes);
    const inFile = version === 0 || (next(2) & 15) === 0;
    next(2);
    const base = next(baseBytes);
    const extents: Extent[] = [];
    for (let more = next(2); more > 0 && at < iloc.to; more--) {
      next(indexBytes);
      const from = base + next(offsetBytes);
      const lengthAt = at;
      extents.push({ from, length: next(lengthBytes), lengthAt, lengthBytes });
    }
    // What lies in the box itself is part of it.
    items.push({ id, extents: inFile ? extents : extents.map((extent) => ({ ...extent, from: source.length })) });
  }
  return items;
}

function numberAt(source: Source, at: number, bytes: number): number {
  if (bytes === 0) return 0;
  if (bytes === 2) return source.u16(at);
  return bytes === 4 ? source.u32(at) : source.u64(at);
}

/** Where items lie, as far as that is in the file. */
function placesOf(source: Source, items: readonly Item[]): readonly Stretch[] {
  return items
    .flatMap(({ extents }) => extents)
    .map(({ from, length }) => ({ from, to: Math.min(source.length, from + length) }))
    .filter(({ from, to }) => to > from);
}
