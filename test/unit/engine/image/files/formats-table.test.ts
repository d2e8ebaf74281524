import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Notice } from '#contract/event.js';
import type { FileRecipe } from '#contract/recipe.js';
import type { OutputFormat } from '#contract/request.js';
import { openPhoto, readFacts } from '#engine/image/files/decode.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { lossesOf } from '#engine/image/files/losses.js';
import { insertChunks, makeChunk, textChunk } from '#engine/image/files/png-chunks.js';
import type { Photo } from '#engine/image/files/photo.js';
import { exifOfHand } from '../../../../support/exif.js';
import { folderOfFormats } from '../../../../support/folder-of-formats.js';
import { moreFormats } from '../../../../support/folder-of-formats-more.js';
import { tiffOfHand } from '../../../../support/tiff.js';
import { builtInProfile, makePhoto } from '../pictures.js';

// The table in docs/formats.md is the list of these tests: a cell that is not held, or a row that nothing is known of here, fails.

const COLUMNS = { PNG: 'png', JPEG: 'jpeg', WebP: 'webp', TIFF: 'tiff', AVIF: 'avif' } as const satisfies Record<string, OutputFormat>;
type Column = keyof typeof COLUMNS;

interface Cell {
  readonly row: string;
  readonly column: Column;
  readonly words: string;
}

function cellsOf(markdown: string): readonly Cell[] {
  const [, section = ''] = markdown.split('## What is in them\n');
  const lines = section.split('\n\n')[0]!.trim().split('\n');
  const [head = [], , ...rows] = lines.map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim())); // prettier-ignore
  return rows.flatMap(([row = '', ...cells]) => cells.map((words, i) => ({ row, column: head[i + 1] as Column, words })));
}

const cases = new Map([...(await folderOfFormats()), ...(await moreFormats())].map((one) => [one.name, one.bytes]));

/** A file that shows what a row is about: one of the folder, by name, or its bytes. */
type Source = string | (() => Uint8Array | Promise<Uint8Array>);

interface Row {
  /** Files to be read, by the kind that they are. */
  readonly read?: Readonly<Partial<Record<Column, readonly Source[]>>>;
  /** What reading says where the cell says "said". */
  readonly says?: readonly Notice['code'][];
  /** What has to be true of each of them, once it is open. */
  readonly reads?: (photo: Photo) => boolean;
  /** A photo to be written. */
  readonly photo?: () => Photo | Promise<Photo>;
  /** Whether the file that was written holds it. */
  readonly held?: (again: Photo, before: Photo, bytes: Uint8Array) => boolean | Promise<boolean>;
  /** What is said beforehand where it does not. */
  readonly loss?: Notice['code'];
  /** One that has no room, where the cell says so. */
  readonly large?: () => Photo;
}

const SIZE = { width: 24, height: 16 };
const plain = (more: Partial<Photo> = {}): Photo => ({ ...makePhoto(SIZE), ...more });
const written = (photo: Photo, format: OutputFormat, recipe?: FileRecipe) => encodePhoto(photo, { format, quality: 95 }, recipe);
const everywhere = (make: (format: OutputFormat) => Source): NonNullable<Row['read']> =>
  Object.fromEntries(Object.entries(COLUMNS).map(([column, format]) => [column, [make(format)]]));
const same = (a: Uint8Array | undefined, b: Uint8Array | undefined) => a !== undefined && b !== undefined && Buffer.from(a).equals(b);
const opened = (name: string) => openPhoto(cases.get(name)!);
const sameProfile = (again: Photo, before: Photo) => same(again.icc, before.icc);

const packet = (words: string) =>
  `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="${words}"/></rdf:RDF></x:xmpmeta>`;
const IPTC = new Uint8Array(Buffer.from('\x1c\x02\x19\0\x05heron', 'latin1'));
const recipe: FileRecipe = { scalebrush: 1, pack: { name: 'sketch', version: '1', sha256: [] }, request: { task: 'edit' }, seed: 1 };
const adobe = exifOfHand({ 0x010f: 'heron', 0x8769: { 0xa001: 65535, 0xa005: { 1: 'R03' } } });
const isAdobe = ({ icc }: Photo) => Buffer.from(icc ?? []).includes(Buffer.from('Adobe RGB', 'utf16le').swap16());

/** EXIF whose maker's note ends in a preview. */
function previewed(): Uint8Array {
  const block = exifOfHand({ 0x010f: 'heron' });
  return Buffer.concat([block, Buffer.from('ffd8ffe00010', 'hex'), Buffer.from('a preview'), Buffer.from('ffd9', 'hex')]);
}

const premultipliedTiff = () =>
  tiffOfHand({
    width: 2,
    height: 1,
    bits: 8,
    samples: 4,
    photometric: 2,
    extras: [1],
    data: Uint8Array.from([100, 50, 25, 128, 200, 100, 50, 255]),
  });

