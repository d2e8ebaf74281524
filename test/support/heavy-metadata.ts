import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { insertChunks, makeChunk } from '#engine/image/files/png-chunks.js';
import { segment } from '#engine/image/files/jpeg-segments.js';
import { renderScene } from './pictures.js';
import { tiffOfHand } from './tiff.js';

const SIZE = { width: 320, height: 240 };
const pixels = renderScene(SIZE.width, SIZE.height);
const scene = () => sharp(pixels, { raw: { ...SIZE, channels: 3 } });

const noise = randomBytes(2 ** 20);
/** Of no meaning, and hard to compress. */
function filler(bytes: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(bytes / noise.length) }, () => noise)).subarray(0, bytes);
}

/** A packet of XMP of about this size, well formed. */
function packet(bytes: number): Buffer {
  const head =
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:a="b:c" rdf:about="">';
  const one = '<a:e>0123456789</a:e>';
  return Buffer.from(`${head}${one.repeat(Math.ceil(bytes / one.length))}</rdf:Description></rdf:RDF></x:xmpmeta>`);
}

/** An EXIF block of one directory, with a maker's note of this size. */
function exifBlock(bytes: number): Buffer {
  const block = Buffer.alloc(8 + 2 + 12 + 4 + bytes);
  block.write('II*\0', 'latin1');
  block.writeUInt32LE(8, 4);
  block.writeUInt16LE(1, 8);
  block.writeUInt16LE(37500, 10);
  block.writeUInt16LE(7, 12);
  block.writeUInt32LE(bytes, 14);
  block.writeUInt32LE(26, 18);
  filler(bytes).copy(block, 26);
  return block;
}

/** As many segments as hold so much, each with a beginning of its own. */
async function jpegOf(bytes: number, marker: number, head: (index: number, count: number) => Buffer): Promise<Buffer> {
  const plain = await scene().jpeg().toBuffer();
  const room = 65_533 - head(1, 1).length;
  const count = Math.ceil(bytes / room);
  const segments = Array.from({ length: count }, (_, i) => segment(marker, Buffer.concat([head(i, count), filler(room)])));
  return Buffer.concat([plain.subarray(0, 2), ...segments, plain.subarray(2)]);
}

function extended(index: number, count: number): Buffer {
  const head = Buffer.alloc(35 + 32 + 8);
  head.write('http://ns.adobe.com/xmp/extension/\0' + '0123456789ABCDEF'.repeat(2), 'latin1');
  head.writeUInt32BE(count * 65_458, 67);
  head.writeUInt32BE(index * 65_458, 71);
  return head;
}

async function pngOf(chunks: readonly Uint8Array[]): Promise<Buffer> {
  return Buffer.from(insertChunks(await scene().png().toBuffer(), chunks));
}

const latin = (text: string) => Buffer.from(text, 'latin1');

/** A RIFF of the simple picture with a chunk beside it. */
async function webpOf(fourcc: string, data: Buffer, flag: number): Promise<Buffer> {
  const plain = await scene().webp().toBuffer();
  const chunk = (name: string, body: Buffer) => {
    const frame = Buffer.alloc(8);
    frame.write(name, 'latin1');
    frame.writeUInt32LE(body.length, 4);
    return Buffer.concat([frame, body, Buffer.alloc(body.length % 2)]);
  };
  const header = Buffer.alloc(10);
  header[0] = flag;
  header.writeUIntLE(SIZE.width - 1, 4, 3);
  header.writeUIntLE(SIZE.height - 1, 7, 3);
  const own = plain.subarray(12);
  const behind = fourcc === 'ICCP' ? [chunk(fourcc, data), own] : [own, chunk(fourcc, data)];
  const body = Buffer.concat([latin('WEBP'), chunk('VP8X', header), ...behind]);
  const riff = Buffer.alloc(8);
  riff.write('RIFF', 'latin1');
  riff.writeUInt32LE(body.length, 4);
  return Buffer.concat([riff, body]);
}

/** A TIFF with one more field. */
function tiffOf(tag: number, type: number, value: Buffer): Buffer {
  return Buffer.from(tiffOfHand({ ...SIZE, bits: 8, samples: 3, photometric: 2, data: pixels, more: [[tag, type, value.length, value]] }));
}

/** A box of no meaning behind the brands of an AVIF. */
async function avifWithFree(bytes: number): Promise<Buffer> {
  const plain = await scene().avif({ effort: 0 }).toBuffer();
  const box = Buffer.alloc(8);
  box.writeUInt32BE(8 + bytes);
  box.write('free', 4, 'latin1');
  return Buffer.concat([plain, box, filler(bytes)]);
}

