import { Directories, LONG, viewOf, type Field } from './directory.js';

/** What a first directory says of the photograph: description, camera, resolution, program, date, author, rights. */
const DESCRIPTIVE: ReadonlySet<number> = new Set([270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 316, 33432]);
/** Links to the directories of the exposure, the place and, from the first of them, interoperability. */
const LINKS: ReadonlySet<number> = new Set([0x8769, 0x8825, 0xa005]);
/** LONG, IFD and the two of BigTIFF that name an offset. */
const LINK_TYPES: ReadonlySet<number> = new Set([4, 13, 16, 18]);
/** Field types behind it are BigTIFF's, which no EXIF block may hold. */
const LAST_TYPE = 13;
/** An EXIF block fits into one JPEG segment. */
const MOST_BYTES = 65_000;
const DEEPEST = 2;
const HEADER_BYTES = 8;

interface Copied {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** The value, or where it lies in the block: four bytes. */
  readonly value: Uint8Array;
}

/**
 * The EXIF of a TIFF as a block of its own: what its first directory says of the photograph, and the directories behind it.
 * Undefined where it says nothing. Fields that lead beyond the file are left out.
 */
export function exifOfTiff(file: Uint8Array): Uint8Array | undefined {
  const directories = Directories.of(file);
  if (!directories) return undefined;
  const block = new ExifBlock(directories);
  const first = block.copyDirectory(directories.first, 0);
  return first === undefined ? undefined : block.finish(first);
}

class ExifBlock {
  readonly #source: Directories;
  readonly #parts: Uint8Array[] = [];
  #length = HEADER_BYTES;

  constructor(source: Directories) {
    this.#source = source;
  }

  /** Copies a directory and all that it leads to; gives where it lies in the block, undefined where nothing is in it. */
  copyDirectory(at: number, depth: number): number | undefined {
    const { little } = this.#source;
    const fields = (this.#source.open(at)?.fields ?? [])
      .filter(({ tag }) => LINKS.has(tag) || depth > 0 || DESCRIPTIVE.has(tag))
      .flatMap((field) => this.#copied(field, depth) ?? []);
    if (fields.length === 0) return undefined;
    const directory = new Uint8Array(2 + fields.length * 12 + 4);
    const view = viewOf(directory);
    view.setUint16(0, fields.length, little);
    fields.forEach(({ tag, type, count, value }, i) => {
      const entry = 2 + i * 12;
      view.setUint16(entry, tag, little);
      view.setUint16(entry + 2, type, little);
      view.setUint32(entry + 4, count, little);
      directory.set(value, entry + 8);
    });
    return this.#append(directory);
  }

  finish(first: number): Uint8Array {
    const { little } = this.#source;
    const header = new Uint8Array(little ? [0x49, 0x49, 42, 0, 0, 0, 0, 0] : [0x4d, 0x4d, 0, 42, 0, 0, 0, 0]);
    viewOf(header).setUint32(4, first, little);
    return new Uint8Array(Buffer.concat([header, ...this.#parts]));
  }

  #copied(field: Field, depth: number): Copied | undefined {
    const { tag, type, count, bytes } = field;
    if (this.#length + bytes.length > MOST_BYTES) return undefined;
    if (!LINKS.has(tag) && type > LAST_TYPE) return undefined;
    if (!LINKS.has(tag)) return { tag, type, count, value: bytes.length <= 4 ? bytes : this.#offset(this.#append(bytes)) };
    if (depth >= DEEPEST || !LINK_TYPES.has(type) || count !== 1) return undefined;
    const at = this.copyDirectory(this.#source.numbers(field)[0] ?? 0, depth + 1);
    return at === undefined ? undefined : { tag, type: LONG, count, value: this.#offset(at) };
  }

  #append(part: Uint8Array): number {
    const at = this.#length;
    this.#parts.push(part, new Uint8Array(part.length % 2));
    this.#length += part.length + (part.length % 2);
    return at;
  }

  #offset(at: number): Uint8Array {
    const value = new Uint8Array(4);
    viewOf(value).setUint32(0, at, this.#source.little);
    return value;
  }
}
