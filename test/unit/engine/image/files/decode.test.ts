import { deflateSync } from 'node:zlib';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { PNG } from 'pngjs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { ExpectedError } from '#contract/errors.js';
import { openPhoto, readFacts } from '#engine/image/files/decode.js';
import { sizedExif } from '#engine/image/files/exif.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { makeChunk, insertChunks, profileChunk } from '#engine/image/files/png-chunks.js';
import { differingSamples, makeExif, makePhoto } from '../pictures.js';
import { stopwatch } from '../../../../support/processor-time.js';

const png = { format: 'png', quality: 90 } as const;
const jpeg = { format: 'jpeg', quality: 90 } as const;

async function refusal(bytes: Uint8Array): Promise<{ code: string; message: string }> {
  try {
    await openPhoto(bytes);
  } catch (error) {
    if (error instanceof ExpectedError) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: 'opened', message: '' };
}

const latin = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

function pngHeader(width: number, height: number): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2, 0, 0, 0], 8);
  const body = makeChunk('IDAT', new Uint8Array(deflateSync(new Uint8Array(16))));
  return Buffer.concat([latin('\x89PNG\r\n\x1a\n'), makeChunk('IHDR', header), body, makeChunk('IEND', new Uint8Array(0))]);
}

/** A TIFF directory of tag-value pairs and nothing else. */
function tiffOf(tags: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = Buffer.alloc(10 + tags.length * 12 + 4);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(tags.length, 8);
  tags.forEach(([tag, value], i) => {
    bytes.writeUInt16LE(tag, 10 + i * 12);
    bytes.writeUInt16LE(4, 12 + i * 12);
    bytes.writeUInt32LE(1, 14 + i * 12);
    bytes.writeUInt32LE(value, 18 + i * 12);
  });
  return bytes;
}