/** By the encoder, which keeps the packet that it is given; renamed, it is read as EXIF. */
async function avifWithExif(bytes: number): Promise<Buffer> {
  const file = await avifWithXmp(bytes);
  const at = file.indexOf('mime', 0, 'latin1');
  file.write('Exif', at, 'latin1');
  return file;
}

function avifWithXmp(bytes: number): Promise<Buffer> {
  return scene().withXmp(packet(bytes).toString()).avif({ effort: 0 }).toBuffer();
}

/** A comment in blocks of 255 bytes, in front of the picture. */
async function gifWithComment(bytes: number): Promise<Buffer> {
  const plain = await scene().gif().toBuffer();
  const flags = plain[10]!;
  const at = 13 + ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
  const blocks = Buffer.alloc(256 * Math.ceil(bytes / 255), 255);
  return Buffer.concat([plain.subarray(0, at), Buffer.from([0x21, 0xfe]), blocks, Buffer.alloc(1), plain.subarray(at)]);
}

/** By name: pictures of 320×240 with so many bytes beside their pixels, in every place where a file can keep them. */
export const HEAVY: Readonly<Record<string, (bytes: number) => Promise<Buffer>>> = {
  'JPEG, XMP over many segments': (bytes) => jpegOf(bytes, 0xe1, extended),
  'JPEG, a packet of XMP again and again': (bytes) => jpegOf(bytes, 0xe1, () => latin('http://ns.adobe.com/xap/1.0/\0')),
  'JPEG, EXIF again and again': (bytes) => jpegOf(bytes, 0xe1, () => latin('Exif\0\0')),
  'JPEG, a profile over many segments': (bytes) =>
    jpegOf(bytes, 0xe2, (i, count) => Buffer.concat([latin('ICC_PROFILE\0'), Buffer.from([(i % 255) + 1, Math.min(count, 255)])])),
  'JPEG, IPTC over many segments': (bytes) => jpegOf(bytes, 0xed, () => latin('Photoshop 3.0\0')),
  'JPEG, notes': (bytes) => jpegOf(bytes, 0xfe, () => Buffer.alloc(0)),
  'PNG, zTXt that inflates': (bytes) => pngOf([makeChunk('zTXt', Buffer.concat([latin('Comment\0\0'), deflateSync(Buffer.alloc(bytes))]))]),
  'PNG, zTXt': (bytes) => pngOf([makeChunk('zTXt', Buffer.concat([latin('Comment\0\0'), deflateSync(filler(bytes), { level: 0 })]))]),
  'PNG, iTXt of XMP': (bytes) => pngOf([makeChunk('iTXt', Buffer.concat([latin('XML:com.adobe.xmp\0\0\0\0\0'), packet(bytes)]))]),
  'PNG, tEXt in a million small chunks': (bytes) =>
    pngOf(Array<Uint8Array>(Math.ceil(bytes / 64)).fill(makeChunk('tEXt', Buffer.concat([latin('Comment\0'), Buffer.alloc(44, 'x')])))),
  'PNG, eXIf': (bytes) => pngOf([makeChunk('eXIf', exifBlock(bytes))]),
  'PNG, a profile that inflates': (bytes) => pngOf([makeChunk('iCCP', Buffer.concat([latin('p\0\0'), deflateSync(Buffer.alloc(bytes))]))]),
  'PNG, a profile': (bytes) => pngOf([makeChunk('iCCP', Buffer.concat([latin('p\0\0'), deflateSync(filler(bytes), { level: 0 })]))]),
  'TIFF, XMP': (bytes) => Promise.resolve(tiffOf(700, 1, packet(bytes))),
  'TIFF, a profile': (bytes) => Promise.resolve(tiffOf(34675, 7, filler(bytes))),
  'TIFF, IPTC': (bytes) => Promise.resolve(tiffOf(33723, 7, filler(bytes))),
  'TIFF, resources of Photoshop': (bytes) => Promise.resolve(tiffOf(34377, 1, filler(bytes))),
  'TIFF, a description': (bytes) => Promise.resolve(tiffOf(270, 2, Buffer.alloc(bytes, 'x'))),
  'TIFF, a field of nobody': (bytes) => Promise.resolve(tiffOf(50000, 7, filler(bytes))),
  'WebP, EXIF': (bytes) => webpOf('EXIF', exifBlock(bytes), 8),
  'WebP, XMP': (bytes) => webpOf('XMP ', packet(bytes), 4),
  'WebP, a profile': (bytes) => webpOf('ICCP', filler(bytes), 32),
  'AVIF, XMP': avifWithXmp,
  'AVIF, EXIF': avifWithExif,
  'AVIF, a box of nobody': avifWithFree,
  'GIF, a comment': gifWithComment,
};
