import { decompress } from './tiff-codecs.js';
import type { TiffFacts } from './tiff-facts.js';
import { viewOf } from './directory.js';

/** All samples of a picture, interleaved. */
export interface TiffSamples {
  readonly values: Uint8Array | Uint16Array;
  /** Floats or integers that mean more than white, or less than black, and were clipped. */
  readonly clipped: boolean;
  /** What was taken for white. */
  readonly white: number;
  /** How many strips or tiles could be read. */
  readonly read: number;
}

/** One strip or tile, and where its samples go. */
interface Tile {
  readonly bytes: Uint8Array;
  readonly x: number;
  readonly y: number;
  /** The sample that it begins with, and how many of each pixel it holds. */
  readonly sample: number;
  readonly perPixel: number;
}

/**
 * The samples of a TIFF that the decoder does not read right: floats, integers of other sizes than 8 and 16 bits, and
 * further channels. Up to 8 bits become 8; everything else becomes 16 bits with white at 65535.
 */
export function readTiffSamples(file: Uint8Array, facts: TiffFacts): TiffSamples {
  const { width, height, samples } = facts;
  const length = width * height * samples;
  if (facts.format === 'float') return fromFloats(file, facts, new Float32Array(length));
  const values = isDeepTiff(facts) ? new Uint16Array(length) : new Uint8Array(length);
  const white = whiteOfIntegers(file, facts);
  const [full, scale] = [values.BYTES_PER_ELEMENT === 1 ? 255 : 65535, (values.BYTES_PER_ELEMENT === 1 ? 255 : 65535) / white];
  let clipped = false;
  const read = readTiles(file, facts, (at, value) => {
    if (value < 0) clipped = true;
    values[at] = value <= 0 ? 0 : Math.min(full, Math.round(value * scale));
  });
  return { values, clipped, white, read };
}

/** What an integer of this kind can be at most; of wide ones that hold 8- or 16-bit values only, as arrays often do, what those can. */
function whiteOfIntegers(file: Uint8Array, facts: TiffFacts): number {
  const full = facts.format === 'signed' ? 2 ** (facts.bits - 1) - 1 : 2 ** facts.bits - 1;
  if (facts.bits < 16 || full === 65535) return full;
  let highest = 0;
  readTiles(file, facts, (_, value) => {
    if (value > highest) highest = value;
  });
  return highest === 0 ? full : ([255, 65535].find((most) => highest <= most && most < full) ?? full);
}

/** More than 8 bits hold what these samples mean. */
export function isDeepTiff({ bits, format }: TiffFacts): boolean {
  return bits > 8 || format !== 'unsigned';
}

function fromFloats(file: Uint8Array, facts: TiffFacts, floats: Float32Array): TiffSamples {
  const read = readTiles(file, facts, (at, value) => {
    floats[at] = value;
  });
  const white = whiteOf(floats);
  const values = new Uint16Array(floats.length);
  const scale = 65535 / white;
  let clipped = false;
  for (let i = 0; i < floats.length; i++) {
    const value = floats[i]! * scale;
    if (!(value >= -0.5 && value < 65535.5)) clipped = true;
    values[i] = value > 0 ? Math.min(65535, Math.round(value)) : 0;
  }
  return { values, clipped, white, read };
}

/** Some programs write 8- or 16-bit values as floats: more than half of them lie above 1 then. */
function whiteOf(floats: Float32Array): number {
  let [above, largest] = [0, 0];
  for (const value of floats) {
    if (value > 1.001) above++;
    if (value > largest && value < Infinity) largest = value;
  }
  if (above * 2 <= floats.length || largest > 65535) return 1;
  return largest > 255 ? 65535 : 255;
}

type Put = (at: number, value: number) => void;

/** Every sample of every strip or tile that is there; gives how many of them were. */
function readTiles(file: Uint8Array, facts: TiffFacts, put: Put): number {
  const { width, height, tile, samples, separate, bits, compression, offsets, sizes } = facts;
  const [across, down] = [Math.ceil(width / tile.width), Math.ceil(height / tile.height)];
  const perPixel = separate ? 1 : samples;
  const rowBytes = Math.ceil((tile.width * perPixel * bits) / 8);
  let read = 0;
  for (let index = 0; index < across * down * (separate ? samples : 1); index++) {
    const at = offsets[index] ?? 0;
    const place = index % (across * down);
    const y = Math.trunc(place / across) * tile.height;
    const rows = Math.min(tile.height, height - y);
    const data = at > 0 && at < file.length ? file.subarray(at, at + (sizes[index] ?? 0)) : undefined;
    const bytes = data && data.length > 0 ? decompress(data, compression, rowBytes * tile.height) : undefined;
    if (!bytes) continue;
    read++;
    const sample = separate ? Math.trunc(index / (across * down)) : 0;
    putTile(facts, { bytes: whole(bytes, rowBytes * rows), x: (place % across) * tile.width, y, sample, perPixel }, put);
  }
  return read;
}

