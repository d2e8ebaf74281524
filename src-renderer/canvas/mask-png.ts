import type { Extent } from '#base/geometry.js';

const SIGNATURE = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const GREY_8_BIT = [8, 0, 0, 0, 0] as const;
/** Rows are filtered and packed some at a time: a mask has as many bytes as the picture has pixels. */
const ROWS_AT_ONCE = 64;

/** The rows of a mask from the first that is painted to the last; all others are empty. */
export interface MaskRows {
  readonly extent: Extent;
  readonly top: number;
  readonly rows: Uint8Array;
}

/**
 * One-channel samples as a grey PNG. Written here and not by a canvas, which would take four bytes per
 * sample and may run them through a colour profile: a mask must arrive exactly as it was painted.
 */
export async function encodeGreyPng(mask: MaskRows): Promise<Blob> {
  const { extent } = mask;
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, extent.width);
  view.setUint32(4, extent.height);
  header.set(GREY_8_BIT, 8);
  const data = await deflated(filteredRows(mask));
  return new Blob([SIGNATURE, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', new Uint8Array())], { type: 'image/png' });
}

/** Each row behind the byte that names its filter, which is none. */
function filteredRows({ extent: { width, height }, top, rows }: MaskRows): ReadableStream<Uint8Array<ArrayBuffer>> {
  let first = 0;
  return new ReadableStream({
    pull(controller) {
      const count = Math.min(ROWS_AT_ONCE, height - first);
      if (count === 0) {
        controller.close();
        return;
      }
      const part = new Uint8Array((width + 1) * count);
      for (let row = 0; row < count; row++) {
        const at = (first + row - top) * width;
        if (at >= 0) part.set(rows.subarray(at, at + width), row * (width + 1) + 1);
      }
      first += count;
      controller.enqueue(part);
    },
  });
}

async function deflated(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array<ArrayBuffer>> {
  // PNG wants the zlib frame, which is what the platform calls `deflate`.
  return new Uint8Array(await new Response(bytes.pipeThrough(new CompressionStream('deflate'))).arrayBuffer());
}

function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** CRC-32 (ISO 3309), as PNG's annex D defines it. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb8_8320 ^ (value >>> 1) : value >>> 1;
  return value;
});
