import { Budget, FEW_PIXELS_BYTES, Parts } from './parts.js';
import type { Source } from './source.js';

const PIXELS = new Set(['VP8 ', 'VP8L', 'ALPH', 'ANIM', 'ANMF', 'VP8X']);
/** The chunks that the header announces, and how (RFC 9649, 2.7). */
const ANNOUNCED: Readonly<Record<string, number>> = { ICCP: 0x20, EXIF: 0x08, 'XMP ': 0x04 };
const HEAD_BYTES = 12;
/** Of the extended header, which comes first. */
const FLAGS_AT = 20;

/** A WebP without chunks that hold more than any metadata does. */
export function slimWebp(source: Source, fewPixels: boolean): Parts {
  const parts = new Parts();
  const budget = new Budget();
  let missing = 0;
  parts.keep(0, HEAD_BYTES);
  for (let at = HEAD_BYTES; at < source.length;) {
    const length = source.u32(at + 4, true);
    const end = Math.min(source.length, Number.isNaN(length) ? source.length : at + 8 + length + (length % 2));
    const type = budget.isSpent ? '' : source.latin(at, 4);
    if (PIXELS.has(type)) {
      const few = fewPixels ? Math.min(end, at + FEW_PIXELS_BYTES) : end;
      parts.keep(at, few);
      if (end > few) parts.blank(few, end);
    } else if (type in ANNOUNCED && budget.take(type, length)) parts.keep(at, end);
    else {
      parts.drop(type in ANNOUNCED);
      missing |= ANNOUNCED[type] ?? 0;
    }
    at = end;
  }
  return withHead(source, parts, missing);
}

/** The file says how long it is, and what is in it. */
function withHead(source: Source, parts: Parts, missing: number): Parts {
  if (parts.whole) return parts;
  const length = Buffer.alloc(4);
  length.writeUInt32LE(parts.bytes - 8);
  parts.patch(4, length);
  if (source.latin(HEAD_BYTES, 4) === 'VP8X') parts.patch(FLAGS_AT, Uint8Array.of(source.u8(FLAGS_AT) & ~missing));
  return parts;
}
