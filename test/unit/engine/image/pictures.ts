import sharp from 'sharp';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

export interface Shape {
  readonly width: number;
  readonly height: number;
  readonly channels?: 1 | 2 | 3 | 4;
  readonly deep?: boolean;
}

/** A smooth picture with some texture, different in every channel and pixel, of any layout. */
export function makePhoto({ width, height, channels = 3, deep = false }: Shape): Photo {
  const full = deep ? 65535 : 255;
  const length = width * height * channels;
  const samples = deep ? new Uint16Array(length) : new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const c = i % channels;
    const [x, y] = [Math.trunc(i / channels) % width, Math.trunc(i / channels / width)];
    const wave = 0.5 + 0.3 * Math.sin(x / 9 + c) * Math.cos(y / 7 - c) + 0.08 * Math.sin(x * 1.7 + y * 2.3 + c);
    samples[i] = Math.round(full * wave);
  }
  return { extent: { width, height }, channels, samples, format: 'png', notices: [] };
}

/** White inside a disc. */
export function discMask(extent: { width: number; height: number }, disc: { x: number; y: number; radius: number }): Mask {
  const values = Uint8Array.from({ length: extent.width * extent.height }, (_, i) => {
    const [x, y] = [i % extent.width, Math.trunc(i / extent.width)];
    return (x - disc.x) ** 2 + (y - disc.y) ** 2 <= disc.radius ** 2 ? 255 : 0;
  });
  return { extent, values };
}

/** `[1, 3, h, w]` from a function of channel, column and row. */
export function makePicture(width: number, height: number, value: (c: number, x: number, y: number) => number): FloatTensor {
  const picture = floats([1, 3, height, width]);
  picture.data.forEach((_, i) => {
    picture.data[i] = value(Math.trunc(i / (width * height)), i % width, Math.trunc(i / width) % height);
  });
  return picture;
}

/** An EXIF block: orientation and a maker, little- or big-endian. */
export function makeExif(orientation: number, little = true): Uint8Array {
  const block = new Uint8Array(8 + 2 + 24 + 4 + 12);
  const view = new DataView(block.buffer);
  block.set(little ? [0x49, 0x49, 0x2a, 0] : [0x4d, 0x4d, 0, 0x2a]);
  view.setUint32(4, 8, little);
  view.setUint16(8, 2, little);
  const entries = [
    { tag: 0x010f, type: 2, count: 12 },
    { tag: 0x0112, type: 3, count: 1 },
  ];
  entries.forEach(({ tag, type, count }, i) => {
    view.setUint16(10 + i * 12, tag, little);
    view.setUint16(12 + i * 12, type, little);
    view.setUint32(14 + i * 12, count, little);
  });
  view.setUint32(18, 38, little);
  view.setUint16(30, orientation, little);
  block.set(Buffer.from('Scalebrush!\0', 'latin1'), 38);
  return block;
}

export function differingSamples(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let count = Math.abs(a.length - b.length);
  for (let i = 0; i < Math.min(a.length, b.length); i++) count += a[i] === b[i] ? 0 : 1;
  return count;
}

export function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

/** Interleaving aside, bytes of a planar fixture as a tensor in 0..1. */
export function tensorOf(base64: string, dims: readonly number[]): FloatTensor {
  return floats(
    dims,
    Float32Array.from(bytesOf(base64), (byte) => byte / 255),
  );
}

/** The bytes of one of the encoder's own profiles. */
export async function builtInProfile(name: 'srgb' | 'p3'): Promise<Uint8Array> {
  const raw = { width: 1, height: 1, channels: 3 as const };
  const png = await sharp(new Uint8Array(3), { raw }).withIccProfile(name).png().toBuffer();
  return new Uint8Array((await sharp(png).metadata()).icc!);
}

/** A version 2 RGB profile with these colorants (D50, one row per channel) and one gamma. */
export function makeProfile(colorants: readonly (readonly number[])[], gamma: number): Uint8Array {
  const names = ['rXYZ', 'gXYZ', 'bXYZ', 'wtpt', 'rTRC', 'gTRC', 'bTRC'];
  const start = 132 + names.length * 12;
  const profile = Buffer.alloc(start + names.length * 20);
  profile.writeUInt32BE(profile.length, 0);
  profile.writeUInt32BE(0x02400000, 8);
  profile.write('mntrRGB XYZ ', 12, 'latin1');
  profile.write('acsp', 36, 'latin1');
  [0.9642, 1, 0.8249].forEach((value, i) => profile.writeInt32BE(Math.round(value * 65536), 68 + i * 4));
  profile.writeUInt32BE(names.length, 128);
  names.forEach((name, i) => {
    const at = start + i * 20;
    profile.write(name, 132 + i * 12, 'latin1');
    profile.writeUInt32BE(at, 136 + i * 12);
    profile.writeUInt32BE(i < 4 ? 20 : 14, 140 + i * 12);
    profile.write(i < 4 ? 'XYZ ' : 'curv', at, 'latin1');
    if (i >= 4) {
      profile.writeUInt32BE(1, at + 8);
      profile.writeUInt16BE(Math.round(gamma * 256), at + 12);
      return;
    }
    const xyz = colorants[i] ?? [0.9642, 1, 0.8249];
    xyz.forEach((value, k) => profile.writeInt32BE(Math.round(value * 65536), at + 8 + k * 4));
  });
  return new Uint8Array(profile);
}

/** An EXIF block with a place: `WHERE-IT-WAS` as the area's name, and a maker behind it in the first directory. */
export function makePlacedExif(little = true): Uint8Array {
  const block = new Uint8Array(100);
  const view = new DataView(block.buffer);
  const entry = (at: number, [tag, type, count, value]: readonly [number, number, number, number]) => {
    view.setUint16(at, tag, little);
    view.setUint16(at + 2, type, little);
    view.setUint32(at + 4, count, little);
    view.setUint32(at + 8, value, little);
  };
  block.set(little ? [0x49, 0x49, 0x2a, 0] : [0x4d, 0x4d, 0, 0x2a]);
  view.setUint32(4, 8, little);
  view.setUint16(8, 2, little);
  // Maker, then the link to the directory of the place.
  entry(10, [0x010f, 2, 12, 38]);
  entry(22, [0x8825, 4, 1, 50]);
  block.set(Buffer.from('Scalebrush!\0', 'latin1'), 38);
  view.setUint16(50, 1, little);
  // The name of the area lies outside its entry.
  entry(52, [0x001c, 7, 20, 68]);
  block.set(Buffer.from('ASCII\0\0\0WHERE-IT-WAS', 'latin1'), 68);
  return block;
}
