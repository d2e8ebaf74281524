import type { Extent } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import { Directories, fieldOf, type Directory } from './directory.js';
import { exifResolution } from './exif.js';
import { iptcOfResources, usableIptc } from './iptc.js';
import type { Resolution } from './photo.js';

/** How the samples of a TIFF's first picture are stored (TIFF 6.0 and its supplements). */
export interface TiffFacts extends Extent {
  readonly little: boolean;
  readonly bits: number;
  readonly format: 'unsigned' | 'signed' | 'float' | 'other';
  readonly photometric: number;
  /** Per pixel, all of them. */
  readonly samples: number;
  /** What the samples behind the colours are: 0 unspecified, 1 premultiplied alpha, 2 alpha. */
  readonly extras: readonly number[];
  readonly compression: number;
  readonly predictor: number;
  readonly separate: boolean;
  readonly reversedBits: boolean;
  readonly orientation: number;
  /** Strips are tiles as wide as the picture. */
  readonly tile: Extent;
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
  readonly icc?: Uint8Array;
  readonly xmp?: Uint8Array;
  readonly iptc?: Uint8Array;
  readonly resolution?: Resolution;
}

export const PHOTOMETRIC = { whiteIsZero: 0, blackIsZero: 1, rgb: 2, palette: 3, cmyk: 5, ycbcr: 6, cielab: 8, icclab: 9 } as const;
export const ALPHA = { unspecified: 0, premultiplied: 1, straight: 2 } as const;

const FORMATS = ['other', 'unsigned', 'signed', 'float'] as const;
const COLOURS: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3, 8: 3, 9: 3 };

/** Beyond every program's channels. */
const MOST_EXTRAS = 64;
/** More tiles than a picture of the largest size that opens can have. */
const MOST_TILES = 1 << 20;

export function readTiffFacts(file: Uint8Array): TiffFacts | undefined {
  const directories = Directories.of(file);
  const first = directories?.open(directories.first);
  if (!directories || !first) return undefined;
  const read = reader(directories, first);
  const extent = { width: read.one(256), height: read.one(257) };
  const samples = read.one(277, 1);
  const photometric = read.one(262, 1);
  const resolution = exifResolution(file);
  return {
    ...extent,
    little: directories.little,
    // Where the depths differ, the decoder has to cope, or refuse.
    bits: read.same(258, samples) ?? 0,
    format: FORMATS[read.same(339, samples) ?? 0] ?? (fieldOf(first, 339) ? 'other' : 'unsigned'),
    photometric,
    samples,
    extras: extrasOf(samples - (COLOURS[photometric] ?? samples), read.all(338, MOST_EXTRAS), photometric),
    compression: read.one(259, 1),
    predictor: read.one(317, 1),
    separate: read.one(284, 1) === 2,
    reversedBits: read.one(266, 1) === 2,
    orientation: read.one(274, 1),
    ...(fieldOf(first, 322) ? tilesOf(read) : stripsOf(read, extent)),
    ...blocks(first),
    ...(resolution && { resolution }),
  };
}

type Reader = ReturnType<typeof reader>;
type Tiles = Pick<TiffFacts, 'tile' | 'offsets' | 'sizes'>;

function tilesOf(read: Reader): Tiles {
  return { tile: { width: read.one(322), height: read.one(323) }, offsets: read.all(324, MOST_TILES), sizes: read.all(325, MOST_TILES) };
}

function stripsOf(read: Reader, { width, height }: Extent): Tiles {
  const rows = Math.max(1, Math.min(height, read.one(278, height)));
  return { tile: { width, height: rows }, offsets: read.all(273, MOST_TILES), sizes: read.all(279, MOST_TILES) };
}

/** Some writers leave out what a fourth channel is; they mean transparency. Beside ink it may as well be another ink. */
function extrasOf(count: number, said: readonly number[], photometric: number): readonly number[] {
  const unsaid = said.length === 0 && photometric !== PHOTOMETRIC.cmyk ? [ALPHA.straight] : [];
  return Array.from({ length: Math.max(0, Math.min(count, MOST_EXTRAS)) }, (_, i) => said[i] ?? unsaid[i] ?? ALPHA.unspecified);
}

