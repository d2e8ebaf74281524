import type { Extent } from '#base/geometry.js';

const SIGNATURE = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const GREY_8_BIT = [8, 0, 0, 0, 0] as const;
const NO_FILTER = 0;

/**
 * One-channel samples as a grey PNG. Written here and not by a canvas, which would take four bytes per
 * sample and may run them through a colour profile: a mask must arrive exactly as it was painted.
 */
export async function encodeGreyPng(values: Uint8Array, extent: Extent): Promise<Blob> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, extent.width);
  view.setUint32(4, extent.height);
  header.set(GREY_8_BIT, 8);
  const data = await deflated(filteredRows(values, extent));
  return new Blob([SIGNATURE, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', new Uint8Array())], { type: 'image/png' });
}

/** Each row behind the byte that names its filter. */
function filteredRows(values: Uint8Array, { width, height }: Extent): Uint8Array<ArrayBuffer> {
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) {
    rows[y * (width + 1)] = NO_FILTER;
    rows.set(values.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  }
  return rows;
}

async function deflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  // PNG wants the zlib frame, which is what the platform calls `deflate`.
  const stream = new Response(bytes).body?.pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream ?? null).arrayBuffer());
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
