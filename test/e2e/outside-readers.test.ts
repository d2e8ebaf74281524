import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutputFormat } from '#contract/request.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import type { Photo } from '#engine/image/files/photo.js';
import { encodeLayers } from '#engine/image/compositing/layers.js';
import { grayPng } from '../support/fake-engine.js';
import { openTestService } from '../support/service.js';

// What we write, read by programs that share no line with us. docs/formats.md has the same as a table.

const run = promisify(execFile);
const lacks = (program: string) => spawnSync(program, ['--version']).error !== undefined;
const WIDTH = 48;
const HEIGHT = 36;
const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag><rdf:li>heron</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>';
/** A keyword. */
const IPTC = Buffer.from('\x1c\x02\x19\0\x05heron', 'latin1');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-readers-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Smooth ramps; the left half opaque, the right one half transparent where there is alpha. */
function photo(channels: 3 | 4, deep = false): Photo {
  const full = deep ? 65535 : 255;
  const values = Array.from({ length: WIDTH * HEIGHT * channels }, (_, i) => {
    const [x, y, c] = [Math.trunc(i / channels) % WIDTH, Math.trunc(i / channels / WIDTH), i % channels];
    if (c === 3) return x < WIDTH / 2 ? full : Math.round(full / 2);
    return Math.round((full * (x / WIDTH + (y * (c + 1)) / HEIGHT)) / 4);
  });
  const samples = deep ? Uint16Array.from(values) : Uint8Array.from(values);
  const resolution = { x: 300, y: 300 };
  return { extent: { width: WIDTH, height: HEIGHT }, channels, samples, xmp: XMP, iptc: IPTC, resolution, format: 'png', notices: [] };
}

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, bytes);
  return file;
}

async function writtenAs(format: OutputFormat, picture: Photo): Promise<string> {
  const name = `${String(picture.channels)}-${String(picture.samples.BYTES_PER_ELEMENT)}.${format}`;
  return written(name, await encodePhoto(picture, { format, quality: 95 }));
}

/** Samples as ImageMagick reads them. */
async function byMagick(file: string, { channels, samples }: Photo): Promise<ArrayLike<number>> {
  const raw = `${file}.raw`;
  const depth = String(samples.BYTES_PER_ELEMENT * 8);
  await run('convert', [`${file}[0]`, '-depth', depth, '-endian', 'LSB', `${channels === 4 ? 'rgba' : 'rgb'}:${raw}`]);
  const bytes = new Uint8Array(await readFile(raw));
  return samples.BYTES_PER_ELEMENT === 2 ? new Uint16Array(bytes.buffer) : bytes;
}

/** Mean and largest distance. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): { mean: number; most: number } {
  expect(a.length).toBe(b.length);
  let [sum, most] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const off = Math.abs(a[i]! - b[i]!);
    sum += off;
    most = Math.max(most, off);
  }
  return { mean: sum / a.length, most };
}

describe.skipIf(lacks('convert'))('ImageMagick (needs `convert`)', () => {
  it.each<[OutputFormat, 3 | 4, boolean]>([
    ['png', 3, false],
    ['png', 4, false],
    ['png', 3, true],
    ['png', 4, true],
    ['tiff', 3, false],
    ['tiff', 4, false],
    ['tiff', 3, true],
    ['tiff', 4, true],
  ])('reads every sample of our %s of %i channels (16 bit: %s)', async (format, channels, deep) => {
    const picture = photo(channels, deep);
    expect(distance(await byMagick(await writtenAs(format, picture), picture), picture.samples).most).toBe(0);
  });

  it.each<[OutputFormat, number]>([
    ['jpeg', 2],
    ['webp', 2.5],
    ['avif', 2],
  ])('reads our %s within its own loss', async (format, most) => {
    const picture = photo(3);
    expect(distance(await byMagick(await writtenAs(format, picture), picture), picture.samples).mean).toBeLessThan(most);
  });

  it('reads the merged picture of our Photoshop files', async () => {
    const [below, above] = [photo(3), photo(3)];
    above.samples.fill(200, WIDTH * 3 * 4, WIDTH * 3 * 9);
    const layer = async (picture: Photo) => ({
      name: 'a step',
      picture: await encodePhoto(picture, { format: 'png', quality: 90 }),
      left: 0,
      top: 0,
      hidden: false,
    });
    const file = await written('layers.psd', await encodeLayers([await layer(below), await layer(above)]));
    expect(distance(await byMagick(file, above), above.samples).most).toBe(0);
  });
});

describe.skipIf(spawnSync('exiftool', ['-ver']).error !== undefined)('ExifTool (needs `exiftool`)', () => {
  it('reads rating, keywords and resolution of all that has a place for them', async () => {
    const told: Record<string, unknown> = {};
    for (const format of ['png', 'jpeg', 'webp', 'tiff', 'avif'] as const) {
      const file = await writtenAs(format, photo(3));
      const { stdout } = await run('exiftool', ['-j', '-n', '-XMP:Rating', '-XMP:Subject', '-IPTC:Keywords', '-XResolution', '-PixelsPerUnitX', '-ImageWidth', file]); // prettier-ignore
      const [{ SourceFile: _, ...tags }] = JSON.parse(stdout) as [Record<string, unknown>];
      told[format] = tags;
    }
    const all = { ImageWidth: WIDTH, Rating: 5, Subject: 'heron' };
    expect(told).toEqual({
      png: { ...all, Keywords: 'heron', PixelsPerUnitX: 11811 },
      jpeg: { ...all, Keywords: 'heron', XResolution: 300 },
      webp: { ...all, XResolution: 300 },
      tiff: { ...all, Keywords: 'heron', XResolution: 300 },
      avif: { ...all, XResolution: 300 },
    });
  });
});

describe('programs for archives', () => {
  let file: string;
  const picture = Buffer.from(grayPng(20, 30));
  beforeAll(async () => {
    const { service, close } = await openTestService();
    const { id } = await service.pictures.add(picture, 'photo.png');
    const mask = { steps: [], length: 0 };
    const { body } = await service.saveProject({ sheets: [{ picture: id, mask, blank: false }], open: 0, settings: {} });
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    file = await written('project.scalebrush', Buffer.concat(pieces));
    await close();
  });

  const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
    unzip: ['-p', 'FILE', 'pictures/0.png'],
    bsdtar: ['-xOf', 'FILE', 'pictures/0.png'],
    python3: ['-c', 'import sys,zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read("pictures/0.png"))', 'FILE'],
  };
  for (const [program, args] of Object.entries(PROGRAMS)) {
    it.skipIf(lacks(program))(`${program} takes a picture out of our project, byte for byte (needs it)`, async () => {
      const named = args.map((arg) => (arg === 'FILE' ? file : arg));
      const { stdout } = await run(program, named, { encoding: 'buffer' });
      expect(Buffer.compare(stdout, picture)).toBe(0);
    });
  }

  it('a reader that sees the file only as it arrives finds every size in front', async () => {
    const bytes = await readFile(file);
    // Bit 3: sizes behind the entry, which such readers guess from its bytes.
    expect([bytes.readUInt16LE(6) & 8, bytes.readUInt32LE(18) > 0]).toEqual([0, true]);
  });
});