/** A copy that may be written to and is as long as it should be. */
function whole(bytes: Uint8Array, length: number): Uint8Array {
  const result = new Uint8Array(length);
  result.set(bytes.subarray(0, length));
  return result;
}

function putTile(facts: TiffFacts, { bytes, x, y, sample, perPixel }: Tile, put: Put): void {
  const { width, height, tile, bits, samples } = facts;
  const rowSamples = tile.width * perPixel;
  const rowBytes = Math.ceil((rowSamples * bits) / 8);
  for (let row = 0; row < tile.height && y + row < height; row++) {
    const value = rowValues(facts, bytes.subarray(row * rowBytes, (row + 1) * rowBytes), perPixel);
    const columns = Math.min(tile.width, width - x);
    for (let column = 0; column < columns; column++) {
      const at = ((y + row) * width + x + column) * samples + sample;
      for (let c = 0; c < perPixel; c++) put(at + c, value(column * perPixel + c));
    }
  }
}

type ValueAt = (index: number) => number;

/** The samples of one row as numbers, the predictor undone. */
function rowValues(facts: TiffFacts, row: Uint8Array, perPixel: number): ValueAt {
  const { predictor, bits, format } = facts;
  if (predictor === 3) return floatsOfPlanes(row, { bits, perPixel });
  if (predictor === 2 && bits >= 8) addUp(facts, row, perPixel);
  return format === 'float' ? floatAt(facts, row) : integerAt(facts, row);
}

/** Horizontal differences (TIFF 6.0 section 14), modulo the word. */
function addUp({ bits, little }: TiffFacts, row: Uint8Array, perPixel: number): void {
  const view = viewOf(row);
  const size = bits / 8;
  const step = perPixel * size;
  for (let at = step; at + size <= row.length; at += size) {
    if (size === 1) row[at] = row[at]! + row[at - step]!;
    else if (size === 2) view.setUint16(at, view.getUint16(at, little) + view.getUint16(at - step, little), little);
    else if (size === 4) view.setUint32(at, view.getUint32(at, little) + view.getUint32(at - step, little), little);
    else view.setBigUint64(at, view.getBigUint64(at, little) + view.getBigUint64(at - step, little), little);
  }
}

/** Floats whose bytes lie in planes of equal weight, as differences (Adobe Photoshop TIFF technical note 3). */
function floatsOfPlanes(row: Uint8Array, { bits, perPixel }: { bits: number; perPixel: number }): ValueAt {
  for (let i = perPixel; i < row.length; i++) row[i] = row[i]! + row[i - perPixel]!;
  const size = bits / 8;
  const count = row.length / size;
  const ordered = new Uint8Array(row.length);
  for (let i = 0; i < count; i++) for (let byte = 0; byte < size; byte++) ordered[i * size + byte] = row[byte * count + i]!;
  return floatAt({ bits, little: false }, ordered);
}

function floatAt({ bits, little }: Pick<TiffFacts, 'bits' | 'little'>, row: Uint8Array): ValueAt {
  const view = viewOf(row);
  if (bits === 64) return (i) => view.getFloat64(i * 8, little);
  if (bits === 32) return (i) => view.getFloat32(i * 4, little);
  if (bits === 16) return (i) => smallFloat(view.getUint16(i * 2, little), 5, 10);
  return (i) => {
    const [a, b, c] = [row[i * 3]!, row[i * 3 + 1]!, row[i * 3 + 2]!];
    return smallFloat(little ? (c << 16) | (b << 8) | a : (a << 16) | (b << 8) | c, 7, 16);
  };
}

/** Half and 24-bit floats, by their numbers of exponent and fraction bits. */
function smallFloat(word: number, exponentBits: number, fractionBits: number): number {
  const sign = word >> (exponentBits + fractionBits) === 0 ? 1 : -1;
  const exponent = (word >> fractionBits) & ((1 << exponentBits) - 1);
  const fraction = (word & ((1 << fractionBits) - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias);
  return exponent === (1 << exponentBits) - 1 ? (fraction === 0 ? sign * Infinity : NaN) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

function integerAt({ bits, little, format }: TiffFacts, row: Uint8Array): ValueAt {
  const view = viewOf(row);
  const signed = format === 'signed';
  switch (bits) {
    case 8:
      return (i) => (signed ? view.getInt8(i) : row[i]!);
    case 16:
      return (i) => (signed ? view.getInt16(i * 2, little) : view.getUint16(i * 2, little));
    case 32:
      return (i) => (signed ? view.getInt32(i * 4, little) : view.getUint32(i * 4, little));
    case 64:
      return (i) => Number(signed ? view.getBigInt64(i * 8, little) : view.getBigUint64(i * 8, little));
    default:
      return packedAt(row, bits, signed);
  }
}

/** Samples of any number of bits up to 32, one behind the other, highest bit first. */
function packedAt(row: Uint8Array, bits: number, signed: boolean): ValueAt {
  return (index) => {
    let value = 0;
    for (let bit = index * bits; bit < (index + 1) * bits; bit++) value = value * 2 + (((row[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
    return signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
  };
}
