import { makeChunk } from '../png-chunks.js';
import { Budget, FEW_PIXELS_BYTES, MAX_METADATA_BYTES, Parts } from './parts.js';
import type { Source } from './source.js';

const code = (type: string): number => Buffer.from(type, 'latin1').readUInt32BE();
const IDAT = code('IDAT');
const IEND = code('IEND');
const TEXTS = new Set(['tEXt', 'zTXt', 'iTXt'].map(code));
/** Those that count, once each; whatever else stands in the file was never looked at. */
const OTHERS = new Set(['IHDR', 'PLTE', 'tRNS', 'iCCP', 'eXIf', 'cICP', 'sRGB', 'gAMA', 'cHRM', 'pHYs', 'acTL'].map(code));
/** Length, type and checksum. */
const FRAME_BYTES = 12;

/** A PNG without chunks that hold more than any metadata does. */
export function slimPng(source: Source, fewPixels: boolean): Parts {
  const parts = new Parts();
  const budget = new Budget();
  let pixels = false;
  parts.keep(0, 8);
  for (let at = 8; at + 8 <= source.length;) {
    const [length, type] = [source.u32(at), source.u32(at + 4)];
    const end = at + FRAME_BYTES + length;
    // What the file cuts off stays cut off: the reader says that it is damaged.
    if (end > source.length) {
      parts.keep(at, Math.min(source.length, type === IDAT && !fewPixels ? end : at + FEW_PIXELS_BYTES));
      break;
    }
    if (type === IDAT && fewPixels) {
      if (!pixels) parts.put(makeChunk('IDAT', source.bytes(at + 8, Math.min(length, FEW_PIXELS_BYTES))));
      pixels = true;
    } else if (type === IDAT || type === IEND || wanted(type, length, budget)) parts.keep(at, end);
    else parts.drop(isRead(type));
    if (type === IEND) break;
    at = end;
  }
  return parts;
}

function isRead(type: number): boolean {
  return TEXTS.has(type) || OTHERS.has(type);
}

function wanted(type: number, length: number, budget: Budget): boolean {
  if (budget.isSpent) return false;
  if (TEXTS.has(type)) return budget.take('texts', length);
  return OTHERS.has(type) && length <= MAX_METADATA_BYTES && budget.take(String(type), length);
}
