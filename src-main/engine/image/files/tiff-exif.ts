import { tiffOrder } from './exif.js';

/** Bytes per item of a field, by type number. */
const ITEM_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
const LONG = 4;
/** What a first directory says of the photograph: description, camera, resolution, program, date, author, rights. */
const DESCRIPTIVE: ReadonlySet<number> = new Set([270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 316, 33432]);
/** Links to the directories of the exposure, the place and, from the first of them, interoperability. */
const LINKS: ReadonlySet<number> = new Set([0x8769, 0x8825, 0xa005]);
/** No directory of a camera has so many fields. */
const MOST_FIELDS = 512;
/** An EXIF block fits into one JPEG segment. */
const MOST_BYTES = 65_000;
const DEEPEST = 2;
const HEADER_BYTES = 8;

interface Field {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** The value, or the link, as four bytes or more of the file. */
  readonly value: Uint8Array;
}

/**
 * The EXIF of a TIFF as a block of its own: what its first directory says of the photograph, and the directories behind it.
 * Undefined where it says nothing. Fields that lead beyond the file are left out.
 */
export function exifOfTiff(file: Uint8Array): Uint8Array | undefined {
  const order = tiffOrder(file);
  if (order === undefined) return undefined;
  const block = new ExifBlock(file, order === 'little');
  const { view, little } = block;
  const first = block.copyDirectory(view.getUint32(4, little), 0);
  return first === undefined ? undefined : block.finish(first);
}

class ExifBlock {
  readonly little: boolean;
  readonly view: DataView;
  readonly #file: Uint8Array;
  readonly #parts: Uint8Array[] = [];
  #length = HEADER_BYTES;

  constructor(file: Uint8Array, little: boolean) {
    this.#file = file;
    this.little = little;
    this.view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  /** Copies a directory and all that it leads to; gives where it lies in the block, undefined where nothing is in it. */
  copyDirectory(at: number, depth: number): number | undefined {
    const seen = new Set<number>();
    const fields = this.#fieldsAt(at)
      // A tag stands once: repeated links would lead through the same directories again and again.
      .filter(({ tag }) => !seen.has(tag) && seen.add(tag))
      .filter(({ tag }) => LINKS.has(tag) || depth > 0 || DESCRIPTIVE.has(tag))
      .flatMap((field) => this.#copied(field, depth) ?? []);
    if (fields.length === 0) return undefined;
    const directory = new Uint8Array(2 + fields.length * 12 + 4);
    const view = new DataView(directory.buffer);
    view.setUint16(0, fields.length, this.little);
    fields.forEach(({ tag, type, count, value }, i) => {
      const entry = 2 + i * 12;
      view.setUint16(entry, tag, this.little);
      view.setUint16(entry + 2, type, this.little);
      view.setUint32(entry + 4, count, this.little);
      directory.set(value, entry + 8);
    });
    return this.#append(directory);
  }

  finish(first: number): Uint8Array {
    const header = new Uint8Array(this.#file.subarray(0, HEADER_BYTES));
    new DataView(header.buffer).setUint32(4, first, this.little);
    return new Uint8Array(Buffer.concat([header, ...this.#parts]));
  }

  #fieldsAt(at: number): readonly Field[] {
    if (at < HEADER_BYTES || at + 2 > this.#file.length) return [];
    const count = this.view.getUint16(at, this.little);
    if (count > MOST_FIELDS || at + 2 + count * 12 > this.#file.length) return [];
    return Array.from({ length: count }, (_, i) => this.#fieldAt(at + 2 + i * 12)).filter((field) => field !== undefined);
  }

  #fieldAt(entry: number): Field | undefined {
    const { view, little } = this;
    const [tag, type, count] = [view.getUint16(entry, little), view.getUint16(entry + 2, little), view.getUint32(entry + 4, little)];
    const bytes = count * (ITEM_BYTES[type] ?? Infinity);
    if (!(bytes <= MOST_BYTES)) return undefined;
    const at = bytes <= 4 ? entry + 8 : view.getUint32(entry + 8, little);
    if (at + bytes > this.#file.length) return undefined;
    return { tag, type, count, value: this.#file.subarray(at, at + Math.max(4, bytes)) };
  }

  #copied(field: Field, depth: number): Field | undefined {
    if (this.#length + field.value.length > MOST_BYTES) return undefined;
    if (!LINKS.has(field.tag)) return field.value.length <= 4 ? field : { ...field, value: this.#offset(this.#append(field.value)) };
    if (depth >= DEEPEST || field.type !== LONG || field.count !== 1) return undefined;
    const link = new DataView(field.value.buffer, field.value.byteOffset).getUint32(0, this.little);
    const at = this.copyDirectory(link, depth + 1);
    return at === undefined ? undefined : { ...field, value: this.#offset(at) };
  }

  #append(part: Uint8Array): number {
    const at = this.#length;
    this.#parts.push(part, new Uint8Array(part.length % 2));
    this.#length += part.length + (part.length % 2);
    return at;
  }

  #offset(at: number): Uint8Array {
    const value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, at, this.little);
    return value;
  }
}
