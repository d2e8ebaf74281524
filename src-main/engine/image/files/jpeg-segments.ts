import { isResolution, pixelShape, wholeShape } from './exif.js';
import type { Resolution } from './photo.js';

const CM_PER_INCH = 2.54;
/** A marker segment of a JPEG holds at most 65,533 bytes. */
export const SEGMENT_BYTES = 65_533;
const XMP_NAME = 'http://ns.adobe.com/xap/1.0/\0';
const GAIN_MAP_NAME = 'urn:iso:std:iso:ts:21496:-1\0';
const APP0 = 0xe0;
const APP2 = 0xe2;
const SCAN = 0xda;
const END_OF_IMAGE = Buffer.from([0xff, 0xd9]);
/** Markers that begin a frame; DHT, JPG and DAC lie between them. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

interface Segment {
  readonly marker: number;
  readonly data: Buffer;
}

/** The segments in front of the first scan. */
function* segmentsOf(jpeg: Uint8Array): Generator<Segment, void> {
  const bytes = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = bytes.readUInt16BE(at + 2);
    if (marker === SCAN || length < 2) return;
    yield { marker, data: bytes.subarray(at + 4, Math.min(bytes.length, at + 2 + length)) };
    at += 2 + length;
  }
}

export interface JpegFacts {
  /** Bits per sample of the frame. */
  readonly precision: number;
  readonly resolution?: Resolution;
  /** An ISO 21496-1 gain map is announced. */
  readonly gainMap: boolean;
  /** Further pictures lie behind the first (CIPA DC-007), such as gain maps, depth maps and previews. */
  readonly morePictures: boolean;
  /** The file ends before its picture does. */
  readonly cut: boolean;
}

export function jpegFacts(jpeg: Uint8Array): JpegFacts {
  let facts: Omit<JpegFacts, 'cut'> = { precision: 8, gainMap: false, morePictures: false };
  let scan = 2;
  for (const { marker, data } of segmentsOf(jpeg)) {
    scan = data.byteOffset - jpeg.byteOffset + data.length;
    if (isFrame(marker) && data.length > 0) facts = { ...facts, precision: data[0]! };
    if (marker === APP0) facts = { ...facts, ...densityOf(data) };
    if (marker !== APP2) continue;
    if (data.toString('latin1', 0, GAIN_MAP_NAME.length) === GAIN_MAP_NAME) facts = { ...facts, gainMap: true };
    if (data.toString('latin1', 0, 4) === 'MPF\0') facts = { ...facts, morePictures: true };
  }
  return { ...facts, cut: isCut(jpeg, scan) };
}

/** Within a scan, no two bytes read like the marker of its end (T.81, B.1.1.5): without one behind the first scan, the rest is missing. */
function isCut(jpeg: Uint8Array, scan: number): boolean {
  return Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength).lastIndexOf(END_OF_IMAGE) < scan;
}

function densityOf(data: Buffer): { readonly resolution?: Resolution } {
  if (data.length < 12 || data.toString('latin1', 0, 5) !== 'JFIF\0') return {};
  const unit = data[7];
  const shape = unit === 0 ? pixelShape(data.readUInt16BE(8), data.readUInt16BE(10)) : undefined;
  if (shape) return { resolution: shape };
  const scale = unit === 1 ? 1 : unit === 2 ? CM_PER_INCH : 0;
  const [x, y] = [data.readUInt16BE(8) * scale, data.readUInt16BE(10) * scale];
  return isResolution(x) && isResolution(y) ? { resolution: { x, y } } : {};
}

export function segment(marker: number, data: Uint8Array): Uint8Array {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

/** The packet in one segment (XMP part 3, 1.1.3); undefined where it has no room there. */
export function xmpSegment(packet: string): Uint8Array | undefined {
  const data = Buffer.from(XMP_NAME + packet);
  return data.length <= SEGMENT_BYTES ? segment(0xe1, data) : undefined;
}

/** A profile in numbered APP2 segments (ICC.1 annex B.4). */
export function profileSegments(icc: Uint8Array): Uint8Array[] {
  const room = SEGMENT_BYTES - 14;
  const count = Math.ceil(icc.length / room);
  return Array.from({ length: count }, (_, i) => {
    const name = Buffer.from(`ICC_PROFILE\0${String.fromCharCode(i + 1, count)}`, 'latin1');
    return segment(APP2, Buffer.concat([name, icc.subarray(i * room, (i + 1) * room)]));
  });
}

/** The file with segments behind its first one, which has to stay there and says this resolution, or none. */
export function withSegments(jpeg: Buffer, segments: readonly Uint8Array[], resolution: Resolution | undefined): Uint8Array {
  const hasHead = jpeg[2] === 0xff && jpeg[3] === APP0;
  const rest = hasHead ? 4 + jpeg.readUInt16BE(4) : 2;
  return Buffer.concat([jpeg.subarray(0, 2), segment(APP0, jfif(resolution)), ...segments, jpeg.subarray(rest)]);
}

function jfif(resolution: Resolution | undefined): Uint8Array {
  const data = Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1');
  const [x, y] = resolution?.shapeOnly ? wholeShape(resolution) : [resolution?.x ?? 1, resolution?.y ?? 1];
  data[7] = resolution && !resolution.shapeOnly ? 1 : 0;
  data.writeUInt16BE(Math.min(65_535, Math.max(1, Math.round(x))), 8);
  data.writeUInt16BE(Math.min(65_535, Math.max(1, Math.round(y))), 10);
  return data;
}