async function animatedPng(): Promise<Uint8Array> {
  return insertChunks(await written(plain(), 'png'), [makeChunk('acTL', Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0))]);
}

/** A profile of gray on colours; the encoder of WebP and AVIF would leave that out: there a profile that fits calls itself one of ink. */
async function misfit(format: OutputFormat): Promise<Uint8Array> {
  const icc = await builtInProfile('p3');
  const other = Buffer.from(icc);
  other.write(format === 'webp' || format === 'avif' ? 'CMYK' : 'GRAY', 16, 'latin1');
  if (format !== 'webp' && format !== 'avif') return written(plain({ icc: other }), format);
  const file = Buffer.from(await written(plain({ icc }), format));
  other.copy(file, file.indexOf(icc));
  return file;
}

const ROWS: Readonly<Record<string, Row>> = {
  '16 bit': { photo: () => makePhoto({ ...SIZE, deep: true }), held: (again, before) => same(new Uint8Array(again.samples.buffer, again.samples.byteOffset, again.samples.byteLength), new Uint8Array(before.samples.buffer)), loss: 'output.depth' }, // prettier-ignore
  'floats, 32-bit, signed': {
    read: { TIFF: ['tiff-float.tif', 'tiff-half.tif', 'tiff-double.tif', 'tiff-u32.tif', 'tiff-i16.tif'] },
    says: ['image.floats'],
    reads: ({ samples }) => samples.BYTES_PER_ELEMENT === 2,
  },
  '10, 12, 14 bit': {
    read: { JPEG: ['jpeg-12.jpg'], TIFF: ['tiff-12.tif'], AVIF: ['avif-deep.avif', 'avif-gray12.avif'] },
    reads: ({ samples }) => samples.BYTES_PER_ELEMENT === 2,
  },
  alpha: { photo: () => makePhoto({ ...SIZE, channels: 4 }), held: (again) => again.channels === 4, loss: 'output.alpha' },
  'colours multiplied by alpha': {
    read: { TIFF: [premultipliedTiff], AVIF: ['avif-premultiplied.avif'] },
    reads: ({ channels, samples }) =>
      channels === 4 && samples[0]! > 40 && samples[3] === 128 && (samples[0] === 199 || Math.abs(samples[0]! - 51) < 5),
  },
  'further channels (saved selections)': {
    photo: () => plain({ extra: { count: 1, samples: new Uint8Array(SIZE.width * SIZE.height).fill(77) } }),
    held: (again) => again.extra?.count === 1 && again.extra.samples.every((value) => value === 77),
    loss: 'output.channels',
  },
  'ICC profile': { photo: async () => plain({ icc: await builtInProfile('p3') }), held: sameProfile },
  'profile that does not fit': {
    read: everywhere((format) => () => misfit(format)),
    says: ['image.profile'],
  },
  'colours named by cICP, nclx': {
    read: { PNG: ['png-cicp-p3.png', 'png-cicp-pq.png'], AVIF: ['avif-p3.avif', 'avif-pq.avif'] },
    reads: ({ icc }) => icc !== undefined,
    photo: () => opened('png-cicp-p3.png'),
    held: (again, before, bytes) => sameProfile(again, before) && Buffer.from(bytes).includes('cICP') === (again.format === 'png'),
  },
  'Adobe RGB named by EXIF alone': {
    read: Object.fromEntries(
      (['PNG', 'JPEG', 'WebP', 'TIFF'] as const).map((column) => [column, [() => written(plain({ exif: adobe }), COLUMNS[column])]]),
    ),
    reads: isAdobe,
    photo: async () => openPhoto(await written(plain({ exif: adobe }), 'tiff')),
    held: (again, before) => isAdobe(again) && sameProfile(again, before),
  },
  'gAMA and cHRM': {
    read: { PNG: ['png-gamma-1.png'] },
    reads: ({ icc }) => icc !== undefined,
    photo: () => opened('png-gamma-1.png'),
    held: sameProfile,
  },
  'CMYK, CIELAB': { read: { JPEG: ['jpeg-ink.jpg'], TIFF: ['tiff-ink.tif', 'tiff-lab.tif'] }, says: ['image.cmyk', 'image.lab'] },
  EXIF: {
    photo: () => plain({ exif: exifOfHand({ 0x010f: 'heron' }) }),
    held: ({ exif }) => Buffer.from(exif ?? []).includes('heron'),
    large: () => plain({ exif: exifOfHand({ 0x010f: 'heron'.repeat(14_000) }) }),
    loss: 'output.metadata',
  },
  XMP: {
    photo: () => plain({ xmp: packet('heron') }),
    held: ({ xmp }) => xmp?.includes('heron') === true,
    large: () => plain({ xmp: packet('heron'.repeat(14_000)) }),
    loss: 'output.metadata',
  },
  IPTC: { photo: () => plain({ iptc: IPTC }), held: ({ iptc }) => same(iptc, IPTC), loss: 'output.metadata' },
  resolution: {
    photo: () => plain({ resolution: { x: 300, y: 240 } }),
    held: ({ resolution }) => Math.round(resolution?.x ?? 0) === 300 && Math.round(resolution?.y ?? 0) === 240,
  },
  'shape of a pixel, without a unit': {
    photo: () => plain({ resolution: { x: 2, y: 1, shapeOnly: true } }),
    held: ({ resolution }) => resolution?.shapeOnly === true && resolution.x === 2 * resolution.y,
  },
  'texts of other programs': {
    photo: async () => openPhoto(insertChunks(await written(plain(), 'png'), [textChunk('Author', 'heron')])),
    held: ({ texts }) => texts?.length === 1,
    loss: 'output.metadata',
  },
  'our recipe': {
    photo: () => plain({ xmp: packet('heron') }),
    held: async (_, before, bytes) => {
      const made = await written(before, (await openPhoto(bytes)).format, recipe);
      return (await readFacts(made)).recipeText === JSON.stringify(recipe) && (await openPhoto(made)).xmp?.includes('heron') === true;
    },
  },
  'thumbnails and previews in EXIF': {
    read: everywhere((format) => () => written(plain({ exif: previewed() }), format)),
    reads: ({ exif }) => Buffer.from(exif ?? []).includes('heron') && !Buffer.from(exif ?? []).includes('a preview'),
  },
  'pages, frames': {
    read: { PNG: [animatedPng], WebP: ['film.webp'], TIFF: ['pages.tif'], AVIF: ['avif-sequence.avif'] },
    says: ['image.animated'],
  },
  'gain map': { read: { JPEG: ['jpeg-gain.jpg'], AVIF: ['avif-gain.avif'] }, says: ['image.gain-map'] },
  'further pictures (depth maps, previews)': { read: { JPEG: ['jpeg-more.jpg'] }, says: ['image.attached'] },
};

