import sharp, { type Metadata, type Sharp } from 'sharp';
import type { Extent } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import type { OutputFormat } from '#contract/request.js';
import { unmultiplied } from './alpha.js';
import { readBmp, readBmpFacts, type BmpFacts } from './bmp.js';
import { contentsOf, type Contents, type FileParts } from './contents.js';
import { fileKind, type FileKind } from './file-kind.js';
import { heifFacts, stillOf } from './isobmff.js';
import { jpegFacts } from './jpeg-segments.js';
import { tellsPlace } from './location.js';
import { readPng } from './png-parts.js';
import type { ExtraChannels, Layout, Photo, PhotoFacts } from './photo.js';
import { MAX_METADATA_BYTES } from './slim/parts.js';
import { slimmed, type Slim } from './slim/slim.js';
import { Source } from './slim/source.js';
import { readerOfTiff, readTiffFacts, type TiffFacts } from './tiff-facts.js';
import { forewordOfTiff, layoutOfTiff, photoOfTiff } from './tiff-photo.js';
import { pagesOf, type Pages } from './tiff-pages.js';

/** Decoded at 16 bit with alpha this is 800 MB: the most that the smallest supported machine can hold. */
const MAX_PIXELS = 100_000_000;
/** JPEG's own limit, and the largest side that every encoder here can write. */
const MAX_SIDE = 65_500;

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

/** What is used of the decoder's words. */
type DecoderFacts = Pick<Metadata, 'width' | 'height' | 'autoOrient' | 'orientation' | 'space' | 'pages' | 'icc' | 'exif' | 'xmp' | 'iptc'>;

interface Header {
  readonly kind: FileKind;
  readonly extent: Extent;
  readonly layout: Layout;
  readonly contents: Contents;
  /** The bytes to decode: for a PNG only the chunks that make pixels. */
  readonly pixels: Uint8Array;
  /** A TIFF whose samples are read here. */
  readonly tiff?: TiffFacts;
  readonly bmp?: BmpFacts;
  readonly damaged: boolean;
  readonly notices: readonly Notice[];
}

/**
 * Facts about a picture from its header alone, of which a slim file has enough. Throws as `openPhoto` does, but cannot know of
 * damage behind the header.
 */
export async function readFacts(file: Uint8Array | Slim): Promise<HeaderFacts> {
  const header = await readHeader(file instanceof Uint8Array ? slimOf(file) : file);
  const { kind, extent, layout, contents, damaged, notices, tiff } = header;
  return {
    size: extent,
    format: outputFormat(kind),
    bitDepth: layout.deep ? 16 : 8,
    hasAlpha: layout.channels % 2 === 0,
    hasProfile: contents.icc !== undefined,
    hasLocation: tellsPlace(contents),
    ...(contents.recipeText !== undefined && { recipeText: contents.recipeText }),
    notices: withDamage([...notices, ...(tiff ? forewordOfTiff(tiff) : [])], damaged),
  };
}

/**
 * As much of a photo as tells what a kind of file cannot hold of it, from its header alone: without its samples, but with
 * how many bits and channels they have. Undefined where it has transparency: whether any of that is used, only samples tell.
 */
export async function openWithoutPixels(file: Uint8Array | Slim): Promise<Photo | undefined> {
  const header = await readHeader(file instanceof Uint8Array ? slimOf(file) : file);
  const { layout, tiff } = header;
  if (layout.channels % 2 === 0) return undefined;
  const samples = layout.deep ? new Uint16Array() : new Uint8Array();
  const count = tiff?.extras.length ?? 0;
  return { ...factsOf(header), samples, ...(count > 0 && { extra: { count, samples } }) };
}

/**
 * Opens a photograph: upright, in its own profile and depth, and all that its file holds beside the pixels.
 * Throws `image.unreadable`, `image.unsupported` or `image.too-large`; a file that breaks off opens as far as it goes, with a notice.
 */
export async function openPhoto(bytes: Uint8Array): Promise<Photo> {
  return photoOf(await readHeader(slimOf(bytes)));
}

async function photoOf(header: Header): Promise<Photo> {
  const { samples, damaged, extra, notices } = await samplesOf(header);
  const { layout, contents } = header;
  return {
    ...factsOf(header),
    samples: contents.premultiplied ? unmultiplied(samples, layout.channels) : samples,
    ...(extra && { extra }),
    notices: withDamage([...header.notices, ...notices], damaged || header.damaged),
  };
}

