import sharp, { type Sharp } from 'sharp';
import { AVIFS } from './avifs.js';
import { SIZE, type FormatCase } from './folder-of-formats.js';
import { tiffOfHand } from './tiff.js';

// Cells of docs/formats.md that need a file of another program, several pictures in one file, or metadata beside the pixels.

const { width, height } = SIZE;
const FLAT = { r: 51, g: 153, b: 102 };
const flat = () => sharp({ create: { width, height, channels: 3, background: FLAT } });
const exact = { rgba: () => [0.2, 0.6, 0.4, 1] };
const lossy = { ...exact, tolerance: 0.02 };
const anything = { rgba: () => [0, 0, 0, 1], tolerance: 1 };

const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="heron"/></rdf:RDF></x:xmpmeta>';

function avifs(): FormatCase[] {
  const of = (name: keyof typeof AVIFS, more: Partial<FormatCase> & Pick<FormatCase, 'rgba'>): FormatCase => ({
    name: `avif-${name}.avif`,
    bytes: Buffer.from(AVIFS[name], 'base64'),
    ...more,
  });
  return [
    of('deep', { ...lossy, depth: 16 }),
    of('gray12', { rgba: () => [0.5, 0.5, 0.5, 1], tolerance: 0.02, depth: 16 }),
    of('p3', { ...lossy, profile: true }),
    of('pq', { ...lossy, profile: true, notices: ['image.hdr'] }),
    of('premultiplied', { rgba: () => [0.2, 0.6, 0.4, 128 / 255], tolerance: 0.02 }),
    of('sequence', { ...lossy, notices: ['image.animated'] }),
    { name: 'avif-gain.avif', bytes: withGainMap(), rgba: () => [0.1, 0.3, 0.2, 1], tolerance: 0.02, notices: ['image.gain-map'] },
    { name: 'avif-film.avif', bytes: Buffer.from('\0\0\0\x18ftypavis\0\0\0\0avismsf1', 'latin1'), ...exact, refused: 'image.unsupported' },
  ];
}

/** The further picture of an AVIF, which is its transparency, under the name of Apple's gain maps. */
function withGainMap(): Uint8Array {
  const bytes = Buffer.from(AVIFS.premultiplied, 'base64');
  const alpha = 'urn:mpeg:mpegB:cicp:systems:auxiliary:alpha';
  bytes.write('urn:com:apple:photo:2020:aux:hdrgainmap'.padEnd(alpha.length, '\0'), bytes.indexOf(alpha), 'latin1');
  bytes.write('cdsc', bytes.indexOf('prem'), 'latin1');
  return bytes;
}

/** Two pictures below each other, as frames of one file. */
function film(): Sharp {
  const both = Buffer.alloc(width * height * 2 * 3);
  for (let i = 0; i < width * height * 2; i++) both.set(i < width * height ? [FLAT.r, FLAT.g, FLAT.b] : [250, 10, 10], i * 3);
  return sharp(both, { raw: { width, height: height * 2, channels: 3, pageHeight: height } });
}

async function severalPictures(): Promise<FormatCase[]> {
  return [
    { name: 'film.webp', bytes: await film().webp({ lossless: true }).toBuffer(), ...exact, notices: ['image.animated'] },
    { name: 'film.gif', bytes: await film().gif().toBuffer(), ...lossy, notices: ['image.animated'] },
    { name: 'pages.tif', bytes: await film().tiff({ compression: 'lzw' }).toBuffer(), ...exact, dpi: true, notices: ['image.animated'] },
  ];
}

