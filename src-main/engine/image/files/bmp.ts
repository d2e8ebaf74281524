import type { Extent } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import { viewOf } from './directory.js';
import { isResolution } from './exif.js';
import type { Resolution } from './photo.js';

// Windows bitmaps (BITMAPINFOHEADER to BITMAPV5HEADER, and OS/2's short one): palettes, 16 to 32 bits, with or without masks.

const FILE_HEADER = 14;
const SHORT_HEADER = 12;
const INFO_HEADER = 40;
const V4_HEADER = 108;
const DEPTHS: ReadonlySet<number> = new Set([1, 4, 8, 16, 24, 32]);
const PLAIN = 0;
const BIT_FIELDS = [3, 6];
const INCH = 0.0254;

export interface BmpFacts {
  readonly extent: Extent;
  readonly channels: 3 | 4;
  readonly bits: number;
  readonly topDown: boolean;
  /** Where the rows begin. */
  readonly start: number;
  /** Where the palette begins, how many colours it has, and the bytes of each. */
  readonly palette: { readonly at: number; readonly count: number; readonly bytes: number };
  /** Which bits of a pixel are red, green, blue and alpha. */
  readonly masks: readonly [number, number, number, number];
  readonly resolution?: Resolution;
}

/** Throws `image.unreadable`, or `image.unsupported` for bitmaps that hold a compressed picture. */
export function readBmpFacts(file: Uint8Array): BmpFacts {
  const view = viewOf(file);
  const header = headerBytes(view);
  const { width, height, bits, compression } = header === SHORT_HEADER ? shortHeader(view) : longHeader(view);
  if (width <= 0 || height === 0) throw damaged();
  if (!DEPTHS.has(bits) || (compression !== PLAIN && !BIT_FIELDS.includes(compression))) throw refused(bits, compression);
  const masks = masksOf(view, { bits, fields: BIT_FIELDS.includes(compression), header });
  return {
    extent: { width, height: Math.abs(height) },
    channels: masks[3] === 0 ? 3 : 4,
    bits,
    topDown: height < 0,
    start: view.getUint32(10, true),
    palette: paletteOf(view, header, bits),
    masks,
    ...(header === SHORT_HEADER ? {} : resolutionOf(view)),
  };
}

function headerBytes(view: DataView): number {
  const bytes = view.byteLength >= FILE_HEADER + SHORT_HEADER ? view.getUint32(FILE_HEADER, true) : 0;
  if (bytes !== SHORT_HEADER && (bytes < INFO_HEADER || view.byteLength < FILE_HEADER + bytes)) throw damaged();
  return bytes;
}

function shortHeader(view: DataView) {
  return { width: view.getUint16(18, true), height: view.getUint16(20, true), bits: view.getUint16(24, true), compression: PLAIN };
}

function longHeader(view: DataView) {
  const compression = view.getUint32(30, true);
  return { width: view.getInt32(18, true), height: view.getInt32(22, true), bits: view.getUint16(28, true), compression };
}

function paletteOf(view: DataView, header: number, bits: number): BmpFacts['palette'] {
  const said = header === SHORT_HEADER ? 0 : view.getUint32(46, true);
  const most = bits <= 8 ? 2 ** bits : 0;
  return { at: FILE_HEADER + header, count: said > 0 ? Math.min(said, most) : most, bytes: header === SHORT_HEADER ? 3 : 4 };
}

function resolutionOf(view: DataView): { readonly resolution?: Resolution } {
  const [x, y] = [view.getInt32(38, true) * INCH, view.getInt32(42, true) * INCH];
  return isResolution(x) && isResolution(y) ? { resolution: { x, y } } : {};
}

interface Fields {
  readonly bits: number;
  readonly fields: boolean;
  readonly header: number;
}

/** Without masks of its own a pixel of 32 bits has no alpha: what lies there is padding. */
function masksOf(view: DataView, { bits, fields, header }: Fields): BmpFacts['masks'] {
  if (!fields) return bits === 16 ? [0x7c00, 0x03e0, 0x001f, 0] : [0xff0000, 0xff00, 0xff, 0];
  const at = FILE_HEADER + INFO_HEADER;
  if (view.byteLength < at + 16) throw damaged();
  const alpha = header >= V4_HEADER || header === 56 ? view.getUint32(at + 12, true) : 0;
  return [view.getUint32(at, true), view.getUint32(at + 4, true), view.getUint32(at + 8, true), alpha];
}

/** Rows from the top, interleaved; what the file cuts off stays black. */
export function readBmp(file: Uint8Array, facts: BmpFacts): { readonly samples: Uint8Array; readonly damaged: boolean } {
  const { extent, channels, bits, topDown, start } = facts;
  const { width, height } = extent;
  const samples = new Uint8Array(width * height * channels);
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  const put = pixelReader(file, facts);
  let missing = 0;
  for (let row = 0; row < height; row++) {
    const at = start + row * rowBytes;
    if (at + Math.ceil((width * bits) / 8) > file.length) missing++;
    else put(at, samples.subarray((topDown ? row : height - 1 - row) * width * channels));
  }
  return { samples, damaged: missing > 0 };
}

type ReadRow = (at: number, target: Uint8Array) => void;

function pixelReader(file: Uint8Array, facts: BmpFacts): ReadRow {
  const { bits, extent, palette } = facts;
  if (bits > 8) return maskedReader(file, facts);
  return (at, target) => {
    for (let x = 0; x < extent.width; x++) {
      const bit = x * bits;
      const index = (file[at + (bit >> 3)]! >> (8 - bits - (bit & 7))) & (2 ** bits - 1);
      const colour = palette.at + Math.min(index, Math.max(0, palette.count - 1)) * palette.bytes;
      for (let c = 0; c < 3; c++) target[x * 3 + c] = file[colour + 2 - c] ?? 0;
    }
  };
}

function maskedReader(file: Uint8Array, { bits, extent, channels, masks }: BmpFacts): ReadRow {
  const bytes = bits / 8;
  const parts = masks.slice(0, channels).map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { shift, full: mask >>> shift || 1 };
  });
  return (at, target) => {
    for (let x = 0; x < extent.width; x++) {
      let word = 0;
      for (let byte = bytes - 1; byte >= 0; byte--) word = (word << 8) | file[at + x * bytes + byte]!;
      parts.forEach(({ shift, full }, c) => (target[x * channels + c] = Math.round((((word >>> shift) & full) * 255) / full)));
    }
  };
}

function damaged(): ExpectedError {
  return new ExpectedError('image.unreadable', 'Expected a picture but received a file whose header is damaged.');
}

function refused(bits: number, compression: number): ExpectedError {
  const received = `a BMP of ${String(bits)} bits with compression ${String(compression)}`;
  return new ExpectedError('image.unsupported', `Expected a BMP without compression but received ${received}.`, { details: { received } });
}