/** The first words of a cell that is about what is written, and whether it is held there. */
const HELD = /^(?:kept|text|XMP|profile|read, (?:profile|video levels too, kept))/u;
const LOST = /^(?:said|white below, said)$/u;
/** …and about what is read. */
const READ = /^(?:read|divided|first|converted|overwritten|refused|said)/u;

async function expectRead({ words }: Cell, row: Row, sources: readonly Source[]): Promise<void> {
  for (const source of sources) {
    const bytes = typeof source === 'string' ? cases.get(source) : await source();
    expect(bytes, `a file called ${String(source)}`).toBeDefined();
    if (words === 'refused') {
      await expect(openPhoto(bytes!)).rejects.toMatchObject({ code: 'image.unsupported' });
      continue;
    }
    const photo = await openPhoto(bytes!);
    const said = photo.notices.map(({ code }) => code);
    expect(words.includes('said') ? said.some((code) => row.says?.includes(code)) : said.every((code) => code === 'image.deep' || code === 'image.hdr')).toBe(true); // prettier-ignore
    expect(row.reads?.(photo) ?? true).toBe(true);
  }
}

async function expectWritten({ words, column }: Cell, row: Row): Promise<void> {
  const format = COLUMNS[column];
  const before = await row.photo!();
  const bytes = await written(before, format);
  expect(await row.held!(await openPhoto(bytes), before, bytes)).toBe(HELD.test(words));
  expect(lossesOf(before, format).map(({ code }) => code)).toEqual(LOST.test(words) ? [row.loss] : []);
  if (!words.includes('else said')) return;
  const large = row.large!();
  expect(lossesOf(large, format).map(({ code }) => code)).toEqual([row.loss]);
  expect(await row.held!(await openPhoto(await written(large, format)), large, bytes)).toBe(false);
}

const cells = cellsOf(readFileSync('docs/formats.md', 'utf8'));

describe('the table of formats', () => {
  it('has the rows and columns that are held here, and every cell says something', () => {
    expect([...new Set(cells.map(({ row }) => row))]).toEqual(Object.keys(ROWS));
    expect([...new Set(cells.map(({ column }) => column))]).toEqual(Object.keys(COLUMNS));
    expect(cells).toHaveLength(Object.keys(ROWS).length * Object.keys(COLUMNS).length);
  });

  it.each(cells)('$row, $column: $words', async (cell) => {
    const row = ROWS[cell.row]!;
    const sources = row.read?.[cell.column];
    const isWritten = row.photo !== undefined && cell.words !== '–';
    // A cell without a test is a claim without one.
    expect([cell.words === '–', READ.test(cell.words) && !isWritten]).toEqual([sources === undefined && !isWritten, sources !== undefined && !isWritten]); // prettier-ignore
    if (sources) await expectRead(cell, row, sources);
    if (isWritten) await expectWritten(cell, row);
  });
});
