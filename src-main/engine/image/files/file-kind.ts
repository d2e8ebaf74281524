import { ExpectedError } from '#contract/errors.js';
import { Directories, fieldOf, tiffOrder } from './directory.js';

/** Kinds of file that open; GIF (its first frame) and BMP only as a source. */
export type FileKind = 'png' | 'jpeg' | 'webp' | 'tiff' | 'avif' | 'gif' | 'bmp';

const WANTED = 'Expected PNG, JPEG, WebP, TIFF or AVIF';

interface Signature {
  readonly offset: number;
  readonly text: string;
}

const KNOWN: readonly (Signature & { readonly kind: FileKind })[] = [
  { kind: 'png', offset: 0, text: '\x89PNG\r\n\x1a\n' },
  { kind: 'jpeg', offset: 0, text: '\xff\xd8\xff' },
  { kind: 'gif', offset: 0, text: 'GIF87a' },
  { kind: 'gif', offset: 0, text: 'GIF89a' },
  { kind: 'bmp', offset: 0, text: 'BM' },
  { kind: 'webp', offset: 8, text: 'WEBP' },
  { kind: 'tiff', offset: 0, text: 'II*\0' },
  { kind: 'tiff', offset: 0, text: 'MM\0*' },
  { kind: 'tiff', offset: 0, text: 'II+\0' },
  { kind: 'tiff', offset: 0, text: 'MM\0+' },
];

const REFUSED: readonly (Signature & { readonly name: string })[] = [
  { name: 'PDF', offset: 0, text: '%PDF-' },
  { name: 'PSD', offset: 0, text: '8BPS' },
  { name: 'RAW', offset: 0, text: 'FUJIFILMCCD-RAW' },
  { name: 'RAW', offset: 0, text: 'IIRO' },
  { name: 'RAW', offset: 0, text: 'IIRS' },
  { name: 'RAW', offset: 0, text: 'MMOR' },
  { name: 'RAW', offset: 0, text: 'IIU\0' },
  { name: 'RAW', offset: 0, text: 'FOVb' },
  { name: 'RAW', offset: 8, text: 'CR\x02' },
  { name: 'JPEG XL', offset: 0, text: '\xff\x0a' },
  { name: 'JPEG XL', offset: 0, text: '\0\0\0\x0cJXL ' },
  { name: 'JPEG 2000', offset: 0, text: '\0\0\0\x0cjP  ' },
  { name: 'OpenEXR', offset: 0, text: 'v/1\x01' },
  { name: 'a GIMP file (XCF)', offset: 0, text: 'gimp xcf' },
  { name: 'a NumPy array (.npy)', offset: 0, text: '\x93NUMPY' },
  ...spaced(['PF', 'Pf'], 'a float map (PFM)'),
  ...spaced(['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7'], 'a portable map (PBM, PGM, PPM or PAM)'),
  { name: 'Radiance HDR', offset: 0, text: '#?RADIANCE' },
  { name: 'Radiance HDR', offset: 0, text: '#?RGBE' },
  { name: 'a FITS file', offset: 0, text: 'SIMPLE  =' },
  { name: 'a DICOM file', offset: 128, text: 'DICM' },
  { name: 'QOI', offset: 0, text: 'qoif' },
  { name: 'FLIF', offset: 0, text: 'FLIF' },
  { name: 'DirectDraw Surface (DDS)', offset: 0, text: 'DDS ' },
  { name: 'a MATLAB file', offset: 0, text: 'MATLAB 5.0' },
  { name: 'HDF5', offset: 0, text: '\x89HDF' },
  { name: 'JPEG 2000', offset: 0, text: '\xff\x4f\xff\x51' },
  { name: 'a GZIP archive', offset: 0, text: '\x1f\x8b' },
  { name: 'ICO', offset: 0, text: '\0\0\x01\0' },
  { name: 'a ZIP archive', offset: 0, text: 'PK\x03\x04' },
];

/** Words that only a space makes a signature. */
function spaced(words: readonly string[], name: string): readonly (Signature & { readonly name: string })[] {
  return words.flatMap((word) => ['\n', ' ', '\r', '\t'].map((space) => ({ name, offset: 0, text: word + space })));
}

const AVIF_BRANDS = new Set(['avif', 'avis']);
const RAW_BRANDS = new Set(['crx ']);

