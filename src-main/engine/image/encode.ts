import sharp, { type Sharp } from 'sharp';
import type { OutputFormat } from '#contract/request.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { prefixedExif } from './exif.js';
import { insertChunks, makeChunk, profileChunk, textChunk } from './png-chunks.js';
import type { Mask, Photo } from './photo.js';
import { bytesOfTensor } from './tensor-photo.js';
import { encodeTiff } from './tiff-writer.js';

export interface OutputSettings {
  readonly format: OutputFormat;
  /** 1..100, for the lossy formats. */
  readonly quality: number;
}

export interface EncodeExtra {
  /** Written into a PNG as UTF-8 text chunks, by keyword; other formats have no place for them. */
  readonly texts?: Readonly<Record<string, string>>;
}

/** Adaptive filters make photographs so much smaller that this level is as fast as none at all. */
const PNG_LEVEL = 3;
/** From this quality on, colour is stored at full resolution too. */
const FULL_COLOUR_QUALITY = 90;
/** The slower levels win a few percent of size and take minutes for a large photograph. */
const AVIF_EFFORT = 2;
/** A marker segment of a JPEG holds at most 65,533 bytes. */
const SEGMENT_BYTES = 65_533;

/**
 * Writes a photo with its samples exactly as they stand, the original profile bytes and EXIF.
 * PNG and TIFF are lossless at 8 and 16 bit; JPEG, WebP and AVIF get 8 bit; JPEG has no alpha and gets white below.
 */
export function encodePhoto(photo: Photo, output: OutputSettings, extra: EncodeExtra = {}): Promise<Uint8Array> {
  switch (output.format) {
    case 'png':
      return encodePngPhoto(photo, { level: PNG_LEVEL, ...extra });
    case 'tiff':
      return encodeTiff(photo);
    case 'jpeg':
      return encodeJpeg(eightBit(photo), output.quality);
    case 'webp':
      return viaPng(photo, (picture) => picture.webp({ quality: output.quality }));
    case 'avif':
      return viaPng(photo, (picture) => picture.avif({ quality: output.quality, effort: AVIF_EFFORT, chromaSubsampling: '4:4:4' }));
  }
}

/** `[1, 3, H, W]` in 0..1 as a small sRGB PNG; for previews. */
export async function encodePng(picture: FloatTensor): Promise<Uint8Array> {
  const [, channels = 3, height = 0, width = 0] = picture.dims;
  const raw = { width, height, channels: channels as 1 | 3 };
  return sharp(bytesOfTensor(picture), { raw }).png({ compressionLevel: 1 }).toBuffer();
}

/** A mask as a gray PNG: white = repaint. */
export async function encodeMask({ extent, values }: Mask): Promise<Uint8Array> {
  return sharp(values, { raw: { ...extent, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 2 })
    .toBuffer();
}

function rawPicture({ extent, channels, samples }: Photo): Sharp {
  const picture = sharp(samples, { raw: { ...extent, channels }, limitInputPixels: false });
  const deep = samples.BYTES_PER_ELEMENT === 2;
  if (channels <= 2) return picture.toColourspace(deep ? 'grey16' : 'b-w');
  return deep ? picture.toColourspace('rgb16') : picture;
}

async function encodePngPhoto(photo: Photo, { level, texts = {} }: EncodeExtra & { level: number }): Promise<Uint8Array> {
  const png = await rawPicture(photo)
    .png({ compressionLevel: level, adaptiveFiltering: level > 0 })
    .toBuffer();
  const chunks = Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text));
  // Raw samples with a profile would be converted to it by the encoder, so the profile is put into the finished file.
  if (photo.icc) chunks.unshift(profileChunk(photo.icc));
  if (photo.exif) chunks.push(makeChunk('eXIf', photo.exif));
  return insertChunks(png, chunks);
}

/** Containers that are hard to patch get their metadata from a PNG: a *kept* profile is attached without conversion. */
async function viaPng(photo: Photo, encode: (picture: Sharp) => Sharp): Promise<Uint8Array> {
  const carrier = await encodePngPhoto(eightBit(photo), { level: 0 });
  const picture = sharp(carrier, { limitInputPixels: false }).keepExif();
  return encode(photo.icc ? picture.keepIccProfile() : picture).toBuffer();
}

async function encodeJpeg(photo: Photo, quality: number): Promise<Uint8Array> {
  const chromaSubsampling = quality >= FULL_COLOUR_QUALITY ? '4:4:4' : '4:2:0';
  const jpeg = await rawPicture(overWhite(photo)).jpeg({ quality, chromaSubsampling }).toBuffer();
  const segments: Uint8Array[] = [];
  if (photo.exif && photo.exif.length + 6 <= SEGMENT_BYTES) segments.push(segment(0xe1, prefixedExif(photo.exif)));
  if (photo.icc) segments.push(...profileSegments(photo.icc));
  const start = afterFileHeader(jpeg);
  return Buffer.concat([jpeg.subarray(0, start), ...segments, jpeg.subarray(start)]);
}

/** Behind the start marker and the JFIF segment, which has to come first. */
function afterFileHeader(jpeg: Buffer): number {
  return jpeg[2] === 0xff && jpeg[3] === 0xe0 ? 4 + jpeg.readUInt16BE(4) : 2;
}

function segment(marker: number, data: Uint8Array): Uint8Array {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

/** A profile in numbered APP2 segments (ICC.1 annex B.4). */
function profileSegments(icc: Uint8Array): Uint8Array[] {
  const room = SEGMENT_BYTES - 14;
  const count = Math.ceil(icc.length / room);
  return Array.from({ length: count }, (_, i) => {
    const name = Buffer.from(`ICC_PROFILE\0${String.fromCharCode(i + 1, count)}`, 'latin1');
    return segment(0xe2, Buffer.concat([name, icc.subarray(i * room, (i + 1) * room)]));
  });
}

/** 16-bit samples rounded to 8; no colour is touched otherwise. */
function eightBit(photo: Photo): Photo {
  if (photo.samples.BYTES_PER_ELEMENT === 1) return photo;
  const samples = new Uint8Array(photo.samples.length);
  for (let i = 0; i < samples.length; i++) samples[i] = Math.round(photo.samples[i]! / 257);
  return { ...photo, samples };
}

function overWhite(photo: Photo): Photo {
  const { channels } = photo;
  if (channels === 1 || channels === 3) return photo;
  const colours = channels === 2 ? 1 : 3;
  const pixels = photo.samples.length / channels;
  const samples = new Uint8Array(pixels * colours);
  for (let i = 0; i < pixels; i++) {
    const alpha = photo.samples[i * channels + colours]! / 255;
    for (let c = 0; c < colours; c++) samples[i * colours + c] = Math.round(255 + (photo.samples[i * channels + c]! - 255) * alpha);
  }
  return { ...photo, channels: colours, samples };
}
