import sharp, { type Sharp } from 'sharp';
import { sampleCount } from '#base/geometry.js';
import type { Adaptation } from '#contract/adaptation.js';
import type { FileRecipe } from '#contract/recipe.js';
import type { OutputFormat } from '#contract/request.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { withRoom } from './avif-room.js';
import { exifOfResolution, prefixedExif, sizedExif, unitlessExif, uprightExif, wholeShape } from './exif.js';
import { rgbProfileOfGray } from './gray-profile.js';
import { resourcesOfIptc } from './iptc.js';
import { profileSegments, segment, SEGMENT_BYTES, withSegments, xmpSegment } from './jpeg-segments.js';
import { expectWithinLimits } from './limits.js';
import { withoutLocation } from './location.js';
import { insertChunks, makeChunk, profileChunk, rawProfileChunk, resolutionChunk, textChunk, withoutChunks } from './png-chunks.js';
import type { Mask, Photo, Resolution } from './photo.js';
import { RECIPE_KEYWORD, recipeText, XMP_KEYWORD } from './recipe.js';
import { bytesOfTensor } from './tensor-photo.js';
import { encodeTiff } from './tiff-writer.js';
import { packetWith, recipePacket, sizedXmp } from './xmp.js';

export interface OutputSettings {
  readonly format: OutputFormat;
  /** 1..100, for the lossy formats. */
  readonly quality: number;
  /** Absent = where the photograph was taken stays in its EXIF. */
  readonly keepLocation?: boolean;
  /** As few bytes as can be, whatever time that takes. */
  readonly smallest?: boolean;
  /** Made ready for where it will be seen (`writePhoto`). */
  readonly adapt?: Adaptation | undefined;
}

/**
 * Of 8 megapixels, processor seconds and megabytes: level 1 0.34 and 14.0, 2 0.42 and 9.9, 3 0.43 and 9.4, 4 0.53 and 9.2,
 * 6 0.93 and 9.0; without adaptive filters 3 takes 0.29 and 14.0.
 */
const [PNG_LEVEL, SMALLEST_PNG_LEVEL] = [3, 6];
/** Huffman tables made for a larger picture cost three times its plain encoding, and memory for all of it; they save 1–2 %. */
const OWN_TABLES_UP_TO_PX = 6_000_000;
const INCH_IN_METRES = 0.0254;
/** From this quality on, colour is stored at full resolution too. */
const FULL_COLOUR_QUALITY = 90;
/** The slower levels win a few percent of size and take minutes for a large photograph. */
const AVIF_EFFORT = 2;

/**
 * Writes a photo with its samples exactly as they stand, the original profile bytes and all that its file held beside them,
 * as far as the format has a place for it (`lossesOf` says what has none).
 * PNG and TIFF are lossless at 8 and 16 bit; JPEG, WebP and AVIF get 8 bit; JPEG has no alpha and gets white below.
 * A recipe goes into a text chunk of a PNG, and into XMP elsewhere. Throws `output.too-large`.
 */
export async function encodePhoto(original: Photo, output: OutputSettings, recipe?: FileRecipe): Promise<Uint8Array> {
  const { format, quality } = output;
  expectWithinLimits(format, original.extent);
  const photo = trueToSize(output.keepLocation === false ? withoutLocation(original) : original);
  switch (format) {
    case 'png':
      return encodePngPhoto(photo, { level: output.smallest ? SMALLEST_PNG_LEVEL : PNG_LEVEL, recipe });
    case 'tiff':
      return encodeTiff(photo, bytesOf(packetOf(photo, recipe)));
    case 'jpeg':
      return encodeJpeg(eightBit(photo), output, recipe);
    case 'webp':
      return viaPng(photo, (picture) => withPacket(picture, packetOf(photo, recipe)).webp({ quality }));
    case 'avif':
      return withRoom(
        await viaPng(photo, (picture) =>
          withPacket(picture, packetOf(photo, recipe)).avif({ quality, effort: AVIF_EFFORT, chromaSubsampling: '4:4:4' }),
        ),
      );
  }
}

/** What EXIF and XMP say of the picture's sides is what they are now. */
function trueToSize(photo: Photo): Photo {
  const { exif, xmp, extent } = photo;
  return { ...photo, ...(exif && { exif: sizedExif(exif, extent) }), ...(xmp !== undefined && { xmp: sizedXmp(xmp, extent) }) };
}

/** The photo's own packet with the recipe in it; a packet that has no place for one stays as it is. */
function packetOf({ xmp }: Photo, recipe: FileRecipe | undefined): string | undefined {
  if (!recipe) return xmp;
  return xmp === undefined ? recipePacket(recipeText(recipe)) : (packetWith(xmp, recipeText(recipe)) ?? xmp);
}

function bytesOf(packet: string | undefined): Uint8Array | undefined {
  return packet === undefined ? undefined : Buffer.from(packet);
}