/**
 * What a file is, by its content; names and media types are never looked at.
 * Throws `image.unsupported` naming a known kind that doesn't open here, `image.unreadable` for everything else.
 */
export function fileKind(bytes: Uint8Array): FileKind {
  if (bytes.length === 0) throw new ExpectedError('image.unreadable', `${WANTED} but received an empty file.`);
  const refused = REFUSED.find((signature) => matches(bytes, signature))?.name ?? refusedByStructure(bytes);
  if (refused !== undefined) throw unsupported(refused);
  const known = KNOWN.find((signature) => matches(bytes, signature))?.kind ?? (brand(bytes) === 'AVIF' ? 'avif' : undefined);
  if (known === undefined) throw new ExpectedError('image.unreadable', `${WANTED} but received ${describeUnknown(bytes)}.`);
  return known;
}

function unsupported(name: string): ExpectedError {
  return new ExpectedError('image.unsupported', `${WANTED} but received ${name}.`, { details: { received: name } });
}

function matches(bytes: Uint8Array, { offset, text }: Signature): boolean {
  if (bytes.length < offset + text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  return true;
}

function latin(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

function refusedByStructure(bytes: Uint8Array): string | undefined {
  const iso = brand(bytes);
  if (iso !== undefined && iso !== 'AVIF') return iso;
  if (isSvg(bytes)) return 'SVG';
  return isTiffRaw(bytes) ? 'RAW' : undefined;
}

/** The family of an ISO base media file ("ftyp" box), which AVIF, HEIC, Canon's CR3 and films share. */
function brand(bytes: Uint8Array): 'AVIF' | 'HEIC' | 'RAW' | 'a film' | undefined {
  if (latin(bytes, 4, 8) !== 'ftyp') return undefined;
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const brands = [latin(bytes, 8, 12)];
  for (let at = 16; at + 4 <= Math.min(size, bytes.length, 256); at += 4) brands.push(latin(bytes, at, at + 4));
  if (brands.some((name) => AVIF_BRANDS.has(name))) return 'AVIF';
  if (brands.some((name) => RAW_BRANDS.has(name))) return 'RAW';
  return brands.some((name) => /^(hei|hev|mif1|msf1)/u.test(name)) ? 'HEIC' : 'a film';
}

function opening(bytes: Uint8Array): string {
  return latin(bytes, 0, Math.min(bytes.length, 1024))
    .replace(/^\xef\xbb\xbf/u, '')
    .trimStart()
    .toLowerCase();
}

function isSvg(bytes: Uint8Array): boolean {
  const text = opening(bytes);
  return text.startsWith('<svg') || (/^<(\?xml|!--|!doctype svg)/u.test(text) && text.includes('<svg'));
}

function describeUnknown(bytes: Uint8Array): string {
  const text = opening(bytes);
  if (text.startsWith('<!doctype html') || text.startsWith('<html')) return 'HTML';
  const json = describeJson(text);
  if (json !== undefined) return json;
  return text.startsWith('<') ? 'a text file' : 'an unknown kind of file';
}

/** Tools that annotate pictures write masks as JSON: outlines, not pictures. */
function describeJson(text: string): string | undefined {
  if (!/^[[{]\s*["[{\]}\d]/u.test(text)) return undefined;
  if (text.includes('"annotations"') || text.includes('"categories"') || text.includes('"segmentation"'))
    return 'annotations in JSON (COCO)';
  return text.includes('"shapes"') || text.includes('"labelme"') ? 'annotations in JSON (LabelMe)' : 'JSON';
}

const NEW_SUBFILE_TYPE = 254;
const SUB_IFDS = 330;
const DNG_VERSION = 50706;

/** Camera raw files are TIFF outside: DNG says so, others hold a small first picture that points to the raw one. */
function isTiffRaw(bytes: Uint8Array): boolean {
  const directories = tiffOrder(bytes) && Directories.of(bytes);
  const first = directories?.open(directories.first);
  if (!directories || !first) return false;
  const small = fieldOf(first, NEW_SUBFILE_TYPE);
  return (
    fieldOf(first, DNG_VERSION) !== undefined ||
    (fieldOf(first, SUB_IFDS) !== undefined && small !== undefined && directories.numbers(small)[0] === 1)
  );
}
