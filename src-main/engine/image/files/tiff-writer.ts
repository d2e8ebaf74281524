import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { tiffOrder } from './exif.js';
import type { Photo } from './photo.js';

const compress = promisify(deflate);

/** Bytes per item of the field types that a first directory may hold, by type number. */
const ITEM_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
const BYTE = 1;
const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;

const XMP = 700;
const DEFLATE = 8;
const HORIZONTAL_PREDICTOR = 2;
const STRIP_BYTES = 1 << 20;

/** Fields of a source's first directory that describe its own pixels, not the photograph. */
const PIXEL_FIELDS = new Set([
  254,
  255,
  256,
  257,
  258,
  259,
  262,
  266,
  273,
  277,
  278,
  279,
  284,
  317,
  320,
  322,
  323,
  324,
  325,
  330,
  338,
  339,
  347,
  513,
  514,
  529,
  530,
  531,
  532,
  XMP,
  34675,
]);

interface Field {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** The value itself, or where it lies in the file: four bytes in the file's order. */
  readonly value: Uint8Array;
}

/**
 * A TIFF with the samples exactly as they stand (deflate with horizontal differences), the profile, and EXIF.
 * `xmp` is a packet to write beside them. An EXIF block is itself a TIFF without pixels, so the file begins with it and every offset inside it stays true.
 */
export async function encodeTiff(photo: Photo, xmp?: Uint8Array): Promise<Uint8Array> {
  const head = photo.exif && tiffOrder(photo.exif) ? photo.exif : Uint8Array.of(0x49, 0x49, 0x2a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const file = new TiffFile(head);
  const rowBytes = photo.extent.width * photo.channels * photo.samples.BYTES_PER_ELEMENT;
  const rowsPerStrip = Math.max(1, Math.floor(STRIP_BYTES / rowBytes));
  const strips = await Promise.all(
    cutStrips(photo, rowsPerStrip).map((strip) => compress(differences(strip, photo, file.little), { level: 3 })),
  );
  const offsets = strips.map((strip) => file.append(strip));
  const sizes = strips.map((strip) => strip.length);
  const fields = [...inheritedFields(head, file.little), ...pixelFields(file, photo), file.numbers(278, LONG, [rowsPerStrip])];
  fields.push(file.numbers(273, LONG, offsets), file.numbers(279, LONG, sizes));
  if (xmp) fields.push(file.bytes(XMP, xmp, BYTE));
  return file.finish(fields);
}

function pixelFields(file: TiffFile, { extent, channels, samples, icc }: Photo): Field[] {
  const bits = samples.BYTES_PER_ELEMENT * 8;
  const hasAlpha = channels === 2 || channels === 4;
  const fields = [
    file.numbers(256, LONG, [extent.width]),
    file.numbers(257, LONG, [extent.height]),
    file.numbers(258, SHORT, Array<number>(channels).fill(bits)),
    file.numbers(259, SHORT, [DEFLATE]),
    file.numbers(262, SHORT, [channels <= 2 ? 1 : 2]),
    file.numbers(277, SHORT, [channels]),
    file.numbers(284, SHORT, [1]),
    file.numbers(317, SHORT, [HORIZONTAL_PREDICTOR]),
  ];
  // 2 = unassociated: colours are stored as they are, not multiplied by alpha.
  if (hasAlpha) fields.push(file.numbers(338, SHORT, [2]));
  if (icc) fields.push(file.bytes(34675, icc));
  return fields;
}

function cutStrips({ extent, channels, samples }: Photo, rows: number): (Uint8Array | Uint16Array)[] {
  const strips = [];
  const step = rows * extent.width * channels;
  for (let at = 0; at < samples.length; at += step) strips.push(samples.subarray(at, at + step));
  return strips;
}

/** Each sample minus the one to its left, modulo the word, in the file's byte order. */
function differences(strip: Uint8Array | Uint16Array, { extent, channels }: Photo, little: boolean): Uint8Array {
  const row = extent.width * channels;
  const result = strip.slice();
  for (let start = 0; start < strip.length; start += row) {
    for (let i = start + channels; i < start + row; i++) result[i] = strip[i]! - strip[i - channels]!;
  }
  const bytes = Buffer.from(result.buffer, result.byteOffset, result.byteLength);
  if (result.BYTES_PER_ELEMENT === 2 && !little) bytes.swap16();
  return bytes;
}

function inheritedFields(exif: Uint8Array, little: boolean): Field[] {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const ifd = view.getUint32(4, little);
  if (ifd < 8 || ifd + 2 > exif.length) return [];
  const count = Math.min(view.getUint16(ifd, little), Math.floor((exif.length - ifd - 2) / 12));
  const fields: Field[] = [];
  for (let at = ifd + 2; at < ifd + 2 + count * 12; at += 12) {
    const field = { tag: view.getUint16(at, little), type: view.getUint16(at + 2, little), count: view.getUint32(at + 4, little) };
    const inside = field.count * (ITEM_BYTES[field.type] ?? Infinity) <= 4 || view.getUint32(at + 8, little) < exif.length;
    if (!PIXEL_FIELDS.has(field.tag) && inside) fields.push({ ...field, value: exif.subarray(at + 8, at + 12) });
  }
  return fields;
}

/** A file under construction: blocks at even offsets, then one directory. */
class TiffFile {
  readonly little: boolean;
  readonly #blocks: Uint8Array[] = [];
  #length = 0;

  constructor(head: Uint8Array) {
    this.little = tiffOrder(head) === 'little';
    this.append(head.slice());
  }

  /** Adds a block; returns its offset. */
  append(block: Uint8Array): number {
    const offset = this.#length;
    this.#blocks.push(block);
    if (block.length % 2 === 1) this.#blocks.push(new Uint8Array(1));
    this.#length += block.length + (block.length % 2);
    return offset;
  }

  numbers(tag: number, type: typeof SHORT | typeof LONG, values: readonly number[]): Field {
    const size = type === SHORT ? 2 : 4;
    const bytes = new Uint8Array(Math.max(4, values.length * size));
    const view = new DataView(bytes.buffer);
    values.forEach((value, i) => {
      if (type === SHORT) view.setUint16(i * size, value, this.little);
      else view.setUint32(i * size, value, this.little);
    });
    return { tag, type, count: values.length, value: values.length * size <= 4 ? bytes : this.#offsetOf(bytes) };
  }

  bytes(tag: number, bytes: Uint8Array, type: typeof BYTE | typeof UNDEFINED = UNDEFINED): Field {
    return { tag, type, count: bytes.length, value: this.#offsetOf(bytes) };
  }

  finish(fields: readonly Field[]): Uint8Array {
    const sorted = fields.toSorted((a, b) => a.tag - b.tag);
    const directory = new Uint8Array(2 + sorted.length * 12 + 4);
    const view = new DataView(directory.buffer);
    view.setUint16(0, sorted.length, this.little);
    sorted.forEach(({ tag, type, count, value }, i) => {
      const at = 2 + i * 12;
      view.setUint16(at, tag, this.little);
      view.setUint16(at + 2, type, this.little);
      view.setUint32(at + 4, count, this.little);
      directory.set(value, at + 8);
    });
    const offset = this.append(directory);
    const head = this.#blocks[0]!;
    new DataView(head.buffer, head.byteOffset).setUint32(4, offset, this.little);
    return Buffer.concat(this.#blocks);
  }

  #offsetOf(block: Uint8Array): Uint8Array {
    const value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, this.append(block), this.little);
    return value;
  }
}
