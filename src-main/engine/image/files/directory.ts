// The directories of TIFF 6.0 and BigTIFF, which EXIF 2.32 shares: a count, entries of tag, type, count and value, a link.

/** Bytes per item of a field, by type number: BYTE to DOUBLE, IFD, and the three long ones of BigTIFF. */
const ITEM_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
export const BYTE = 1;
export const SHORT = 3;
export const LONG = 4;
export const RATIONAL = 5;
export const UNDEFINED = 7;
const SIGNED = new Set([6, 8, 9, 10, 17]);

/** No camera and no program writes so many; what claims more is damaged or hostile. */
const MOST_FIELDS = 1024;

export interface Field {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Where the entry lies in the block. */
  readonly entry: number;
  /** Where the value lies: inside the entry where it fits, else anywhere in the block. */
  readonly at: number;
  /** The value, a view into the block: `count` items and no byte more. */
  readonly bytes: Uint8Array;
}

export interface Directory {
  readonly at: number;
  /** Behind the last entry, where the link to the next directory lies. */
  readonly end: number;
  /** Those whose values lie inside the block; a tag that stands twice counts once. */
  readonly fields: readonly Field[];
  /** Where the next directory lies; 0 = none. */
  readonly next: number;
}

export type ByteOrder = 'little' | 'big';

/** Byte order of a TIFF block, or undefined where it isn't one. */
export function tiffOrder(block: Uint8Array): ByteOrder | undefined {
  return formOf(block)?.big === false ? formOf(block)?.order : undefined;
}

interface Form {
  readonly order: ByteOrder;
  readonly big: boolean;
}

function formOf(block: Uint8Array): Form | undefined {
  if (block.length < 14) return undefined;
  const order = block[0] === 0x49 && block[1] === 0x49 ? 'little' : block[0] === 0x4d && block[1] === 0x4d ? 'big' : undefined;
  if (order === undefined) return undefined;
  const version = viewOf(block).getUint16(2, order === 'little');
  return version === 42 || version === 43 ? { order, big: version === 43 } : undefined;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The one way into a TIFF file or an EXIF block. Every offset, count and length is held against the block before it is
 * used, and each directory opens once: links in circles lead nowhere.
 */
export class Directories {
  readonly little: boolean;
  readonly view: DataView;
  /** Where the first directory lies, as the header says. */
  readonly first: number;
  readonly #block: Uint8Array;
  readonly #big: boolean;
  readonly #opened = new Set<number>();

  private constructor(block: Uint8Array, { order, big }: Form) {
    this.#block = block;
    this.#big = big;
    this.little = order === 'little';
    this.view = viewOf(block);
    this.first = big ? this.#long(8) : this.view.getUint32(4, this.little);
  }

  /** Undefined where the block is no TIFF. */
  static of(block: Uint8Array | undefined): Directories | undefined {
    const form = block && formOf(block);
    if (!block || !form || (form.big && block.length < 24)) return undefined;
    return new Directories(block, form);
  }

  /** The directory at an offset; undefined where none can be there, or where it was opened before. */
  open(at: number): Directory | undefined {
    const [countBytes, entryBytes] = this.#big ? [8, 20] : [2, 12];
    if (at < 8 || at + countBytes > this.#block.length || this.#opened.has(at)) return undefined;
    this.#opened.add(at);
    const count = this.#big ? this.#long(at) : this.view.getUint16(at, this.little);
    const end = at + countBytes + count * entryBytes;
    if (count > MOST_FIELDS || end > this.#block.length) return undefined;
    const seen = new Set<number>();
    const fields = Array.from({ length: count }, (_, i) => this.#fieldAt(at + countBytes + i * entryBytes))
      .filter((field) => field !== undefined)
      .filter(({ tag }) => !seen.has(tag) && seen.add(tag));
    return { at, end, fields, next: this.#nextAt(end) };
  }

  /** The directory that a field of another one links to. */
  follow(directory: Directory | undefined, tag: number): Directory | undefined {
    const field = directory && fieldOf(directory, tag);
    const [link] = field ? this.numbers(field) : [];
    return link === undefined ? undefined : this.open(link);
  }

  /** The items of a field as numbers; fractions as their quotients. At most `limit` of them. */
  numbers({ type, count, bytes }: Field, limit = Infinity): readonly number[] {
    const size = ITEM_BYTES[type] ?? 0;
    const view = viewOf(bytes);
    return Array.from({ length: Math.min(count, limit) }, (_, i) => this.#itemAt(view, type, i * size));
  }

  #itemAt(view: DataView, type: number, at: number): number {
    const { little } = this;
    if (type === RATIONAL || type === 10) return this.#ratio(view, at, type === 10);
    if (type === 11) return view.getFloat32(at, little);
    if (type === 12) return view.getFloat64(at, little);
    const signed = SIGNED.has(type);
    switch (ITEM_BYTES[type]) {
      case 1:
        return signed ? view.getInt8(at) : view.getUint8(at);
      case 2:
        return signed ? view.getInt16(at, little) : view.getUint16(at, little);
      case 4:
        return signed ? view.getInt32(at, little) : view.getUint32(at, little);
      default:
        return Number(signed ? view.getBigInt64(at, little) : view.getBigUint64(at, little));
    }
  }

  #ratio(view: DataView, at: number, signed: boolean): number {
    const read = (offset: number) => (signed ? view.getInt32(offset, this.little) : view.getUint32(offset, this.little));
    return read(at) / read(at + 4);
  }

  #fieldAt(entry: number): Field | undefined {
    const { view, little } = this;
    const [tag, type] = [view.getUint16(entry, little), view.getUint16(entry + 2, little)];
    const count = this.#big ? this.#long(entry + 4) : view.getUint32(entry + 4, little);
    const size = count * (ITEM_BYTES[type] ?? 0);
    if (size === 0 || !Number.isSafeInteger(size)) return undefined;
    const [place, room] = this.#big ? [entry + 12, 8] : [entry + 8, 4];
    const at = size <= room ? place : this.#big ? this.#long(place) : view.getUint32(place, little);
    if (at + size > this.#block.length) return undefined;
    return { tag, type, count, entry, at, bytes: this.#block.subarray(at, at + size) };
  }

  #nextAt(end: number): number {
    if (end + (this.#big ? 8 : 4) > this.#block.length) return 0;
    return this.#big ? this.#long(end) : this.view.getUint32(end, this.little);
  }

  /** Beyond 2^53 no file reaches: such a number fails every comparison with a length. */
  #long(at: number): number {
    return Number(this.view.getBigUint64(at, this.little));
  }
}

export function fieldOf({ fields }: Directory, tag: number): Field | undefined {
  return fields.find((field) => field.tag === tag);
}
