import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { inflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BatchEntry, BatchReport } from '#contract/batch.js';
import { folderOfFormats, SIZE, type FormatCase } from '../support/folder-of-formats.js';
import { moreFormats } from '../support/folder-of-formats-more.js';
import { maskPng } from '../support/pictures.js';
import { scalebrush } from './support/cli.js';

let root: string;
let cases: readonly FormatCase[];
let entries: ReadonlyMap<string, BatchEntry>;
const at = (...names: string[]) => path.join(root, ...names);
/** What may change: everything else has to be as it was. */
const BOX = { x: 0, y: 0, width: 16, height: 16 };

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-formats-'));
  await mkdir(at('in'));
  cases = [...(await folderOfFormats()), ...(await moreFormats())];
  for (const { name, bytes } of cases) await writeFile(at('in', name), bytes);
  await writeFile(at('mask.png'), await maskPng(SIZE, BOX));
  const wish = ['-i', 'make it warmer', '-m', at('mask.png'), '--blend', '0', '--format', 'png', '--no-recipe'];
  const { stdout } = await scalebrush('batch', at('in'), ...wish, '-o', at('out'), '--json');
  entries = new Map((JSON.parse(stdout) as BatchReport).entries.map((entry) => [path.basename(entry.source), entry]));
}, 300_000);

afterAll(() => rm(root, { recursive: true }));

/** As pngjs reads it, which shares no line with us or our decoder: RGBA, 16 bits as words. */
function read(file: Buffer): PNG & { readonly depth: number } {
  return PNG.sync.read(file, { skipRescale: true });
}

/** As ImageMagick and ExifTool write IPTC into a PNG: hexadecimal digits, deflated. */
function hasKeyword(file: Buffer): boolean {
  const name = 'Raw profile type iptc\0\0';
  const at = file.indexOf(name, 0, 'latin1');
  return at >= 0 && inflateSync(file.subarray(at + name.length)).includes(Buffer.from('heron').toString('hex'));
}

/** The worst difference beside the mask from what the picture was made of. */
function worstOutside({ rgba, tolerance = 0 }: FormatCase, png: PNG & { readonly depth: number }): number {
  const deep = png.depth === 16;
  const samples: ArrayLike<number> = png.data;
  let worst = 0;
  for (let i = 0; i < SIZE.width * SIZE.height; i++) {
    const [x, y] = [i % SIZE.width, Math.trunc(i / SIZE.width)];
    if (x < BOX.width && y < BOX.height) continue;
    const expected = rgba(x, y);
    for (let c = 0; c < 4; c++) worst = Math.max(worst, Math.abs(samples[i * 4 + c]! / (deep ? 65535 : 255) - expected[c]!));
  }
  return Math.max(0, worst - tolerance);
}

test('a folder with a file for every cell of the table', () => {
  expect(cases.length).toBeGreaterThanOrEqual(60);
  expect(entries.size).toBe(cases.length);
  const told = cases.map(({ name, refused }) => {
    const entry = entries.get(name);
    const codes = entry?.notices?.map(({ code }) => code).filter((code) => code !== 'image.deep' && code !== 'image.gray') ?? [];
    return [name, refused ? entry?.error?.code : codes] as const;
  });
  expect(told).toEqual(cases.map(({ name, notices = [], refused }) => [name, refused ?? notices]));
});

test('samples beside the mask, size, depth, profile and metadata are as another decoder finds them', async () => {
  const found: unknown[] = [];
  const expected: unknown[] = [];
  for (const one of cases.filter(({ refused }) => !refused)) {
    const file = await readFile(at('out', path.basename(entries.get(one.name)!.output)));
    const png = read(file);
    const has = (text: string) => file.includes(Buffer.from(text, 'latin1'));
    found.push([
      one.name,
      png.width,
      png.height,
      png.depth,
      worstOutside(one, png) < 1e-9,
      has('iCCP'),
      has('heron'),
      has('pHYs'),
      hasKeyword(file),
    ]);
    const { depth = 8, profile = false, xmp = false, dpi = false, iptc = false } = one;
    expected.push([one.name, SIZE.width, SIZE.height, depth, true, profile, xmp, dpi, iptc]);
  }
  expect(found).toEqual(expected);
});
