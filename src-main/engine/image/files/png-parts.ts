import { ExpectedError } from '#contract/errors.js';
import { namingOfGamma, namingOfSamples, type Naming } from './code-points.js';
import type { Chromaticity, Primaries } from './make-profile.js';
import { viewOf } from './directory.js';
import { isResolution, pixelShape } from './exif.js';
import { iptcOfResources } from './iptc.js';
import { checksumFits, pngChunks, profileOfChunk, textKeyword, textOf, type PngChunk } from './png-chunks.js';
import type { CodePoints, Resolution } from './photo.js';
import { RECIPE_KEYWORD, XMP_KEYWORD } from './recipe.js';

const PIXEL_CHUNKS = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
const INCH = 0.0254;
/** Signature and header come first. */
const BEHIND_HEADER = 2;

/** A PNG taken apart, so that no text, time stamp or compressed profile ever reaches the decoder. */
export interface PngParts {
  /** The chunks that make pixels, as a file. */
  readonly pixels: Uint8Array;
  readonly icc?: Uint8Array;
  readonly naming: Naming;
  /** The file says of its colours what they are. */
  readonly isNamed: boolean;
  readonly codePoints?: CodePoints;
  readonly resolution?: Resolution;
  /** From a text of another program; a chunk of its own reaches the decoder. */
  readonly exif?: Uint8Array;
  readonly xmp?: string;
  readonly iptc?: Uint8Array;
  /** Those of other programs, as they stand. */
  readonly texts: readonly PngChunk[];
  readonly recipeText?: string;
  readonly animated: boolean;
  readonly cut: boolean;
  /** Metadata in the file was too large or too damaged to be used. */
  readonly leftOut: boolean;
}

/** Throws `image.unreadable`, and what `expectSize` throws of the size in the header. */
export function readPng(png: Uint8Array, maxBytes: number, expectSize: (size: { width: number; height: number }) => void): PngParts {
  const kept: Uint8Array[] = [png.subarray(0, 8)];
  const seen = new Map<string, PngChunk>();
  let cut = false;
  for (const chunk of pngChunks(png)) {
    cut = !chunk.complete;
    if (seen.size === 0) expectSize(sizeInHeader(chunk));
    refuseBadChunk(chunk);
    if (!seen.has(chunk.type)) seen.set(chunk.type, chunk);
    // The decoder looks for EXIF before the pixels only; some programs write it behind them.
    if (isExif(chunk, maxBytes) && seen.get('eXIf') === chunk) kept.splice(BEHIND_HEADER, 0, chunk.whole);
    else if (PIXEL_CHUNKS.has(chunk.type)) kept.push(chunk.whole);
  }
  if (!seen.has('IDAT')) throw new ExpectedError('image.unreadable', 'Expected a PNG with pixels but the file ends before them.');
  const texts = readTexts(png, maxBytes);
  const profile = dataOf(seen, 'iCCP');
  const icc = profile && profileOfChunk(profile, maxBytes);
  return {
    pixels: Buffer.concat(kept),
    ...colourOf(seen, icc),
    isNamed: ['cICP', 'iCCP', 'sRGB', 'gAMA'].some((type) => seen.has(type)),
    ...resolutionOf(dataOf(seen, 'pHYs')),
    ...texts,
    animated: seen.has('acTL'),
    cut: cut || !seen.has('IEND'),
    leftOut: texts.leftOut || (profile !== undefined && icc === undefined),
  };
}

function isExif({ type, complete, data }: PngChunk, maxBytes: number): boolean {
  return type === 'eXIf' && complete && data.length <= maxBytes;
}

function dataOf(seen: ReadonlyMap<string, PngChunk>, type: string): Uint8Array | undefined {
  const chunk = seen.get(type);
  return chunk?.complete === true ? chunk.data : undefined;
}

/** The first of these that is there counts: cICP, iCCP, sRGB, gAMA with cHRM (PNG 3rd edition, 4.3). */
function colourOf(seen: ReadonlyMap<string, PngChunk>, icc: Uint8Array | undefined): Pick<PngParts, 'naming' | 'codePoints' | 'icc'> {
  const header = dataOf(seen, 'IHDR');
  const model = [0, 4].includes(header?.[9] ?? 2) ? 'GRAY' : 'RGB ';
  const cicp = dataOf(seen, 'cICP');
  if (cicp?.length === 4) {
    const codePoints = Array.from(cicp) as unknown as CodePoints;
    const naming = namingOfSamples(codePoints, { model, bits: header?.[8] ?? 8 });
    if (naming.kind !== 'unknown') return { naming, codePoints };
  }
  if (icc) return { icc, naming: { kind: 'plain' } };
  return { naming: cicp ? { kind: 'unknown' } : gammaOf(seen, model) };
}

