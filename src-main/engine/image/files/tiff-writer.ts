import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type { Extent } from '#base/geometry.js';
import { BYTE, Directories, LONG, RATIONAL, SHORT, tiffOrder, UNDEFINED, viewOf } from './directory.js';
import type { Photo } from './photo.js';

const compress = promisify(deflate);

const XMP = 700;
const IPTC = 33_723;
const PROFILE = 34_675;
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
  IPTC,
  34_377,
  PROFILE,
]);

interface Field {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** The value itself, or where it lies in the file: four bytes in the file's order. */
  readonly value: Uint8Array;
}

/** Samples as they are to lie in the file. */
interface Raster extends Extent {
  readonly samples: Uint8Array | Uint16Array;
  readonly perPixel: number;
  readonly photometric: number;
  /** What the samples behind the colours are. */
  readonly extras: readonly number[];
}

const GRAY = 1;
const RGB = 2;
const CMYK = 5;
const UNSPECIFIED = 0;
/** Unassociated: colours are stored as they are, not multiplied by alpha. */
const STRAIGHT = 2;

/**
 * A TIFF with the samples exactly as they stand (deflate with horizontal differences) and all that the photo holds.
 * `xmp` is the packet to write. An EXIF block is itself a TIFF without pixels, so the file begins with it and every offset
 * inside it stays true.
 */
export async function encodeTiff(photo: Photo, xmp?: Uint8Array): Promise<Uint8Array> {
  const { exif, icc, iptc, resolution } = photo;
  const head = exif && tiffOrder(exif) ? exif : EMPTY_HEAD;
  const file = new TiffFile(head);
  const inherited = inheritedFields(head).filter(({ tag }) => !resolution || !RESOLUTION_FIELDS.has(tag));
  const fields = [...inherited, ...(await rasterFields(file, rasterOf(photo)))];
  if (resolution) fields.push(...resolutionFields(file, resolution));
  if (icc) fields.push(file.bytes(PROFILE, icc));
  if (xmp) fields.push(file.bytes(XMP, xmp, BYTE));
  if (iptc) fields.push(file.bytes(IPTC, iptc));
  return file.finish(fields);
}

/** Four samples of ink per pixel with their profile, for the decoder to convert. */
export async function encodeCmykTiff({ width, height }: Extent, samples: Photo['samples'], icc?: Uint8Array): Promise<Uint8Array> {
  const file = new TiffFile(EMPTY_HEAD);
  const fields = await rasterFields(file, { width, height, samples, perPixel: 4, photometric: CMYK, extras: [] });
  if (icc) fields.push(file.bytes(PROFILE, icc));
  return file.finish(fields);
}

const EMPTY_HEAD = Uint8Array.of(0x49, 0x49, 0x2a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const RESOLUTION_FIELDS: ReadonlySet<number> = new Set([282, 283, 296]);

function rasterOf({ extent, channels, samples, extra }: Photo): Raster {
  const extras = [...(channels % 2 === 0 ? [STRAIGHT] : []), ...Array<number>(extra?.count ?? 0).fill(UNSPECIFIED)];
  const photometric = channels <= 2 ? GRAY : RGB;
  if (!extra) return { ...extent, samples, perPixel: channels, photometric, extras };
  const perPixel = channels + extra.count;
  const joined =
    samples.BYTES_PER_ELEMENT === 2
      ? new Uint16Array((samples.length / channels) * perPixel)
      : new Uint8Array((samples.length / channels) * perPixel);
  for (let from = 0, to = 0, more = 0; from < samples.length; from += channels, to += perPixel, more += extra.count) {
    for (let c = 0; c < channels; c++) joined[to + c] = samples[from + c]!;
    for (let c = 0; c < extra.count; c++) joined[to + channels + c] = extra.samples[more + c]!;
  }
  return { ...extent, samples: joined, perPixel, photometric, extras };
}

async function rasterFields(file: TiffFile, raster: Raster): Promise<Field[]> {
  const { width, height, samples, perPixel, photometric, extras } = raster;
  const rowsPerStrip = Math.max(1, Math.floor(STRIP_BYTES / (width * perPixel * samples.BYTES_PER_ELEMENT)));
  const cut = cutStrips(raster, rowsPerStrip);
  const strips = await Promise.all(cut.map((strip) => compress(differences(strip, raster, file.little), { level: 3 })));
  const offsets = strips.map((strip) => file.append(strip));
  const fields = [
    file.numbers(256, LONG, [width]),
    file.numbers(257, LONG, [height]),
    file.numbers(258, SHORT, Array<number>(perPixel).fill(samples.BYTES_PER_ELEMENT * 8)),
    file.numbers(259, SHORT, [DEFLATE]),
    file.numbers(262, SHORT, [photometric]),
    file.numbers(273, LONG, offsets),
    file.numbers(277, SHORT, [perPixel]),
    file.numbers(278, LONG, [rowsPerStrip]),
    file.numbers(
      279,
      LONG,
      strips.map((strip) => strip.length),
    ),
    file.numbers(284, SHORT, [1]),
    file.numbers(317, SHORT, [HORIZONTAL_PREDICTOR]),
  ];
  if (extras.length > 0) fields.push(file.numbers(338, SHORT, extras));
  return fields;
}

function resolutionFields(file: TiffFile, { x, y, shapeOnly }: NonNullable<Photo['resolution']>): Field[] {
  return [file.ratio(282, x), file.ratio(283, y), file.numbers(296, SHORT, [shapeOnly ? 1 : 2])];
}

function cutStrips({ width, perPixel, samples }: Raster, rows: number): (Uint8Array | Uint16Array)[] {
  const strips = [];
  const step = rows * width * perPixel;
  for (let at = 0; at < samples.length; at += step) strips.push(samples.subarray(at, at + step));
  return strips;
}

/** Each sample minus the one to its left, modulo the word, in the file's byte order. */
function differences(strip: Uint8Array | Uint16Array, { width, perPixel }: Raster, little: boolean): Uint8Array {
  const row = width * perPixel;
  const result = strip.slice();
  for (let start = 0; start < strip.length; start += row) {
    for (let i = start + perPixel; i < start + row; i++) result[i] = strip[i]! - strip[i - perPixel]!;
  }
  const bytes = Buffer.from(result.buffer, result.byteOffset, result.byteLength);
  if (result.BYTES_PER_ELEMENT === 2 && !little) bytes.swap16();
  return bytes;
}

/** What an EXIF block's first directory says of the photograph; the values stay where they lie in the block. */
function inheritedFields(exif: Uint8Array): Field[] {
  const directories = Directories.of(exif);
  const fields = directories?.open(directories.first)?.fields ?? [];
  return fields
    .filter(({ tag }) => !PIXEL_FIELDS.has(tag))
    .map(({ tag, type, count, entry }) => ({ tag, type, count, value: exif.subarray(entry + 8, entry + 12) }));
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

  ratio(tag: number, value: number): Field {
    const bytes = new Uint8Array(8);
    viewOf(bytes).setUint32(0, Math.round(value * 100), this.little);
    viewOf(bytes).setUint32(4, 100, this.little);
    return { tag, type: RATIONAL, count: 1, value: this.#offsetOf(bytes) };
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
