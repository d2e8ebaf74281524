import sharp, { type Metadata, type Sharp } from 'sharp';
import type { Extent } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import type { OutputFormat } from '#contract/request.js';
import { uprightExif } from './exif.js';
import { exifOfTiff } from './tiff-exif.js';
import { fileKind, type FileKind } from './file-kind.js';
import { profileModel } from './icc-profile.js';
import { hasLocation } from './location.js';
import { checksumFits, pngChunks, profileOfChunk, textKeyword, textOf, type PngChunk } from './png-chunks.js';
import type { Photo } from './photo.js';
import { RECIPE_KEYWORD, recipeInPacket } from './recipe.js';

/** Decoded at 16 bit with alpha this is 800 MB: the most that the smallest supported machine can hold. */
const MAX_PIXELS = 100_000_000;
/** JPEG's own limit, and the largest side that every encoder here can write. */
const MAX_SIDE = 65_500;
/** Larger metadata is a bomb or a mistake: real profiles and EXIF blocks stay far below. */
const MAX_METADATA_BYTES = 1_000_000;

export interface HeaderFacts {
  /** Upright, after EXIF orientation. */
  readonly size: Extent;
  readonly format: OutputFormat;
  readonly bitDepth: 8 | 16;
  readonly hasAlpha: boolean;
  readonly hasProfile: boolean;
  readonly hasLocation: boolean;
  /** The recipe in the file, as it stands there: text from a stranger. */
  readonly recipeText?: string;
  readonly notices: readonly Notice[];
}

/** What the header says, in the words of the decoder. */
interface Header {
  readonly kind: FileKind;
  readonly metadata: Metadata;
  /** The bytes to decode: for a PNG only the chunks that make pixels. */
  readonly pixels: Uint8Array;
  readonly icc?: Uint8Array;
  readonly exif?: Uint8Array;
  readonly texts?: readonly PngChunk[];
  readonly recipeText?: string;
  readonly animated: boolean;
  readonly damaged: boolean;
}

/** Facts about a picture from its header alone. Throws as `openPhoto` does, but cannot know of damage behind the header. */
export async function readFacts(bytes: Uint8Array): Promise<HeaderFacts> {
  const header = await readHeader(bytes);
  const { metadata, kind } = header;
  return {
    size: { width: metadata.autoOrient.width, height: metadata.autoOrient.height },
    format: outputFormat(kind),
    bitDepth: layoutOf(metadata).deep ? 16 : 8,
    hasAlpha: metadata.hasAlpha,
    hasProfile: header.icc !== undefined,
    hasLocation: hasLocation(header.exif),
    ...(header.recipeText !== undefined && { recipeText: header.recipeText }),
    notices: noticesOf(header, header.damaged),
  };
}

/**
 * Opens a photograph: upright, in its own profile and depth, EXIF and profile beside it.
 * Throws `image.unreadable`, `image.unsupported` or `image.too-large`; a file that breaks off opens as far as it goes, with a notice.
 */
export async function openPhoto(bytes: Uint8Array): Promise<Photo> {
  const header = await readHeader(bytes);
  const { samples, damaged } = await decodeLenient(header);
  const { deep, channels } = layoutOf(header.metadata);
  const { width, height } = header.metadata.autoOrient;
  return {
    extent: { width, height },
    channels,
    samples: deep ? asWords(samples) : samples,
    ...(header.icc && { icc: header.icc }),
    ...(header.exif && { exif: header.exif }),
    ...(header.texts && { texts: header.texts }),
    format: outputFormat(header.kind),
    notices: noticesOf(header, damaged || header.damaged),
  };
}

function outputFormat(kind: FileKind): OutputFormat {
  return kind === 'gif' ? 'png' : kind;
}

function asWords(bytes: Uint8Array): Uint16Array {
  if (bytes.byteOffset % 2 === 0) return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  return new Uint16Array(bytes.slice().buffer);
}

async function readHeader(bytes: Uint8Array): Promise<Header> {
  const kind = fileKind(bytes);
  const png = kind === 'png' ? readPng(bytes) : undefined;
  const pixels = png?.pixels ?? bytes;
  const metadata = await readMetadata(pixels);
  refuseTooLarge(metadata);
  const { icc: profile, texts, recipeText, animated, cut } = png ?? partsOf(metadata);
  const icc = usableProfile(profile, metadata);
  // The decoder is not told of a TIFF's EXIF.
  const exif = usableExif(kind === 'tiff' ? exifOfTiff(bytes) : metadata.exif);
  return {
    kind,
    metadata,
    pixels,
    ...(icc && { icc }),
    ...(exif && { exif }),
    ...(texts.length > 0 && { texts }),
    ...(recipeText !== undefined && { recipeText }),
    animated,
    damaged: cut,
  };
}