function gammaOf(seen: ReadonlyMap<string, PngChunk>, model: 'GRAY' | 'RGB '): Naming {
  const gamma = dataOf(seen, 'gAMA');
  if (seen.has('sRGB') || gamma?.length !== 4) return { kind: 'plain' };
  const corners = cornersOf(dataOf(seen, 'cHRM'));
  return namingOfGamma({ gamma: viewOf(gamma).getUint32(0) / 100_000, ...(corners && { corners }) }, model);
}

function cornersOf(chrm: Uint8Array | undefined): Primaries | undefined {
  if (chrm?.length !== 32) return undefined;
  const point = (i: number): Chromaticity => [viewOf(chrm).getUint32(i * 8) / 100_000, viewOf(chrm).getUint32(i * 8 + 4) / 100_000];
  return { white: point(0), red: point(1), green: point(2), blue: point(3) };
}

function resolutionOf(phys: Uint8Array | undefined): { readonly resolution?: Resolution } {
  if (phys?.length !== 9) return {};
  const perMetre = [viewOf(phys).getUint32(0), viewOf(phys).getUint32(4)] as const;
  if (phys[8] !== 1) return resolutionIfAny(pixelShape(...perMetre));
  const [x, y] = [perMetre[0] * INCH, perMetre[1] * INCH];
  return isResolution(x) && isResolution(y) ? { resolution: { x, y } } : {};
}

function resolutionIfAny(resolution: Resolution | undefined): { readonly resolution?: Resolution } {
  return resolution ? { resolution } : {};
}

type Texts = Pick<PngParts, 'texts' | 'recipeText' | 'xmp' | 'exif' | 'iptc' | 'leftOut'>;

/** Our own text, metadata that other programs keep in texts, and what is left: that stays as it stands and is never inflated. */
function readTexts(png: Uint8Array, maxBytes: number): Texts {
  const texts: PngChunk[] = [];
  let found: Partial<Texts> = {};
  let bytes = 0;
  for (const chunk of pngChunks(png)) {
    const keyword = chunk.complete ? textKeyword(chunk) : undefined;
    if (keyword === undefined) continue;
    bytes += chunk.data.length;
    const taken = bytes <= maxBytes ? takeText(chunk, keyword, maxBytes) : {};
    if (bytes > maxBytes) found = { ...found, leftOut: true };
    else if (taken) found = { ...taken, ...found };
    else texts.push(chunk);
  }
  return { leftOut: false, ...found, texts };
}

/** What a text says that has a place of its own; undefined for all other texts. */
function takeText(chunk: PngChunk, keyword: string, maxBytes: number): Partial<Texts> | undefined {
  if (keyword === RECIPE_KEYWORD) return defined('recipeText', textOf(chunk, maxBytes));
  if (keyword === XMP_KEYWORD) return defined('xmp', textOf(chunk, maxBytes));
  if (!keyword.startsWith('Raw profile type ')) return undefined;
  const raw = rawProfile(textOf(chunk, maxBytes) ?? '');
  if (!raw) return {};
  const kind = keyword.slice('Raw profile type '.length).toLowerCase();
  if (kind === 'exif' || kind === 'app1') return { exif: raw };
  if (kind === 'xmp') return { xmp: Buffer.from(raw).toString('utf8') };
  return kind === 'iptc' || kind === '8bim' ? defined('iptc', iptcOfResources(raw)) : {};
}

function defined<K extends keyof Texts>(key: K, value: Texts[K]): Partial<Texts> {
  return value === undefined ? {} : { [key]: value };
}

/** As ImageMagick and ExifTool write them: a name, a length, and hexadecimal digits in lines. */
function rawProfile(text: string): Uint8Array | undefined {
  const [, length = '0', digits = ''] = /^\n?\S[^\n]*\n\s*(\d{1,8})\n([0-9a-f\s]*)$/iu.exec(text) ?? [];
  const bytes = Buffer.from(digits.replace(/\s/gu, ''), 'hex');
  return bytes.length > 0 && bytes.length === Number(length) ? new Uint8Array(bytes) : undefined;
}

function refuseBadChunk(chunk: PngChunk): void {
  if (!chunk.complete || !PIXEL_CHUNKS.has(chunk.type) || checksumFits(chunk)) return;
  throw new ExpectedError('image.unreadable', `Expected the checksum of PNG chunk ${chunk.type} to fit but it does not.`);
}

/** Known before the checksum of a single pixel is computed. */
function sizeInHeader({ type, data, complete }: PngChunk): { width: number; height: number } {
  if (type !== 'IHDR' || !complete || data.length !== 13) {
    throw new ExpectedError('image.unreadable', 'Expected a PNG header but the file is damaged.');
  }
  return { width: viewOf(data).getUint32(0), height: viewOf(data).getUint32(4) };
}