function blocks(first: Directory): Pick<TiffFacts, 'icc' | 'xmp' | 'iptc'> {
  const bytes = (tag: number) => fieldOf(first, tag)?.bytes;
  const resources = bytes(34377);
  const [icc, xmp] = [bytes(34675), bytes(700)];
  const iptc = usableIptc(bytes(33723)) ?? (resources && iptcOfResources(resources));
  return { ...(icc && { icc }), ...(xmp && { xmp }), ...(iptc && { iptc }) };
}

function reader(directories: Directories, first: Directory) {
  const all = (tag: number, limit: number): readonly number[] => {
    const field = fieldOf(first, tag);
    return field ? directories.numbers(field, limit) : [];
  };
  return {
    all,
    one: (tag: number, otherwise = 0): number => all(tag, 1)[0] ?? otherwise,
    /** The number that every sample has; 1 where the field is absent, undefined where they differ. */
    same: (tag: number, samples: number): number | undefined => {
      const [head = 1, ...rest] = all(tag, Math.min(samples, 64));
      return rest.every((value) => value === head) ? head : undefined;
    },
  };
}

const CODECS: Readonly<Record<number, string>> = {
  34661: 'JBIG',
  34676: 'LogLuv',
  34677: 'LogLuv',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34925: 'LZMA',
  50000: 'Zstandard',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
};
/** What the decoder was built with: none, CCITT, LZW, JPEG, deflate, PackBits, WebP. */
const DECODER_CODECS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 8, 32_771, 32_773, 32_809, 32_946, 50_001]);
/** What is read here where the decoder cannot be trusted with the samples. */
const OWN_CODECS: ReadonlySet<number> = new Set([1, 5, 8, 32_773, 32_946]);
const DECODER_BITS: ReadonlySet<number> = new Set([1, 2, 4, 8, 16]);
const FLOAT_BITS: ReadonlySet<number> = new Set([16, 24, 32, 64]);
const OWN_PHOTOMETRICS: ReadonlySet<number> = new Set([0, 1, 2, 5, 8, 9]);

/**
 * Who reads the samples: the decoder those that it is known to read right, this program the others.
 * Throws `image.unsupported` naming what neither reads.
 */
export function readerOfTiff(facts: TiffFacts): 'decoder' | 'own' {
  const { compression, photometric, bits, format } = facts;
  const codec = CODECS[compression];
  if (codec !== undefined) throw refusal(`a TIFF compressed with ${codec}`);
  const usual =
    DECODER_CODECS.has(compression) &&
    format === 'unsigned' &&
    DECODER_BITS.has(bits) &&
    (COLOURS[photometric] ?? 9) < 5 &&
    photometric < 8;
  // The decoder reads fewer than 8 bits per sample where a pixel has one sample only.
  if (usual && hasUsualExtras(facts) && (bits >= 8 || facts.samples === 1)) return 'decoder';
  if (!isOwn(facts)) {
    throw refusal(
      `a TIFF of ${String(facts.samples)} samples of ${String(bits)} bits (photometric ${String(photometric)}, compression ${String(compression)})`,
    );
  }
  return 'own';
}

function isOwn({ compression, photometric, bits, format, reversedBits }: TiffFacts): boolean {
  if (!OWN_CODECS.has(compression) || !OWN_PHOTOMETRICS.has(photometric) || reversedBits || format === 'other') return false;
  if (format === 'float') return FLOAT_BITS.has(bits) && photometric < PHOTOMETRIC.cmyk;
  return photometric < PHOTOMETRIC.cmyk || (format === 'unsigned' && (bits === 8 || bits === 16));
}

function hasUsualExtras({ extras, photometric }: TiffFacts): boolean {
  if (extras.length === 0) return true;
  return extras.length === 1 && extras[0] === ALPHA.straight && photometric !== PHOTOMETRIC.cmyk && photometric !== PHOTOMETRIC.palette;
}

function refusal(received: string): ExpectedError {
  return new ExpectedError('image.unsupported', `Expected a TIFF that can be read here but received ${received}.`, {
    details: { received },
  });
}