function withPacket(picture: Sharp, packet: string | undefined): Sharp {
  return packet === undefined ? picture : picture.withXmp(packet);
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
  const { icc, codePoints, exif, xmp, iptc, resolution, texts = [] } = photo;
  const chunks: Uint8Array[] = [];
  // Raw samples with a profile would be converted to it by the encoder, so the profile is put into the finished file.
  if (icc) chunks.push(profileChunk(icc));
  if (codePoints) chunks.push(makeChunk('cICP', Uint8Array.from(codePoints)));
  if (resolution) chunks.push(resolutionOf(resolution));
  if (exif) chunks.push(makeChunk('eXIf', exif));
  if (xmp !== undefined) chunks.push(textChunk(XMP_KEYWORD, xmp));
  if (iptc) chunks.push(rawProfileChunk('iptc', resourcesOfIptc(iptc)));
  chunks.push(...texts.map(({ whole }) => whole));
  if (recipe) chunks.push(textChunk(RECIPE_KEYWORD, recipeText(recipe)));
  // The encoder makes up a resolution.
  return insertChunks(withoutChunks(png, 'pHYs'), chunks);
}

function resolutionOf(resolution: Resolution): Uint8Array {
  const { x, y, shapeOnly } = resolution;
  return shapeOnly
    ? resolutionChunk(wholeShape(resolution), false)
    : resolutionChunk(
        [x, y].map((one) => Math.round(one / INCH_IN_METRES)),
        true,
      );
}

/** Containers that are hard to patch get their metadata from a PNG: a *kept* profile is attached without conversion. */
async function viaPng({ iptc: _iptc, xmp: _xmp, ...photo }: Photo, encode: (picture: Sharp) => Sharp): Promise<Uint8Array> {
  const { resolution } = photo;
  const exif = photo.exif ?? (resolution && exifOfResolution(resolution));
  const coloured = inColours(eightBit({ ...photo, ...(exif && { exif }) }));
  const { icc } = coloured;
  const carrier = await encodePngPhoto(coloured, { level: 0 });
  const picture = sharp(carrier, { limitInputPixels: false });
  const told = exif ? picture.keepExif() : picture;
  const file = await encode(icc ? told.keepIccProfile() : told).toBuffer();
  return exif && (!resolution || resolution.shapeOnly) ? withoutUnit(file, resolution) : file;
}

/** The encoder takes pixels without a unit for those of a millimetre, and makes a resolution up where none is said. */
async function withoutUnit(file: Buffer, shape: Resolution | undefined): Promise<Uint8Array> {
  const { exif } = await sharp(file, { limitInputPixels: false }).metadata();
  const block = exif && uprightExif(exif);
  const at = exif && block ? file.lastIndexOf(exif.subarray(exif.length - block.length)) : -1;
  if (block && at >= 0) file.set(unitlessExif(block, shape), at);
  return file;
}

/** A gray profile has no place where every pixel has three channels: one of three says the same of them. */
function inColours(photo: Photo): Photo {
  const { channels, samples } = photo;
  const icc = channels <= 2 && photo.icc ? rgbProfileOfGray(photo.icc) : undefined;
  if (!icc) return photo;
  const pixels = samples.length / channels;
  const coloured = new Uint8Array(pixels * (channels + 2));
  for (let i = 0, at = 0; i < samples.length; i += channels) {
    for (let c = 0; c < 3; c++) coloured[at++] = samples[i]!;
    if (channels === 2) coloured[at++] = samples[i + 1]!;
  }
  return { ...photo, icc, channels: channels === 1 ? 3 : 4, samples: coloured };
}

async function encodeJpeg(photo: Photo, { quality, smallest }: OutputSettings, recipe?: FileRecipe): Promise<Uint8Array> {
  const { exif, iptc, icc, resolution } = photo;
  const chromaSubsampling = quality >= FULL_COLOUR_QUALITY ? '4:4:4' : '4:2:0';
  const optimiseCoding = smallest === true || sampleCount(photo.extent) <= OWN_TABLES_UP_TO_PX;
  const jpeg = await rawPicture(overWhite(photo)).jpeg({ quality, chromaSubsampling, optimiseCoding }).toBuffer();
  const segments: Uint8Array[] = [];
  if (exif && exifFits(exif)) segments.push(segment(0xe1, prefixedExif(exif)));
  const packet = packetSegment(photo, recipe);
  if (packet) segments.push(packet);
  if (iptc) segments.push(segment(0xed, Buffer.concat([Buffer.from('Photoshop 3.0\0', 'latin1'), resourcesOfIptc(iptc)])));
  if (icc) segments.push(...profileSegments(icc));
  return withSegments(jpeg, segments, resolution);
}

/** Has it room in a JPEG's segment? */
export function exifFits(exif: Uint8Array): boolean {
  return exif.length + 6 <= SEGMENT_BYTES;
}

/** In one segment; of the largest grids only the wish has room there, not the tokens, and beside long packets not even that. */
function packetSegment(photo: Photo, recipe: FileRecipe | undefined): Uint8Array | undefined {
  const { tokens: _, ...wish } = recipe ?? {};
  const packets = [packetOf(photo, recipe), ...(recipe ? [packetOf(photo, wish as FileRecipe)] : []), photo.xmp];
  for (const packet of packets) {
    const found = packet === undefined ? undefined : xmpSegment(packet);
    if (found) return found;
  }
  return undefined;
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
