import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import type { ErrorCode } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import { tiffOfHand } from './tiff.js';

export const SIZE = { width: 40, height: 30 };
const { width, height } = SIZE;
const PIXELS = width * height;

/** A file, and what it must come out as. */
export interface FormatCase {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Red, green, blue and alpha of the upright picture, 0 to 1. */
  readonly rgba: (x: number, y: number) => readonly number[];
  /** How far its format lets them be off. */
  readonly tolerance?: number;
  readonly depth?: 8 | 16;
  readonly profile?: boolean;
  readonly xmp?: boolean;
  /** A keyword in IPTC. */
  readonly iptc?: boolean;
  readonly dpi?: boolean;
  readonly notices?: readonly Notice['code'][];
  readonly refused?: ErrorCode;
}

/** Ramps in sixteenths: whole numbers at every depth from 4 bits on. */
function level(x: number, y: number, c: number): number {
  return ((Math.trunc(x / 3) + Math.trunc(y / 3) * (c + 1)) % 16) / 15;
}

const colour = (x: number, y: number) => [level(x, y, 0), level(x, y, 1), level(x, y, 2), 1];
const gray = (x: number, y: number) => [level(x, y, 0), level(x, y, 0), level(x, y, 0), 1];
const seeThrough = (x: number, y: number) => [level(x, y, 0), level(x, y, 1), level(x, y, 2), level(x, y, 3)];
const grayThrough = (x: number, y: number) => [level(x, y, 0), level(x, y, 0), level(x, y, 0), level(x, y, 1)];

const LAYOUTS = [
  { channels: 1, rgba: gray },
  { channels: 2, rgba: grayThrough },
  { channels: 3, rgba: colour },
  { channels: 4, rgba: seeThrough },
] as const;

/** Interleaved levels of so many channels: those of `LAYOUTS`. */
function values(channels: number): number[] {
  return Array.from({ length: PIXELS * channels }, (_, i) =>
    level(Math.trunc(i / channels) % width, Math.trunc(i / channels / width), i % channels),
  );
}

function raw(channels: 1 | 2 | 3 | 4, deep = false): Sharp {
  const full = deep ? 65535 : 255;
  const whole = values(channels).map((value) => Math.round(value * full));
  const samples = deep ? Uint16Array.from(whole) : Uint8Array.from(whole);
  const picture = sharp(samples, { raw: { width, height, channels } });
  if (channels <= 2) return picture.toColourspace(deep ? 'grey16' : 'b-w');
  return deep ? picture.toColourspace('rgb16') : picture;
}

const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="heron"/></rdf:RDF></x:xmpmeta>';

type Writer = (buffer: Buffer, value: number, at: number) => void;

function packed(numbers: readonly number[], size: number, write: Writer): Buffer {
  const bytes = Buffer.alloc(numbers.length * size);
  numbers.forEach((value, i) => {
    write(bytes, value, i * size);
  });
  return bytes;
}