async function readMetadata(bytes: Uint8Array): Promise<Metadata> {
  try {
    return await sharp(bytes, { failOn: 'none', limitInputPixels: false }).metadata();
  } catch (cause) {
    throw new ExpectedError('image.unreadable', 'Expected a picture but received a file whose header is damaged.', { cause });
  }
}

function refuseTooLarge({ width, height }: Extent): void {
  if (width * height <= MAX_PIXELS && width <= MAX_SIDE && height <= MAX_SIDE) return;
  const limit = `at most ${MAX_PIXELS / 1_000_000} megapixels and ${MAX_SIDE} pixels per side`;
  throw new ExpectedError('image.too-large', `Expected ${limit} but received ${width}×${height}.`);
}

/** A profile that fits the samples; garbage, giants and profiles of another colour model are left out. */
function usableProfile(icc: Uint8Array | undefined, metadata: Metadata): Uint8Array | undefined {
  if (!icc || icc.length > MAX_METADATA_BYTES) return undefined;
  const { channels, convert } = layoutOf(metadata);
  if (convert || profileModel(icc) !== (channels <= 2 ? 'GRAY' : 'RGB ')) return undefined;
  return new Uint8Array(icc);
}

function usableExif(exif: Uint8Array | undefined): Uint8Array | undefined {
  return exif && exif.length <= MAX_METADATA_BYTES ? uprightExif(exif) : undefined;
}

/** What a PNG is taken apart for, of other formats in the words of the decoder. */
function partsOf({ icc, xmp, pages = 1 }: Metadata): Omit<PngParts, 'pixels'> {
  const recipeText = xmp && xmp.length <= MAX_METADATA_BYTES ? recipeInPacket(xmp.toString('utf8')) : undefined;
  return { ...(icc && { icc }), texts: [], ...(recipeText !== undefined && { recipeText }), animated: pages > 1, cut: false };
}

interface Layout {
  readonly channels: 1 | 2 | 3 | 4;
  readonly deep: boolean;
  /** Samples that aren't gray or RGB (CMYK, Lab, floats) are converted to 8-bit sRGB. */
  readonly convert: boolean;
}

function layoutOf({ space, depth, hasAlpha }: Metadata): Layout {
  const deep = depth === 'ushort';
  const plain = deep || depth === 'uchar';
  if (plain && (space === 'b-w' || space === 'grey16')) return { channels: hasAlpha ? 2 : 1, deep, convert: false };
  const convert = !plain || (space !== 'srgb' && space !== 'rgb16' && space !== 'rgb');
  return { channels: hasAlpha ? 4 : 3, deep: deep && !convert, convert };
}

/** Strict first; where that fails whatever the decoder can still make of the file. */
async function decodeLenient(header: Header): Promise<{ samples: Uint8Array; damaged: boolean }> {
  try {
    return { samples: await decode(header, 'error'), damaged: false };
  } catch {
    // The lenient attempt below says what is wrong, or that nothing much is.
  }
  try {
    return { samples: await decode(header, 'none'), damaged: true };
  } catch (cause) {
    throw new ExpectedError('image.unreadable', 'Expected a picture but received a damaged file.', { cause });
  }
}

async function decode({ pixels, metadata }: Header, failOn: 'none' | 'error'): Promise<Uint8Array> {
  const layout = layoutOf(metadata);
  // An ignored profile is the only way to be given the samples as they stand in the file.
  const picture = sharp(pixels, { failOn, limitInputPixels: MAX_PIXELS, ignoreIcc: !layout.convert }).autoOrient();
  const { data: buffer, info } = await inLayout(picture, layout).toBuffer({ resolveWithObject: true });
  // A plain view: copying a slice of a Buffer would share its memory, and photos must not.
  const data = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  return info.channels === layout.channels ? data : pickChannels(data, { from: info.channels, to: layout.channels });
}

function inLayout(picture: Sharp, { channels, deep, convert }: Layout): Sharp {
  if (deep) return picture.toColourspace(channels <= 2 ? 'grey16' : 'rgb16').raw({ depth: 'ushort' });
  return (!convert && channels === 1 ? picture.toColourspace('b-w') : picture.toColourspace('srgb')).raw({ depth: 'uchar' });
}

