import type { Extent, Rect } from '#base/geometry.js';

/** Pixels of a part of a mask: all of one level, as bits, or as they are. */
export type Kept = { readonly level: number } | { readonly asBits: boolean; readonly bytes: Uint8Array };

/** The pixels of a mask, read one by one and four at a time. */
export interface Samples {
  readonly extent: Extent;
  readonly values: Uint8Array<ArrayBuffer>;
  /** The same memory; a rest of up to three is missing. */
  readonly words: Int32Array;
}

export function samplesOf(extent: Extent, values = new Uint8Array(extent.width * extent.height)): Samples {
  return { extent, values, words: new Int32Array(values.buffer, 0, values.length >> 2) };
}

/** As bits, a pixel is painted or it is not. `known` is its level where that was looked for with those of all others. */
export function packed(
  samples: Samples,
  rect: Rect,
  { asBits, known }: { readonly asBits: boolean; readonly known?: number | undefined },
): Kept {
  const level = known ?? levelOf(samples, rect);
  if (level !== undefined && level !== MIXED) return { level };
  const { x, y, width, height } = rect;
  const { values, extent } = samples;
  const rowBytes = asBits ? Math.ceil(width / 8) : width;
  const bytes = new Uint8Array(rowBytes * height);
  for (let row = 0, at = 0; row < height; row++, at += rowBytes) {
    const start = (y + row) * extent.width + x;
    if (asBits) for (let i = 0; i < width; i += 8) bytes[at + (i >> 3)] = byteOf(values, start + i, Math.min(8, width - i));
    else bytes.set(values.subarray(start, start + width), at);
  }
  return { asBits, bytes };
}

export function unpack(samples: Samples, rect: Rect, kept: Kept): void {
  const { values, extent } = samples;
  const { x, y, width, height } = rect;
  if ('level' in kept) fill(samples, rect, kept.level);
  else if (kept.asBits) setBits(samples, rect, kept.bytes);
  else for (let row = 0; row < height; row++) values.set(kept.bytes.subarray(row * width, (row + 1) * width), (y + row) * extent.width + x);
}

/** Whether no pixel of a part is painted. */
export function isBlank(samples: Samples, rect: Rect): boolean {
  return levelOf(samples, rect) === 0;
}

/** Rows are short: a call for each of them would take longer than writing it. */
function fill({ values, words, extent }: Samples, { x, y, width, height }: Rect, level: number): void {
  const four = (level * 0x0101_0101) | 0;
  for (let row = y; row < y + height; row++) {
    const start = row * extent.width + x;
    const end = start + width;
    const [first, last] = [(start + 3) >> 2, end >> 2];
    for (let at = start; at < Math.min(4 * first, end); at++) values[at] = level;
    for (let at = first; at < last; at++) words[at] = four;
    for (let at = Math.max(start, 4 * last); at < end; at++) values[at] = level;
  }
}

/** Whether a part still is what was kept of it. `known` is its level where that was looked for. */
export function isKept(
  samples: Samples,
  rect: Rect,
  { kept, known }: { readonly kept: Kept; readonly known?: number | undefined },
): boolean {
  if ('level' in kept) return kept.level === (known ?? levelOf(samples, rect));
  const now = packed(samples, rect, { asBits: kept.asBits, known });
  return 'bytes' in now && kept.bytes.every((byte, i) => byte === now.bytes[i]);
}

export function bytesOf(kept: Kept): number {
  return 'level' in kept ? 0 : kept.bytes.length;
}

/** Stands for the level of a cell whose pixels differ. */
export const MIXED = -1;

/** The level of every cell of this side, or MIXED: in one pass over the rows, because memory is fastest in their order. */
export function levelsOf(samples: Samples, side: number): Int16Array {
  const { width, height } = samples.extent;
  const columns = Math.ceil(width / side);
  const levels = new Int16Array(columns * Math.ceil(height / side));
  for (let y = 0; y < height; y++) {
    const first = Math.floor(y / side) * columns;
    for (let column = 0; column < columns; column++) {
      const start = y * width + column * side;
      const end = y * width + Math.min(width, (column + 1) * side);
      if (y % side === 0) levels[first + column] = samples.values[start]!;
      const level = levels[first + column]!;
      if (level !== MIXED && !isLevel(samples, { start, end, level })) levels[first + column] = MIXED;
    }
  }
  return levels;
}

/** The level that all of its pixels have; undefined where they differ. Most of a mask is painted in full, or not at all. */
function levelOf({ values, words, extent }: Samples, { x, y, width, height }: Rect): number | undefined {
  const level = values[y * extent.width + x];
  if (level === undefined) return 0;
  for (let row = y; row < y + height; row++) {
    const start = row * extent.width + x;
    if (!isLevel({ values, words, extent }, { start, end: start + width, level })) return undefined;
  }
  return level;
}

/** A part of one row. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly level: number;
}

function isLevel({ values, words }: Samples, { start, end, level }: Span): boolean {
  // As a signed word, as all small numbers are to the machine.
  const four = (level * 0x0101_0101) | 0;
  const [first, last] = [(start + 3) >> 2, end >> 2];
  for (let at = start; at < Math.min(4 * first, end); at++) if (values[at] !== level) return false;
  for (let at = first; at < last; at++) if (words[at] !== four) return false;
  for (let at = Math.max(start, 4 * last); at < end; at++) if (values[at] !== level) return false;
  return true;
}

/** Up to eight pixels as bits. Eight are written out: an undo has millions of them before the next frame. */
function byteOf(v: Uint8Array, i: number, count: number): number {
  if (count < 8) return bitsOf(v, i, count);
  return (
    (v[i]! & 1) | (v[i + 1]! & 2) | (v[i + 2]! & 4) | (v[i + 3]! & 8) |
    (v[i + 4]! & 16) | (v[i + 5]! & 32) | (v[i + 6]! & 64) | (v[i + 7]! & 128)
  ); // prettier-ignore
}

function bitsOf(values: Uint8Array, at: number, count: number): number {
  let bits = 0;
  for (let i = 0; i < count; i++) bits |= values[at + i]! & (1 << i);
  return bits;
}

/** For every byte the eight pixels that it stands for, as two words. */
const EIGHT = new Int32Array(Uint8Array.from({ length: 256 * 8 }, (_, i) => ((i >> 3) & (1 << (i & 7)) ? 255 : 0)).buffer);

function setBits({ values, words, extent }: Samples, { x, y, width, height }: Rect, bytes: Uint8Array): void {
  const rowBytes = Math.ceil(width / 8);
  for (let row = 0; row < height; row++) {
    const start = (y + row) * extent.width + x;
    const from = row * rowBytes;
    // Where the row does not begin with a word, or has a rest, pixels are written one by one.
    const inWords = (start & 3) === 0 ? width >> 3 : 0;
    for (let i = 0, word = start >> 2; i < inWords; i++) {
      const byte = bytes[from + i]!;
      words[word++] = EIGHT[2 * byte]!;
      words[word++] = EIGHT[2 * byte + 1]!;
    }
    for (let i = 8 * inWords; i < width; i++) values[start + i] = bytes[from + (i >> 3)]! & (1 << (i & 7)) ? 255 : 0;
  }
}