function factsOf({ extent, layout, contents, kind, notices }: Header): PhotoFacts {
  const { recipeText: _, notices: _notices, premultiplied: _premultiplied, ...kept } = contents;
  return { extent, channels: layout.channels, ...kept, format: outputFormat(kind), notices };
}

/** A photograph a few times smaller, from which the whole one is yet to be decoded. */
export interface PhotoAhead {
  readonly facts: PhotoFacts;
  readonly small: Photo;
  /** Decodes it. */
  readonly whole: () => Promise<Photo>;
}

/**
 * Kinds of file whose decoder makes a smaller picture in a fraction of the time. Those of AV1 and of TIFF know no such thing:
 * a smaller picture costs them the whole one.
 */
const SHRINKS: ReadonlySet<FileKind> = new Set(['jpeg', 'webp']);

/**
 * Decodes a photograph at 1 of `shrink` pixels per side (JPEG, WebP; libjpeg's scaled transform), wholly when that is asked
 * for. Undefined where the decoder cannot, or something is to be said that only all samples tell:
 * transparency, damage. Throws as `openPhoto` does.
 */
export async function openAhead(bytes: Uint8Array, shrinkOf: (extent: Extent) => number): Promise<PhotoAhead | undefined> {
  const header = await readHeader(slimOf(bytes));
  const shrink = shrinkOf(header.extent);
  const { kind, layout, damaged } = header;
  if (shrink < 2 || damaged || layout.convert || layout.channels % 2 === 0 || !SHRINKS.has(kind)) return undefined;
  const small = await decodeSmall(header, shrink).catch(() => undefined);
  if (!small) return undefined;
  return { facts: factsOf(header), small, whole: () => photoOf(header) };
}

async function decodeSmall(header: Header, shrink: number): Promise<Photo> {
  const { pixels, layout, extent } = header;
  const [width, height] = [Math.floor(extent.width / shrink), Math.floor(extent.height / shrink)];
  const picture = sharp(pixels, { failOn: 'error', limitInputPixels: MAX_PIXELS, ignoreIcc: true }).autoOrient();
  const { data, info } = await inLayout(picture.resize(width, height, { fit: 'fill' }), layout).toBuffer({ resolveWithObject: true });
  const samples = info.channels === layout.channels ? data : pickChannels(data, { from: info.channels, to: layout.channels });
  return { ...factsOf(header), extent: { width, height }, samples: new Uint8Array(samples) };
}

interface Samples {
  readonly samples: Uint8Array | Uint16Array;
  readonly extra?: ExtraChannels;
  readonly damaged: boolean;
  /** What only the samples tell. */
  readonly notices: readonly Notice[];
}

async function samplesOf(header: Header): Promise<Samples> {
  const { tiff, bmp, pixels, layout } = header;
  if (tiff) return photoOfTiff(pixels, tiff);
  if (bmp) return { ...readBmp(pixels, bmp), notices: [] };
  const { samples, damaged } = await decodeLenient(header);
  return { samples: layout.deep ? asWords(samples) : samples, damaged, notices: [] };
}

function outputFormat(kind: FileKind): OutputFormat {
  return kind === 'gif' || kind === 'bmp' ? 'png' : kind;
}

function asWords(bytes: Uint8Array): Uint16Array {
  if (bytes.byteOffset % 2 === 0) return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  return new Uint16Array(bytes.slice().buffer);
}

function slimOf(bytes: Uint8Array): Slim {
  return slimmed(fileKind(bytes), Source.of(bytes));
}

async function readHeader({ bytes, leftOut }: Slim): Promise<Header> {
  const kind = fileKind(bytes);
  if (kind === 'bmp') return bmpHeader(bytes);
  const pages = kind === 'tiff' ? pagesOf(bytes) : undefined;
  return headerOf({ kind, bytes: pages?.file ?? bytes, leftOut, pages });
}

interface Opened extends Slim {
  readonly kind: FileKind;
  readonly pages: Pages | undefined;
}

async function headerOf({ kind, bytes, leftOut, pages }: Opened): Promise<Header> {
  const parts = partsOf(kind, bytes);
  refuseUnreadable(parts);
  const own = ownTiff(parts.tiff);
  const pixels = parts.png?.pixels ?? (parts.heif ? stillOf(bytes, parts.heif) : bytes);
  const { metadata, layout } = own ? ownHeader(own) : await decoderHeader(pixels);
  const { width, height } = metadata.autoOrient;
  const extent = { width, height };
  const contents = contentsOf({ bytes, metadata, parts, model: modelOf(layout), extent, leftOut });
  const notices = [...pixelNotices({ metadata, layout, pages, animated: isAnimated(metadata, parts) }), ...contents.notices];
  return {
    kind,
    extent,
    layout,
    contents,
    pixels,
    ...(own && { tiff: own }),
    damaged: parts.png?.cut ?? parts.jpeg?.cut ?? false,
    notices,
  };
}