/** The encoder claims a resolution of its own making, which no file of these may have. */
function withoutResolution(png: Buffer, ...chunks: readonly Buffer[]): Buffer {
  const kept = [png.subarray(0, 33), ...chunks];
  for (let at = 33; at < png.length;) {
    const end = at + 12 + png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) !== 'pHYs') kept.push(png.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

async function chunk(type: string, data: Uint8Array): Promise<Buffer> {
  const { crc32 } = await import('node:zlib');
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

async function pngs(): Promise<FormatCase[]> {
  const made: FormatCase[] = [];
  for (const { channels, rgba } of LAYOUTS) {
    for (const depth of [8, 16] as const) {
      const bytes = withoutResolution(
        await raw(channels, depth === 16)
          .png()
          .toBuffer(),
      );
      made.push({ name: `png-${String(channels)}-${String(depth)}.png`, bytes, rgba, depth });
    }
  }
  const plain = await raw(3).png().toBuffer();
  const longs = (...numbers: number[]) => packed(numbers, 4, (buffer, value, at) => buffer.writeUInt32BE(value, at));
  const text = (key: string, body: string) => chunk('iTXt', Buffer.from(`${key}\0\0\0\0\0${body}`, 'utf8'));
  const extras: readonly (readonly [string, readonly Buffer[], Partial<FormatCase>])[] = [
    ['cicp-p3', [await chunk('cICP', Uint8Array.of(12, 13, 0, 1))], { profile: true }],
    ['cicp-video', [await chunk('cICP', Uint8Array.of(1, 13, 0, 0))], { profile: true }],
    ['cicp-matrix', [await chunk('cICP', Uint8Array.of(12, 13, 1, 1))], { notices: ['image.profile'] }],
    ['cicp-srgb', [await chunk('cICP', Uint8Array.of(1, 13, 0, 1))], {}],
    ['cicp-pq', [await chunk('cICP', Uint8Array.of(9, 16, 0, 1))], { profile: true, notices: ['image.hdr'] }],
    ['cicp-hlg', [await chunk('cICP', Uint8Array.of(9, 18, 0, 1))], { profile: true, notices: ['image.hdr'] }],
    ['cicp-unknown', [await chunk('cICP', Uint8Array.of(77, 77, 0, 1))], { notices: ['image.profile'] }],
    ['gamma-1', [await chunk('gAMA', longs(100_000))], { profile: true }],
    ['gamma-srgb', [await chunk('gAMA', longs(45_455))], {}],
    [
      'bad-profile',
      [await chunk('iCCP', Buffer.concat([Buffer.from('x\0\0'), deflateSync('no profile')]))],
      { notices: ['image.profile'] },
    ],
    ['dpi', [await chunk('pHYs', Buffer.concat([longs(11811, 11811), Buffer.of(1)]))], { dpi: true }],
    ['xmp', [await text('XML:com.adobe.xmp', XMP)], { xmp: true }],
    ['bad-xmp', [await text('XML:com.adobe.xmp', '<x')], { notices: ['image.metadata'] }],
    ['text', [await text('Author', 'heron')], { xmp: true }],
  ];
  for (const [name, chunks, more] of extras) {
    made.push({ name: `png-${name}.png`, bytes: withoutResolution(plain, ...chunks), rgba: colour, ...more });
  }
  made.push({
    name: 'png-profile.png',
    bytes: withoutResolution(await raw(3).withIccProfile('p3').png().toBuffer()),
    rgba: () => [0, 0, 0, 1],
    tolerance: 1,
    profile: true,
  });
  made.push({
    name: 'png-palette.png',
    bytes: withoutResolution(await raw(3).png({ palette: true, dither: 0 }).toBuffer()),
    rgba: colour,
    tolerance: 0.2,
  });
  return made;
}

function tiffs(): FormatCase[] {
  const hand = (name: string, bits: number, data: Uint8Array, more: Partial<Parameters<typeof tiffOfHand>[0]> = {}) => ({
    name: `tiff-${name}.tif`,
    bytes: tiffOfHand({ width, height, bits, samples: 3, photometric: 2, data, ...more }),
  });
  const floats = packed(values(3), 4, (buffer, value, at) => buffer.writeFloatLE(value, at));
  const bytes = (channels: number) => Uint8Array.from(values(channels), (value) => Math.round(value * 255));
  const made: FormatCase[] = [
    { ...hand('float', 32, floats, { format: 3 }), rgba: colour, depth: 16, tolerance: 1e-5, notices: ['image.floats'] },
    {
      ...hand('float-deflate', 32, deflateSync(floats), { format: 3, compression: 8 }),
      rgba: colour,
      depth: 16,
      tolerance: 1e-5,
      notices: ['image.floats'],
    },
    {
      ...hand(
        'double',
        64,
        packed(values(3), 8, (buffer, value, at) => buffer.writeDoubleLE(value, at)),
        { format: 3 },
      ),
      rgba: colour,
      depth: 16,
      notices: ['image.floats'],
    },
    {
      ...hand(
        'float-gray',
        32,
        packed(values(1), 4, (buffer, value, at) => buffer.writeFloatBE(value, at)),
        { format: 3, samples: 1, photometric: 1, little: false },
      ),
      rgba: gray,
      depth: 16,
      tolerance: 1e-5,
      notices: ['image.floats'],
    },
    {
      ...hand(
        'float-255',
        32,
        packed(
          values(3).map((value) => value * 255),
          4,
          (buffer, value, at) => buffer.writeFloatLE(value, at),
        ),
        { format: 3 },
      ),
      rgba: colour,
      depth: 16,
      tolerance: 1e-5,
      notices: ['image.floats'],
    },
    {
      ...hand(
        'u32',
        32,
        packed(values(3), 4, (buffer, value, at) => buffer.writeUInt32LE(Math.round(value * 0xffff_ffff), at)),
      ),
      rgba: colour,
      depth: 16,
      notices: ['image.floats'],
    },
    {
      ...hand(
        'i16',
        16,
        packed(values(3), 2, (buffer, value, at) => buffer.writeInt16LE(Math.round(value * 0x7fff), at)),
        { format: 2 },
      ),
      rgba: colour,
      depth: 16,
      tolerance: 1e-4,
      notices: ['image.floats'],
    },
    { ...hand('selection', 8, bytes(4), { samples: 4, extras: [0] }), rgba: colour, notices: ['image.channels', 'output.channels'] },
    {
      ...hand('selection-gray', 8, bytes(2), { samples: 2, photometric: 1, extras: [0] }),
      rgba: gray,
      notices: ['image.channels', 'output.channels'],
    },
    { ...hand('alpha', 8, bytes(4), { samples: 4, extras: [2] }), rgba: seeThrough },
    { ...hand('unnamed', 8, bytes(4), { samples: 4 }), rgba: seeThrough },
    {
      ...hand('alpha-selection', 8, bytes(5), { samples: 5, extras: [2, 0] }),
      rgba: seeThrough,
      notices: ['image.channels', 'output.channels'],
    },
    {
      ...hand(
        'white-is-0',
        8,
        bytes(1).map((value) => 255 - value),
        { samples: 1, photometric: 0 },
      ),
      rgba: gray,
    },
    { ...hand('lab', 8, new Uint8Array(PIXELS * 3).fill(0), { photometric: 8 }), rgba: () => [0, 0, 0, 1], notices: ['image.lab'] },
    {
      ...hand('ink', 8, new Uint8Array(PIXELS * 5).fill(0), { samples: 5, photometric: 5, extras: [0] }),
      rgba: () => [1, 1, 1, 1],
      tolerance: 0.03,
      notices: ['image.cmyk', 'image.channels', 'output.channels'],
    },
    {
      ...hand(
        'ink-alpha',
        8,
        new Uint8Array(PIXELS * 5).map((_, i) => (i % 5 === 4 ? 102 : 0)),
        { samples: 5, photometric: 5, extras: [2] },
      ),
      rgba: () => [1, 1, 1, 0.4],
      tolerance: 0.03,
      notices: ['image.cmyk'],
    },
    {
      ...hand(
        'planes',
        16,
        packed(
          [0, 1, 2].flatMap((c) => values(3).filter((_, i) => i % 3 === c)),
          2,
          (buffer, value, at) => buffer.writeUInt16LE(Math.round(value * 65535), at),
        ),
        { separate: true },
      ),
      rgba: colour,
      depth: 16,
    },
    ...['lzma 34925', 'zstd 50000', 'lerc 34887', 'jxl 50002'].map((codec): FormatCase => {
      const [name = '', number = ''] = codec.split(' ');
      return { ...hand(name, 8, new Uint8Array(99), { compression: Number(number) }), rgba: colour, refused: 'image.unsupported' };
    }),
  ];
  for (const channels of [4, 5]) {
    const words = packed(values(channels), 2, (buffer, value, at) => buffer.writeUInt16BE(Math.round(value * 65535), at));
    const extras = Array<number>(channels - 3).fill(0);
    made.push({
      ...hand(`${String(channels)}-words`, 16, words, { samples: channels, extras, little: false }),
      rgba: colour,
      depth: 16,
      notices: ['image.channels', 'output.channels'],
    });
  }
  return made;
}

/** EXIF that says how the picture was held. */
function exifOf(orientation: number): Buffer {
  const exif = Buffer.from('Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0\0\0\0', 'latin1');
  exif[24] = orientation;
  return exif;
}

function segment(marker: number, data: Uint8Array): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

async function others(): Promise<FormatCase[]> {
  const flat = [0.2, 0.6, 0.4, 1];
  const one = sharp({ create: { width, height, channels: 3, background: { r: 51, g: 153, b: 102 } } });
  const lossy = { rgba: () => flat, tolerance: 0.02 };
  const jpeg = await one.clone().jpeg({ quality: 95 }).toBuffer();
  const inside = (...segments: readonly Buffer[]) => Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);
  const made: FormatCase[] = [
    { name: 'jpeg.jpg', bytes: jpeg, ...lossy },
    {
      name: 'jpeg-gray.jpg',
      bytes: await one.clone().toColourspace('b-w').jpeg().toBuffer(),
      rgba: () => [0.5, 0.5, 0.5, 1],
      tolerance: 0.1,
    },
    { name: 'jpeg-xmp.jpg', bytes: inside(segment(0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${XMP}`))), ...lossy, xmp: true },
    {
      name: 'jpeg-gain.jpg',
      bytes: inside(segment(0xe2, Buffer.from('urn:iso:std:iso:ts:21496:-1\0\0\0\0\0'))),
      ...lossy,
      notices: ['image.gain-map'],
    },
    { name: 'jpeg-more.jpg', bytes: inside(segment(0xe2, Buffer.from('MPF\0II*\0'))), ...lossy, notices: ['image.attached'] },
    {
      name: 'jpeg-dpi.jpg',
      bytes: await one.clone().jpeg({ quality: 95 }).withMetadata({ density: 300 }).toBuffer(),
      ...lossy,
      dpi: true,
      profile: true,
    },
    { name: 'webp.webp', bytes: await one.clone().webp({ quality: 95 }).toBuffer(), ...lossy },
    { name: 'webp-alpha.webp', bytes: await raw(4).webp({ lossless: true, exact: true }).toBuffer(), rgba: seeThrough },
    { name: 'avif.avif', bytes: await one.clone().avif({ quality: 90, effort: 0 }).toBuffer(), ...lossy },
    { name: 'gif.gif', bytes: await one.clone().gif().toBuffer(), ...lossy },
    { name: 'heic.heic', bytes: Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), ...lossy, refused: 'image.unsupported' },
    { name: 'jxl.jxl', bytes: Buffer.from('\xff\x0a\0\0', 'latin1'), ...lossy, refused: 'image.unsupported' },
    { name: 'jp2.jp2', bytes: Buffer.from('\0\0\0\x0cjP  \r\n\x87\n', 'latin1'), ...lossy, refused: 'image.unsupported' },
  ];
  for (let orientation = 1; orientation <= 4; orientation++) {
    made.push({ name: `turned-${String(orientation)}.jpg`, bytes: inside(segment(0xe1, exifOf(orientation))), ...lossy });
  }
  const twelve = Buffer.from(jpeg);
  twelve[twelve.indexOf('ffc0', 0, 'hex') + 4] = 12;
  made.push({ name: 'jpeg-12.jpg', bytes: twelve, ...lossy, refused: 'image.unsupported' });
  return made;
}

/** A file for every cell of the table in docs/formats.md that one picture can show. */
export async function folderOfFormats(): Promise<readonly FormatCase[]> {
  const made = [...(await pngs()), ...tiffs(), ...(await others())];
  return made.sort((a, b) => (a.name < b.name ? -1 : 1));
}