async function tiffs(): Promise<FormatCase[]> {
  const own = flat();
  const bits = sharp(Buffer.alloc(width * height, 255), { raw: { width, height, channels: 1 } }).toColourspace('b-w');
  const white = { rgba: () => [1, 1, 1, 1] };
  const half = Buffer.alloc(width * height * 3 * 2);
  for (let i = 0; i < width * height * 3; i++) half.writeUInt16LE(0x3800, i * 2); // 0.5
  return [
    { name: 'tiff-big.tif', bytes: await own.clone().tiff({ bigtiff: true, compression: 'lzw' }).toBuffer(), ...exact, dpi: true },
    {
      name: 'tiff-tiles.tif',
      bytes: await own.clone().tiff({ compression: 'lzw', tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
      ...exact,
      dpi: true,
    },
    { name: 'tiff-bit.tif', bytes: await bits.clone().tiff({ bitdepth: 1 }).toBuffer(), ...white, dpi: true },
    { name: 'tiff-nibble.tif', bytes: await bits.clone().tiff({ bitdepth: 4 }).toBuffer(), ...white, dpi: true },
    {
      name: 'tiff-half.tif',
      bytes: tiffOfHand({ width, height, bits: 16, samples: 3, photometric: 2, format: 3, data: half }),
      rgba: () => [0.5, 0.5, 0.5, 1],
      tolerance: 1e-4,
      depth: 16,
      notices: ['image.floats'],
    },
    { name: 'tiff-12.tif', bytes: twelveBits(), ...exact, tolerance: 1e-3, depth: 16 },
    { name: 'tiff-wide.tif', bytes: await own.clone().withIccProfile('p3').tiff().toBuffer(), ...anything, profile: true, dpi: true },
    { name: 'tiff-xmp.tif', bytes: await own.clone().withXmp(XMP).tiff({ compression: 'lzw' }).toBuffer(), ...exact, xmp: true, dpi: true },
  ];
}

/** Two samples in three bytes. */
function twelveBits(): Uint8Array {
  const [r, g, b] = [0.2, 0.6, 0.4].map((value) => Math.round(value * 4095)) as [number, number, number];
  const pair = (first: number, second: number) => [first >> 4, ((first & 15) << 4) | (second >> 8), second & 255];
  const two = [...pair(r, g), ...pair(b, r), ...pair(g, b)];
  const data = Uint8Array.from({ length: (width * height * 9) / 2 }, (_, i) => two[i % 9]!);
  return tiffOfHand({ width, height, bits: 12, samples: 3, photometric: 2, data });
}

/** The keyword "heron", padded to an even length. */
const KEYWORD = Buffer.from('\x1c\x02\x19\0\x05heron', 'latin1');

async function metadata(): Promise<FormatCase[]> {
  const told = (picture: Sharp) => picture.withXmp(XMP).withExif({ IFD0: { Artist: 'heron' } });
  const made: FormatCase[] = [];
  for (const format of ['webp', 'avif', 'jpeg'] as const) {
    const encode = (picture: Sharp) => (format === 'webp' ? picture.webp({ lossless: true }) : picture[format]({ quality: 95 }));
    made.push({
      name: `told-${format}.${format}`,
      bytes: await encode(told(flat())).toBuffer(),
      ...lossy,
      xmp: true,
      dpi: true,
    });
    made.push({
      name: `wide-${format}.${format}`,
      bytes: await encode(flat().withIccProfile('p3')).toBuffer(),
      ...anything,
      profile: true,
    });
  }
  const jpeg = await flat().jpeg({ quality: 95 }).toBuffer();
  const resources = Buffer.concat([Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0a', 'latin1'), KEYWORD]);
  const head = Buffer.from([0xff, 0xed, 0, resources.length + 2]);
  made.push({ name: 'iptc.jpg', bytes: Buffer.concat([jpeg.subarray(0, 2), head, resources, jpeg.subarray(2)]), ...lossy, iptc: true });
  const data = Buffer.alloc(width * height * 3, Buffer.from([FLAT.r, FLAT.g, FLAT.b]));
  const more = [[33723, 7, KEYWORD.length, KEYWORD]] as const;
  made.push({
    name: 'iptc.tif',
    bytes: tiffOfHand({ width, height, bits: 8, samples: 3, photometric: 2, data, more }),
    ...exact,
    iptc: true,
  });
  const nibbles = Uint8Array.from({ length: (width * 3 * height) / 2 }, (_, i) => [0x39, 0x63, 0x96][i % 3]!);
  made.push({
    name: 'tiff-nibbles.tif',
    bytes: tiffOfHand({ width, height, bits: 4, samples: 3, photometric: 2, data: nibbles }),
    ...exact,
  });
  return made;
}

async function inks(): Promise<FormatCase[]> {
  const four = sharp(Buffer.alloc(width * height * 4, 0), { raw: { width, height, channels: 4 } });
  const bytes = await four.toColourspace('cmyk').jpeg().toBuffer();
  return [{ name: 'jpeg-ink.jpg', bytes, ...anything, notices: ['image.cmyk'] }];
}

function bitmaps(): FormatCase[] {
  return [
    { name: 'bmp-24.bmp', bytes: bitmap(0), ...exact },
    { name: 'bmp-packed.bmp', bytes: bitmap(1), ...exact, refused: 'image.unsupported' },
  ];
}

/** 24 bits per pixel, from the bottom up. */
function bitmap(compression: number): Uint8Array {
  const bytes = Buffer.alloc(54 + width * height * 3);
  bytes.write('BM', 0, 'latin1');
  for (const [at, value] of [[2, bytes.length], [10, 54], [14, 40], [18, width], [22, height], [30, compression], [34, width * height * 3]] as const) bytes.writeUInt32LE(value, at); // prettier-ignore
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(compression === 0 ? 24 : 8, 28);
  for (let i = 54; i < bytes.length; i += 3) bytes.set([FLAT.b, FLAT.g, FLAT.r], i);
  return bytes;
}

/** Files of other kinds under a picture's name: each is refused as what it is. */
function strangers(): FormatCase[] {
  const heads: Readonly<Record<string, string>> = {
    psd: '8BPS\0\x01\0\0\0\0\0\0\0\x03',
    xcf: 'gimp xcf v011\0',
    exr: '\x76\x2f\x31\x01\x02\0\0\0',
    npy: "\x93NUMPY\x01\0v\0{'descr'",
    pgm: 'P5\n40 30\n255\n',
    pfm: 'PF\n40 30\n-1.0\n',
    json: '{"version":"5.0.1","shapes":[],"imagePath":"a.jpg"}',
  };
  return Object.entries(heads).map(([kind, head]) => ({
    name: `is-${kind}.png`,
    bytes: Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(64)]),
    ...exact,
    refused: kind === 'json' ? 'image.unreadable' : 'image.unsupported',
  }));
}

export async function moreFormats(): Promise<readonly FormatCase[]> {
  return [
    ...avifs(),
    ...(await severalPictures()),
    ...(await tiffs()),
    ...(await metadata()),
    ...(await inks()),
    ...bitmaps(),
    ...strangers(),
  ];
}