function partsOf(kind: FileKind, bytes: Uint8Array): FileParts {
  const tiff = kind === 'tiff' ? readTiffFacts(bytes) : undefined;
  return {
    ...(kind === 'png' && { png: readPng(bytes, MAX_METADATA_BYTES, refuseTooLarge) }),
    ...(tiff && { tiff }),
    ...(kind === 'jpeg' && { jpeg: jpegFacts(bytes) }),
    ...(kind === 'avif' && { heif: heifFacts(bytes) }),
  };
}

function ownTiff(tiff: TiffFacts | undefined): TiffFacts | undefined {
  return tiff && readerOfTiff(tiff) === 'own' ? tiff : undefined;
}

function isAnimated({ pages = 1 }: DecoderFacts, { png, heif }: FileParts): boolean {
  // The decoder counts the pictures of an AVIF, not the frames of its film.
  return png ? png.animated : pages > 1 || heif?.film !== undefined;
}

/** A bitmap says nothing but its pixels and their resolution. */
function bmpHeader(bytes: Uint8Array): Header {
  const bmp = readBmpFacts(bytes);
  const { extent, channels, resolution } = bmp;
  refuseTooLarge(extent);
  const contents = { premultiplied: false, notices: [], ...(resolution && { resolution }) };
  const layout = { channels, deep: false, convert: false };
  return { kind: 'bmp', extent, layout, contents, pixels: bytes, bmp, damaged: false, notices: [] };
}

function modelOf({ channels, convert }: Layout): 'GRAY' | 'RGB ' | undefined {
  if (convert) return undefined;
  return channels <= 2 ? 'GRAY' : 'RGB ';
}

/** What the decoder would call damaged, though it is not. */
function refuseUnreadable({ jpeg, heif }: FileParts): void {
  const precision = jpeg?.precision ?? 8;
  const received = precision !== 8 ? `a JPEG of ${String(precision)} bits` : heif?.film === 'only' ? 'an AVIF sequence' : undefined;
  if (received === undefined) return;
  throw new ExpectedError('image.unsupported', `Expected a picture that can be read here but received ${received}.`, {
    details: { received },
  });
}

async function decoderHeader(pixels: Uint8Array): Promise<Pick<Pixels, 'metadata' | 'layout'>> {
  const metadata = await readMetadata(pixels);
  refuseTooLarge(metadata);
  return { metadata, layout: layoutOf(metadata) };
}

function ownHeader(tiff: TiffFacts): Pick<Pixels, 'metadata' | 'layout'> {
  refuseTooLarge(tiff);
  return { metadata: metadataOf(tiff), layout: layoutOfTiff(tiff) };
}

function metadataOf({ width, height, orientation }: TiffFacts): DecoderFacts {
  const turned = orientation >= 5 && orientation <= 8;
  const autoOrient = { width: turned ? height : width, height: turned ? width : height, orientation: 1 };
  return { width, height, orientation, autoOrient, space: 'srgb' };
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

async function decode({ pixels, layout }: Header, failOn: 'none' | 'error'): Promise<Uint8Array> {
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

function withDamage(notices: readonly Notice[], damaged: boolean): readonly Notice[] {
  if (!damaged) return notices;
  return [{ code: 'image.damaged', message: 'The file is damaged; only a part of the picture could be read.' }, ...notices];
}

interface Pixels {
  readonly metadata: DecoderFacts;
  readonly layout: Layout;
  readonly animated: boolean;
  readonly pages: Pages | undefined;
}

function pixelNotices({ metadata, layout, animated, pages }: Pixels): readonly Notice[] {
  const notices: Notice[] = [];
  if (pages?.skipped)
    notices.push({
      code: 'image.smaller-page',
      message: 'The file begins with a smaller copy of its picture; the full picture is used, and no other page.',
    });
  else if (pages ? pages.more : animated)
    notices.push({ code: 'image.animated', message: pages ? 'Only the first page is used.' : 'Only the first frame is used.' });
  if (metadata.space === 'cmyk') notices.push({ code: 'image.cmyk', message: 'The picture was converted from CMYK to sRGB.' });
  if (layout.deep)
    notices.push({ code: 'image.deep', message: 'The picture has 16 bits per channel; pixels that no edit touches keep them.' });
  return notices;
}
