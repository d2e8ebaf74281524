import type { Extent, Rect } from '#base/geometry.js';

/** Pixels of a part of a mask: all of one level, as bits, or as they are. */
export type Kept = { readonly level: number } | { readonly asBits: boolean; readonly bytes: Uint8Array };

/** The pixels of a mask, read one by one and four at a time. */
export interface Samples {
  readonly extent: Extent;
  readonly values: Uint8Array;
  /** The same memory; a rest of up to three is missing. */
  readonly words: Uint32Array;
}

export function samplesOf(extent: Extent): Samples {
  const values = new Uint8Array(extent.width * extent.height);
  return { extent, values, words: new Uint32Array(values.buffer, 0, values.length >> 2) };
}

/** As bits, a pixel is painted or it is not. */
export function packed(samples: Samples, rect: Rect, asBits: boolean): Kept {
  const level = levelOf(samples, rect);
  if (level !== undefined) return { level };
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

export function unpack({ values, extent }: Samples, { x, y, width, height }: Rect, kept: Kept): void {
  for (let row = 0; row < height; row++) {
    const start = (y + row) * extent.width + x;
    if ('level' in kept) values.fill(kept.level, start, start + width);
    else if (kept.asBits) setBits(values.subarray(start, start + width), kept.bytes, row * Math.ceil(width / 8));
    else values.set(kept.bytes.subarray(row * width, (row + 1) * width), start);
  }
}

export function isSame(a: Kept, b: Kept): boolean {
  if ('level' in a || 'level' in b) return 'level' in a && 'level' in b && a.level === b.level;
  return a.asBits === b.asBits && a.bytes.every((byte, i) => byte === b.bytes[i]);
}

export function bytesOf(kept: Kept): number {
  return 'level' in kept ? 0 : kept.bytes.length;
}

/** The level that all of its pixels have; undefined where they differ. Most of a mask is painted in full, or not at all. */
function levelOf({ values, words, extent }: Samples, { x, y, width, height }: Rect): number | undefined {
  const level = values[y * extent.width + x];
  if (level === undefined) return 0;
  const four = level * 0x0101_0101;
  for (let row = y; row < y + height; row++) {
    let at = row * extent.width + x;
    const end = at + width;
    for (; at < end && (at & 3) !== 0; at++) if (values[at] !== level) return undefined;
    for (; at + 4 <= end; at += 4) if (words[at >> 2] !== four) return undefined;
    for (; at < end; at++) if (values[at] !== level) return undefined;
  }
  return level;
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

function setBits(row: Uint8Array, bytes: Uint8Array, from: number): void {
  for (let i = 0; i < row.length; i++) row[i] = bytes[from + (i >> 3)]! & (1 << (i & 7)) ? 255 : 0;
}
