import { Budget, FEW_PIXELS_BYTES, Parts } from './parts.js';
import type { Source } from './source.js';

const SCAN = 0xda;
const COMMENT = 0xfe;
/** The name at the beginning of a segment ends with a zero; XMP's is the longest. */
const NAME_BYTES = 40;

/** A JPEG without segments of one kind that hold more than any metadata does. */
export function slimJpeg(source: Source, fewPixels: boolean): Parts {
  const parts = new Parts();
  const budget = new Budget();
  parts.keep(0, 2);
  let at = 2;
  for (;;) {
    const marker = source.u8(at) === 0xff ? source.u8(at + 1) : SCAN;
    const length = marker === 0xff ? -1 : source.u16(at + 2);
    if (marker === SCAN || Number.isNaN(length) || length === 0 || length === 1) break;
    const end = Math.min(source.length, at + 2 + length);
    if (!isMetadata(marker) || (!budget.isSpent && budget.take(kindOf(source, at), length))) parts.keep(at, end);
    else parts.drop(true);
    at = end;
  }
  parts.keep(at, fewPixels ? Math.min(source.length, at + FEW_PIXELS_BYTES) : source.length);
  return parts;
}

function isMetadata(marker: number): boolean {
  return (marker >= 0xe0 && marker <= 0xef) || marker === COMMENT;
}

function kindOf(source: Source, at: number): string {
  const marker = source.u8(at + 1);
  return `${String(marker)} ${marker === COMMENT ? '' : (source.latin(at + 4, NAME_BYTES).split('\0', 1)[0] ?? '')}`;
}
