import { Budget, MAX_METADATA_BYTES, Parts } from './parts.js';
import type { Source } from './source.js';

const EXTENSION = 0x21;
const PICTURE = 0x2c;
/** How the next frame is shown; one before each. */
const CONTROL = 0xf9;
const SCREEN_BYTES = 13;
const DESCRIPTOR_BYTES = 10;

/** A GIF without extensions that hold more than any note does: none of them is kept anyhow. */
export function slimGif(source: Source): Parts {
  const parts = new Parts();
  const budget = new Budget();
  let at = SCREEN_BYTES + paletteBytes(source.u8(SCREEN_BYTES - 3));
  parts.keep(0, Math.min(source.length, at));
  while (source.u8(at) === EXTENSION || source.u8(at) === PICTURE) {
    const extension = source.u8(at) === EXTENSION;
    const blocks = extension ? at + 2 : at + DESCRIPTOR_BYTES + paletteBytes(source.u8(at + DESCRIPTOR_BYTES - 1)) + 1;
    const end = Math.min(source.length, behindBlocks(source, blocks));
    if (!extension || source.u8(at + 1) === CONTROL || isSmall(end - at, budget)) parts.keep(at, end);
    else parts.drop(false);
    at = end;
  }
  parts.keep(at, source.length);
  return parts;
}

function isSmall(bytes: number, budget: Budget): boolean {
  return bytes <= MAX_METADATA_BYTES && budget.take('', bytes);
}

function paletteBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

/** Blocks of up to 255 bytes, the last one empty. */
function behindBlocks(source: Source, first: number): number {
  let at = first;
  for (let size = source.u8(at); size > 0; size = source.u8(at)) at += 1 + size;
  return at + 1;
}