describe('what is refused', () => {
  it.each([
    ['no bytes', new Uint8Array(0), 'image.unreadable', 'an empty file'],
    ['HTML named .png', latin('<!DOCTYPE html><html></html>'), 'image.unreadable', 'HTML'],
    ['noise', latin('qwertyuiopasdfghjkl'), 'image.unreadable', 'an unknown kind of file'],
    ['a PNG that ends in its header', pngHeader(8, 8).subarray(0, 20), 'image.unreadable', 'header'],
    ['a PNG that ends before its pixels', pngHeader(8, 8).subarray(0, 33), 'image.unreadable', 'pixels'],
    ['a JPEG that ends in its header', latin('\xff\xd8\xff\xe0\0\x10JF'), 'image.unreadable', 'header'],
    ['PDF', latin('%PDF-1.7\n'), 'image.unsupported', 'PDF'],
    ['PSD', latin('8BPS\0\x01'), 'image.unsupported', 'PSD'],
    ['SVG', latin('<?xml version="1.0"?>\n<svg xmlns="x"/>'), 'image.unsupported', 'SVG'],
    ['HEIC', latin('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), 'image.unsupported', 'HEIC'],
    ['CR3', latin('\0\0\0\x18ftypcrx \0\0\0\0crx isom'), 'image.unsupported', 'RAW'],
    ['CR2', latin('II*\0\x10\0\0\0CR\x02\0'), 'image.unsupported', 'RAW'],
    [
      'DNG',
      tiffOf([
        [254, 1],
        [330, 8],
        [50706, 1],
      ]),
      'image.unsupported',
      'RAW',
    ],
    [
      'NEF',
      tiffOf([
        [254, 1],
        [330, 8],
      ]),
      'image.unsupported',
      'RAW',
    ],
    ['a BMP that ends in its header', latin('BM123456'), 'image.unreadable', 'header'],
    ['XCF', latin('gimp xcf v011'), 'image.unsupported', 'XCF'],
    ['NumPy', latin('\x93NUMPY\x01\0'), 'image.unsupported', '.npy'],
    ['PFM', latin('PF\n2 2\n-1.0\n'), 'image.unsupported', 'PFM'],
    ['PGM', latin('P5\n2 2\n255\n'), 'image.unsupported', 'PGM'],
    ['COCO', latin('{"images": [], "annotations": [{}]}'), 'image.unreadable', 'COCO'],
    ['LabelMe', latin('{"version": "5", "shapes": []}'), 'image.unreadable', 'LabelMe'],
    ['an AVIF sequence', latin('\0\0\0\x18ftypavis\0\0\0\0avismsf1\0\0\0\x08moov'), 'image.unsupported', 'an AVIF sequence'],
  ])('%s', async (_, bytes, code, received) => {
    const refused = await refusal(bytes);
    expect(refused.code).toBe(code);
    expect(refused.message).toContain(received);
    expect(refused.message).not.toContain('\n');
  });

  it('names the formats that would do', async () => {
    expect((await refusal(latin('%PDF-1.7'))).message).toBe('Expected PNG, JPEG, WebP, TIFF or AVIF but received PDF.');
  });

  it('giants, from the header and at once', async () => {
    await readFacts(pngHeader(8, 8)); // the decoder's own start-up is not what is measured
    const spentMs = stopwatch();
    expect((await refusal(pngHeader(65_500, 65_500))).code).toBe('image.too-large');
    expect((await refusal(pngHeader(70_000, 2))).code).toBe('image.too-large');
    expect(spentMs()).toBeLessThan(100);
  });

  it('a PNG whose pixels were altered after it was written', async () => {
    const bytes = Buffer.from(await encodePhoto(makePhoto({ width: 40, height: 30 }), png));
    const at = bytes.indexOf('IDAT') + 20;
    bytes[at] = bytes[at]! ^ 0xff;
    expect(await refusal(bytes)).toMatchObject({ code: 'image.unreadable' });
  });
});

describe('damage that can be lived with', () => {
  it('half a JPEG opens as far as it goes, and says so', async () => {
    const photo = makePhoto({ width: 160, height: 160 });
    const bytes = await encodePhoto(photo, jpeg);
    const opened = await openPhoto(bytes.subarray(0, bytes.length >> 1));
    expect(opened.extent).toEqual(photo.extent);
    expect(opened.notices.map(({ code }) => code)).toContain('image.damaged');
    const whole = await openPhoto(bytes);
    expect(whole.notices).toEqual([]);
    expect(differingSamples(opened.samples.subarray(0, 9000), whole.samples.subarray(0, 9000))).toBe(0);
  });

  it('half a JPEG says so before it is decoded', async () => {
    const bytes = await encodePhoto(makePhoto({ width: 160, height: 160 }), jpeg);
    const codesOf = async (part: Uint8Array) => (await readFacts(part)).notices.map(({ code }) => code);
    expect(await codesOf(bytes)).toEqual([]);
    expect(await codesOf(Buffer.concat([bytes, Buffer.alloc(100)]))).toEqual([]);
    expect(await codesOf(bytes.subarray(0, bytes.length - 200))).toEqual(['image.damaged']);
  });

  it('half a PNG too', async () => {
    const bytes = await encodePhoto(makePhoto({ width: 160, height: 160 }), png);
    const opened = await openPhoto(bytes.subarray(0, bytes.length >> 1));
    expect(opened.notices.map(({ code }) => code)).toContain('image.damaged');
  });

  it('garbage profiles and giant texts are left out', async () => {
    const plain = await encodePhoto(makePhoto({ width: 20, height: 20 }), png);
    const bomb = makeChunk('zTXt', Buffer.concat([latin('Comment\0\0'), deflateSync(Buffer.alloc(60_000_000))]));
    const opened = await openPhoto(insertChunks(plain, [profileChunk(latin('not a profile at all')), bomb]));
    expect(opened.icc).toBeUndefined();
    expect(differingSamples(opened.samples, makePhoto({ width: 20, height: 20 }).samples)).toBe(0);
  });

  it('a profile that inflates beyond a megabyte is left out', async () => {
    const plain = await encodePhoto(makePhoto({ width: 20, height: 20 }), png);
    const opened = await openPhoto(insertChunks(plain, [profileChunk(new Uint8Array(5_000_000))]));
    expect(opened.icc).toBeUndefined();
  });
});

describe('samples', () => {
  it.each([1, 2, 3, 4] as const)('of a picture with %i channels come as they stand in the file, at 8 and 16 bit', async (channels) => {
    for (const deep of [false, true]) {
      const photo = makePhoto({ width: 33, height: 21, channels, deep });
      const opened = await openPhoto(await encodePhoto(photo, png));
      expect(opened.channels).toBe(channels);
      expect(opened.samples.BYTES_PER_ELEMENT).toBe(deep ? 2 : 1);
      expect(differingSamples(opened.samples, photo.samples)).toBe(0);
      expect(opened.notices.some(({ code }) => code === 'image.deep')).toBe(deep);
    }
  });

  it('agree with another decoder, in a wide profile too', async () => {
    const { extent, samples } = makePhoto({ width: 40, height: 30 });
    const bytes = await sharp(samples, { raw: { ...extent, channels: 3 } })
      .withIccProfile('p3')
      .png()
      .toBuffer();
    const opened = await openPhoto(bytes);
    const rgba = PNG.sync.read(bytes).data;
    const rgb = Uint8Array.from({ length: 3600 }, (_, i) => rgba[Math.trunc(i / 3) * 4 + (i % 3)]!);
    expect(differingSamples(opened.samples, rgb)).toBe(0);
    expect(opened.icc).toEqual(new Uint8Array((await sharp(bytes).metadata()).icc!));
  });

  it('of a palette PNG are RGB', async () => {
    const { extent, samples } = makePhoto({ width: 40, height: 30 });
    const bytes = await sharp(samples, { raw: { ...extent, channels: 3 } })
      .png({ palette: true })
      .toBuffer();
    expect((await openPhoto(bytes)).channels).toBe(3);
  });

  it('of a CMYK JPEG are converted, not inverted, and it says so', async () => {
    const samples = new Uint8Array(48 * 48 * 3).fill(230);
    const bytes = await sharp(samples, { raw: { width: 48, height: 48, channels: 3 } })
      .toColourspace('cmyk')
      .withIccProfile('cmyk')
      .jpeg()
      .toBuffer();
    const opened = await openPhoto(bytes);
    expect(opened.channels).toBe(3);
    expect(opened.icc).toBeUndefined();
    for (const value of opened.samples) expect(Math.abs(value - 230)).toBeLessThan(25);
    expect(opened.notices.map(({ code }) => code)).toContain('image.cmyk');
  });

  it('of an animation are those of its first frame', async () => {
    const { extent, samples } = makePhoto({ width: 16, height: 32 });
    const raw = { raw: { ...extent, channels: 3 as const, pageHeight: 16 } };
    for (const bytes of [await sharp(samples, raw).gif().toBuffer(), await sharp(samples, raw).webp().toBuffer()]) {
      const opened = await openPhoto(bytes);
      expect(opened.extent).toEqual({ width: 16, height: 16 });
      expect(opened.notices.map(({ code }) => code)).toContain('image.animated');
    }
  });

  it.each(['webp', 'avif', 'tiff', 'jpeg'] as const)('of a %s open', async (format) => {
    const photo = makePhoto({ width: 64, height: 48 });
    const opened = await openPhoto(await encodePhoto(photo, { format, quality: 95 }));
    expect(opened.format).toBe(format);
    let error = 0;
    opened.samples.forEach((value, i) => (error += Math.abs(value - photo.samples[i]!) / photo.samples.length));
    expect(error).toBeLessThan(format === 'tiff' ? 1e-9 : 12);
  });
});

/** Where the stored pixel of an upright one lies, per EXIF orientation. */
const STORED: Record<number, (x: number, y: number, w: number, h: number) => readonly [number, number]> = {
  1: (x, y) => [x, y],
  2: (x, y, w) => [w - 1 - x, y],
  3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
  4: (x, y, _w, h) => [x, h - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y, _w, h) => [y, h - 1 - x],
  7: (x, y, w, h) => [w - 1 - y, h - 1 - x],
  8: (x, y, w) => [w - 1 - y, x],
};

describe('orientation', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i is baked in, reset, and the rest of EXIF kept', async (orientation) => {
    const stored = makePhoto({ width: 12, height: 7 });
    const little = orientation % 2 === 0;
    const bytes = insertChunks(await encodePhoto(stored, png), [makeChunk('eXIf', makeExif(orientation, little))]);
    const { extent, samples, exif } = await openPhoto(bytes);
    expect(extent).toEqual(orientation >= 5 ? { width: 7, height: 12 } : { width: 12, height: 7 });
    expect((await readFacts(bytes)).size).toEqual(extent);
    for (let y = 0; y < extent.height; y++) {
      for (let x = 0; x < extent.width; x++) {
        const [u, v] = STORED[orientation]!(x, y, 12, 7);
        expect(samples[(y * extent.width + x) * 3]).toBe(stored.samples[(v * 12 + u) * 3]);
      }
    }
    expect(exif).toEqual(makeExif(1, little));
  });
});

const samples = '../shared/samples';
const names = existsSync(samples) ? readdirSync(samples).filter((name) => /\.(jpe?g|png|webp|tiff?|avif)$/u.test(name)) : [];

describe.skipIf(names.length === 0)('the sample pictures (../shared/samples)', () => {
  it.each(names)('%s opens upright and is written back without loss', async (name) => {
    const bytes = readFileSync(`${samples}/${name}`);
    const photo = await openPhoto(bytes);
    const facts = await readFacts(bytes);
    expect(facts).toMatchObject({ size: photo.extent, format: photo.format, hasProfile: photo.icc !== undefined });
    const again = await openPhoto(await encodePhoto(photo, png));
    expect(differingSamples(again.samples, photo.samples)).toBe(0);
    expect(again.icc).toEqual(photo.icc);
    // The files were made smaller and went on saying their old size.
    expect(again.exif).toEqual(photo.exif && sizedExif(photo.exif, photo.extent));
  });
});