/** Drops copies of a gray channel (RGBA made from gray + alpha), or an alpha that the decoder added. */
function pickChannels(data: Uint8Array, { from, to }: { from: number; to: number }): Uint8Array {
  const picked = to === 2 ? [0, from - 1] : Array.from({ length: to }, (_, i) => Math.min(i, from - 1));
  const pixels = data.length / from;
  const result = new Uint8Array(pixels * to);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < to; c++) result[i * to + c] = data[i * from + picked[c]!]!;
  }
  return result;
}

function noticesOf({ kind, metadata, animated }: Header, damaged: boolean): Notice[] {
  const notices: Notice[] = [];
  if (damaged) notices.push({ code: 'image.damaged', message: 'The file is damaged; only a part of the picture could be read.' });
  if (animated)
    notices.push({ code: 'image.animated', message: kind === 'tiff' ? 'Only the first page is used.' : 'Only the first frame is used.' });
  if (metadata.space === 'cmyk') notices.push({ code: 'image.cmyk', message: 'The picture was converted from CMYK to sRGB.' });
  if (layoutOf(metadata).deep)
    notices.push({ code: 'image.deep', message: 'The picture has 16 bits per channel; pixels that no edit touches keep them.' });
  return notices;
}

const PIXEL_CHUNKS = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);

interface PngParts {
  readonly pixels: Uint8Array;
  readonly icc?: Uint8Array;
  readonly texts: readonly PngChunk[];
  readonly recipeText?: string;
  readonly animated: boolean;
  readonly cut: boolean;
}

/** Takes a PNG apart, so that no text, time stamp or compressed profile ever reaches the decoder. */
function readPng(png: Uint8Array): PngParts {
  const kept: Uint8Array[] = [png.subarray(0, 8)];
  const seen = new Set<string>();
  let icc: Uint8Array | undefined;
  let cut = false;
  for (const chunk of pngChunks(png)) {
    cut = !chunk.complete;
    refuseBadChunk(chunk, seen);
    seen.add(chunk.type);
    if (chunk.type === 'iCCP' && chunk.complete) icc ??= profileOfChunk(chunk.data, MAX_METADATA_BYTES);
    const small = chunk.type === 'eXIf' && chunk.complete && chunk.data.length <= MAX_METADATA_BYTES;
    if (PIXEL_CHUNKS.has(chunk.type) || small) kept.push(chunk.whole);
  }
  if (!seen.has('IDAT')) throw new ExpectedError('image.unreadable', 'Expected a PNG with pixels but the file ends before them.');
  return { pixels: Buffer.concat(kept), ...(icc && { icc }), ...readTexts(png), animated: seen.has('acTL'), cut: cut || !seen.has('IEND') };
}

/** Our own text, and those of others, which are kept as they stand and never inflated. */
function readTexts(png: Uint8Array): Pick<PngParts, 'texts' | 'recipeText'> {
  const texts: PngChunk[] = [];
  let bytes = 0;
  let recipeText: string | undefined;
  for (const chunk of pngChunks(png)) {
    const keyword = chunk.complete ? textKeyword(chunk) : undefined;
    bytes += keyword === undefined ? 0 : chunk.data.length;
    if (keyword === undefined || bytes > MAX_METADATA_BYTES) continue;
    if (keyword === RECIPE_KEYWORD) recipeText ??= textOf(chunk);
    else texts.push(chunk);
  }
  return { texts, ...(recipeText !== undefined && { recipeText }) };
}

function refuseBadChunk(chunk: Parameters<typeof checksumFits>[0], seen: ReadonlySet<string>): void {
  if (seen.size === 0) refusePngHeader(chunk);
  if (chunk.complete && PIXEL_CHUNKS.has(chunk.type) && !checksumFits(chunk)) {
    throw new ExpectedError('image.unreadable', `Expected the checksum of PNG chunk ${chunk.type} to fit but it does not.`);
  }
}

/** The size is refused here, before the checksum of a single pixel is computed. */
function refusePngHeader({ type, data, complete }: Parameters<typeof checksumFits>[0]): void {
  if (type !== 'IHDR' || !complete || data.length !== 13) {
    throw new ExpectedError('image.unreadable', 'Expected a PNG header but the file is damaged.');
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  refuseTooLarge({ width: view.getUint32(0), height: view.getUint32(4) });
}
