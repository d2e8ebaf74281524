import sharp, { type Sharp } from 'sharp';
import type { FileRecipe } from '#contract/recipe.js';
import type { OutputFormat } from '#contract/request.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { prefixedExif } from './exif.js';
import { withoutLocation } from './location.js';
import { insertChunks, makeChunk, profileChunk, textChunk } from './png-chunks.js';
import type { Mask, Photo } from './photo.js';
import { RECIPE_KEYWORD, recipePacket, recipeText } from './recipe.js';
import { bytesOfTensor } from './tensor-photo.js';
import { encodeTiff } from './tiff-writer.js';

export interface OutputSettings {
  readonly format: OutputFormat;
  /** 1..100, for the lossy formats. */
  readonly quality: number;
  /** Absent = where the photograph was taken stays in its EXIF. */
  readonly keepLocation?: boolean;
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
 * A recipe goes into a text chunk of a PNG, and into XMP elsewhere.
 */
export function encodePhoto(original: Photo, output: OutputSettings, recipe?: FileRecipe): Promise<Uint8Array> {
  const photo = output.keepLocation === false ? withoutLocation(original) : original;
  const { format, quality } = output;
  switch (format) {
    case 'png':
      return encodePngPhoto(photo, { level: PNG_LEVEL, recipe });
    case 'tiff':
      return encodeTiff(photo, recipe && Buffer.from(recipePacket(recipe)));
    case 'jpeg':
      return encodeJpeg(eightBit(photo), quality, recipe);
    case 'webp':
      return viaPng(photo, (picture) => withRecipe(picture, recipe).webp({ quality }));
    case 'avif':
      return viaPng(photo, (picture) => withRecipe(picture, recipe).avif({ quality, effort: AVIF_EFFORT, chromaSubsampling: '4:4:4' }));
  }
}

function withRecipe(picture: Sharp, recipe: FileRecipe | undefined): Sharp {
  return recipe ? picture.withXmp(recipePacket(recipe)) : picture;
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

interface PngSettings {
  readonly level: number;
  readonly recipe?: FileRecipe | undefined;
}

async function encodePngPhoto(photo: Photo, { level, recipe }: PngSettings): Promise<Uint8Array> {
  const png = await rawPicture(photo)
    .png({ compressionLevel: level, adaptiveFiltering: level > 0 })
    .toBuffer();
  const chunks = (photo.texts ?? []).map(({ whole }) => whole);
  if (recipe) chunks.push(textChunk(RECIPE_KEYWORD, recipeText(recipe)));
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

async function encodeJpeg(photo: Photo, quality: number, recipe?: FileRecipe): Promise<Uint8Array> {
  const chromaSubsampling = quality >= FULL_COLOUR_QUALITY ? '4:4:4' : '4:2:0';
  const jpeg = await rawPicture(overWhite(photo)).jpeg({ quality, chromaSubsampling }).toBuffer();
  const segments: Uint8Array[] = [];
  if (photo.exif && photo.exif.length + 6 <= SEGMENT_BYTES) segments.push(segment(0xe1, prefixedExif(photo.exif)));
  if (recipe) segments.push(recipeSegment(recipe));
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

/** In one segment (XMP part 3, 1.1.3); of the largest grids only the wish has room there, not the tokens. */
function recipeSegment(recipe: FileRecipe): Uint8Array {
  const whole = xmpData(recipe);
  const { tokens: _, ...wish } = recipe;
  return segment(0xe1, whole.length <= SEGMENT_BYTES ? whole : xmpData(wish));
}

function xmpData(recipe: FileRecipe): Uint8Array {
  return Buffer.from(`http://ns.adobe.com/xap/1.0/\0${recipePacket(recipe)}`);
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
export function eightBit(photo: Photo): Photo {
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
