import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { OutputFormat } from '#contract/request.js';
import { colourSpaceOf, type Planes } from '#engine/image/colour/colour.js';
import { Directories, fieldOf } from '#engine/image/files/directory.js';
import { openPhoto, readFacts } from '#engine/image/files/decode.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { iptcOfResources, resourcesOfIptc } from '#engine/image/files/iptc.js';
import { allLosses, lossesOf } from '#engine/image/files/losses.js';
import { makeChunk, insertChunks, pngChunks, textChunk, textKeyword } from '#engine/image/files/png-chunks.js';
import type { Photo } from '#engine/image/files/photo.js';
import type { FileRecipe } from '#contract/recipe.js';
import { builtInProfile, makeExif, makePhoto } from '../pictures.js';

const FORMATS = ['png', 'jpeg', 'webp', 'tiff', 'avif'] as const;
const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5" exif:GPSLatitude="47,22N"/></rdf:RDF></x:xmpmeta>';
const IPTC = new Uint8Array(Buffer.from('\x1c\x02\x74\0\x0a(c) nobody\x1c\x02\x19\0\x05heron\x1c\x02\x5a\0\x05Uster', 'latin1'));
const recipe: FileRecipe = { scalebrush: 1, pack: { name: 'sketch', version: '1', sha256: [] }, request: { task: 'edit' }, seed: 1 };

function told(): Photo {
  return { ...makePhoto({ width: 24, height: 16 }), xmp: XMP, iptc: IPTC, resolution: { x: 300, y: 240 } };
}

const written = (photo: Photo, format: OutputFormat, more = {}) => encodePhoto(photo, { format, quality: 90, ...more });

async function plainPng(): Promise<Uint8Array> {
  const { samples } = makePhoto({ width: 24, height: 16 });
  return new Uint8Array(
    await sharp(samples, { raw: { width: 24, height: 16, channels: 3 } })
      .png()
      .toBuffer(),
  );
}

/** PNGs of the encoder claim a resolution of their own making. */
async function pngWith(...chunks: Uint8Array[]): Promise<Uint8Array> {
  const png = await plainPng();
  const kept = [...pngChunks(png)].filter(({ type }) => type !== 'pHYs').map(({ whole }) => whole);
  return insertChunks(Buffer.concat([png.subarray(0, 8), ...kept]), chunks);
}

describe('what a file says beside its pixels', () => {
  it.each(FORMATS)('goes on into a %s, the recipe beside it', async (format) => {
    for (const made of [undefined, recipe]) {
      const bytes = await encodePhoto(told(), { format, quality: 90 }, made);
      const photo = await openPhoto(bytes);
      expect(photo.xmp).toContain('xmp:Rating="5"');
      expect(photo.iptc).toEqual(format === 'webp' || format === 'avif' ? undefined : IPTC);
      expect([Math.round(photo.resolution!.x), Math.round(photo.resolution!.y)]).toEqual([300, 240]);
      expect((await readFacts(bytes)).recipeText).toBe(made && JSON.stringify(made));
      // A second time round nothing is lost, and nothing of the recipe is left.
      const again = await openPhoto(await written(photo, format));
      expect(again.xmp).toBe(photo.xmp);
      expect(Buffer.from(await written(photo, format)).includes('scalebrush')).toBe(false);
    }
  });

  it.each(FORMATS)('is not made up for a %s, a resolution least of all', async (format) => {
    const bytes = await written(makePhoto({ width: 24, height: 16 }), format);
    expect(await openPhoto(bytes)).not.toHaveProperty('resolution');
    const { exif, xmp, iptc } = await sharp(bytes).metadata();
    expect([exif, xmp, iptc]).toEqual([undefined, undefined, undefined]);
  });

  it.each(FORMATS)('loses the place in every tongue: %s', async (format) => {
    expect((await readFacts(await written(told(), format))).hasLocation).toBe(true);
    const bytes = await written(told(), format, { keepLocation: false });
    expect((await readFacts(bytes)).hasLocation).toBe(false);
    for (const gone of ['47,22N', 'Uster']) expect(Buffer.from(bytes).includes(gone)).toBe(false);
    expect((await openPhoto(bytes)).xmp).toContain('xmp:Rating="5"');
  });

  it('is said where a format has no place for it', () => {
    const losses = (format: OutputFormat, photo: Photo) => lossesOf(photo, format).map(({ code }) => code);
    for (const format of ['webp', 'avif'] as const) expect(losses(format, told())).toEqual(['output.metadata']);
    for (const format of ['png', 'jpeg', 'tiff'] as const) expect(losses(format, told())).toEqual([]);
    const long = { ...told(), xmp: XMP.replace('"5"', `"${'5'.repeat(70_000)}"`), exif: new Uint8Array(70_000) };
    expect(lossesOf(long, 'jpeg')[0]?.message).toContain('the EXIF and the XMP');
    expect(losses('jpeg', { ...makePhoto({ width: 4, height: 4, channels: 4, deep: true }) })).toEqual(['output.alpha', 'output.depth']);
  });

  it('comes out of the texts of other programs', async () => {
    const hex = (name: string, block: Uint8Array) =>
      makeChunk(
        'zTXt',
        Buffer.concat([
          Buffer.from(`Raw profile type ${name}\0\0`),
          deflateSync(`\n${name}\n${String(block.length).padStart(8)}\n${Buffer.from(block).toString('hex')}\n`),
        ]),
      );
    const photo = await openPhoto(
      await pngWith(textChunk('XML:com.adobe.xmp', XMP), hex('iptc', resourcesOfIptc(IPTC)), textChunk('Author', 'me')),
    );
    expect([photo.xmp, photo.iptc]).toEqual([XMP, IPTC]);
    expect(photo.texts).toHaveLength(1);
    expect(iptcOfResources(Buffer.concat([Buffer.from('Photoshop 3.0\0'), resourcesOfIptc(IPTC)]))).toEqual(IPTC);
    expect(iptcOfResources(Uint8Array.of(1, 2, 3))).toBeUndefined();
  });

  it('loses the place where other programs keep it in texts, one for each', async () => {
    const keys = ['exif:GPSLatitude', 'exif:GPSInfo', 'photoshop:City', 'Iptc4xmpCore:Location', 'State'];
    const texts = keys.map((key) => textChunk(key, '47/1'));
    const photo = await openPhoto(await pngWith(...texts, textChunk('Author', 'me'), textChunk('Statement', 'mine')));
    expect((await readFacts(await written(photo, 'png'))).hasLocation).toBe(true);
    const bytes = await written(photo, 'png', { keepLocation: false });
    expect((await readFacts(bytes)).hasLocation).toBe(false);
    expect((await openPhoto(bytes)).texts?.map(textKeyword)).toEqual(['Author', 'Statement']);
  });

  it('is found behind the pixels of a PNG too, the orientation with it', async () => {
    const png = await plainPng();
    const end = png.length - 12;
    const late = Buffer.concat([png.subarray(0, end), makeChunk('eXIf', makeExif(6)), png.subarray(end)]);
    const photo = await openPhoto(late);
    expect(photo.extent).toEqual({ width: 16, height: 24 });
    expect(photo.exif).toBeDefined();
  });

  it('is left out with a word where it is damaged', async () => {
    const photo = await openPhoto(await pngWith(textChunk('XML:com.adobe.xmp', '<a>')));
    expect(photo.xmp).toBeUndefined();
    expect(photo.notices.map(({ code }) => code)).toEqual(['image.metadata']);
  });
});

describe('the recipe in a PNG', () => {
  const text = JSON.stringify(recipe);
  const key = Buffer.from('Scalebrush recipe\0', 'latin1');
  it.each([
    ['plain Latin-1', makeChunk('tEXt', Buffer.concat([key, Buffer.from(text)]))],
    ['compressed Latin-1', makeChunk('zTXt', Buffer.concat([key, Buffer.alloc(1), deflateSync(text)]))],
    ['plain UTF-8', textChunk('Scalebrush recipe', text)],
    ['compressed UTF-8', makeChunk('iTXt', Buffer.concat([key, Buffer.from([1, 0, 0, 0]), deflateSync(text)]))],
  ])('is found in %s', async (_, chunk) => {
    expect((await readFacts(await pngWith(chunk))).recipeText).toBe(text);
  });

  it('is found in XMP too, and a bomb is left alone', async () => {
    const packet = (await openPhoto(await encodePhoto(told(), { format: 'webp', quality: 90 }, recipe))).xmp;
    expect(packet).not.toContain('recipe');
    const bomb = makeChunk('zTXt', Buffer.concat([key, Buffer.alloc(1), deflateSync(Buffer.alloc(60_000_000))]));
    expect((await readFacts(await pngWith(bomb))).recipeText).toBeUndefined();
  });
});

describe('colours that are named by other means than a profile', () => {
  const chunk = (type: string, ...numbers: number[]) => {
    const data = Buffer.alloc(numbers.length * 4);
    numbers.forEach((value, i) => data.writeUInt32BE(value, i * 4));
    return makeChunk(type, data);
  };
  const cicp = (...points: number[]) => makeChunk('cICP', Uint8Array.from(points));
  const inSrgb = async (photo: Photo, colour: readonly number[]) => {
    const planes = colour.map((value) => Float32Array.of(value)) as unknown as Planes;
    (await colourSpaceOf(photo)).toSrgb(planes);
    return planes.map(([value]) => value!);
  };

  it('cICP of Display P3 means what the profile of Display P3 does, goes on as a profile, and is kept in a PNG', async () => {
    const photo = await openPhoto(await pngWith(cicp(12, 13, 0, 1)));
    const known = { ...photo, icc: await builtInProfile('p3') };
    for (const colour of [
      [0.2, 0.6, 0.4],
      [1, 0.1, 0],
      [0.5, 0.5, 0.5],
    ]) {
      const [ours, theirs] = [await inSrgb(photo, colour), await inSrgb(known, colour)];
      ours.forEach((value, c) => {
        expect(Math.abs(value - theirs[c]!)).toBeLessThan(1e-2);
      });
    }
    for (const format of FORMATS) expect((await openPhoto(await written(photo, format))).icc).toEqual(photo.icc);
    const types = [...pngChunks(await written(photo, 'png'))].map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['iCCP', 'cICP']));
  });

  it('gray keeps its code points with a gray profile', async () => {
    const { samples } = makePhoto({ width: 24, height: 16, channels: 1 });
    const gray = new Uint8Array(
      await sharp(samples, { raw: { width: 24, height: 16, channels: 1 } })
        .toColourspace('b-w')
        .png()
        .toBuffer(),
    );
    const photo = await openPhoto(insertChunks(gray, [cicp(1, 8, 0, 1)]));
    expect(photo.channels).toBe(1);
    expect((await inSrgb(photo, [0.5, 0.5, 0.5]))[0]).toBeCloseTo(0.735, 2);
  });

  it.each([
    ['cICP of sRGB', cicp(1, 13, 0, 1)],
    ['cICP that says nothing', cicp(2, 2, 0, 1)],
    [
      'the gamma and corners of sRGB',
      Buffer.concat([chunk('gAMA', 45455), chunk('cHRM', 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)]),
    ],
    ['an sRGB chunk beside another gamma', Buffer.concat([makeChunk('sRGB', Uint8Array.of(0)), chunk('gAMA', 100000)])],
  ])('%s is plain', async (_, chunks) => {
    expect(await openPhoto(await pngWith(chunks))).not.toHaveProperty('icc');
  });

  it('a gamma of 1 is linear light, and corners are those of the profile that is made', async () => {
    const linear = await openPhoto(await pngWith(chunk('gAMA', 100000)));
    expect((await inSrgb(linear, [0.5, 0.5, 0.5]))[1]).toBeCloseTo(0.735, 2);
    const wide = await openPhoto(await pngWith(chunk('gAMA', 45455), chunk('cHRM', 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)));
    const [red] = await inSrgb(wide, [1, 0, 0]);
    expect(red).toBeGreaterThan(1.05);
  });

  it('cICP wins over a profile, and HDR is said', async () => {
    const photo = await openPhoto(await pngWith(cicp(9, 16, 0, 1)));
    expect(photo.notices.map(({ code }) => code)).toEqual(['image.hdr']);
    // Paper white of PQ, 203 cd/m², is white to the model.
    expect((await inSrgb(photo, [0.5806, 0.5806, 0.5806]))[0]).toBeCloseTo(1, 2);
    expect((await openPhoto(await pngWith(cicp(3, 77, 0, 1)))).notices.map(({ code }) => code)).toEqual(['image.profile']);
  });
});

describe('EXIF', () => {
  /** Turned, 24×16, with a thumbnail that shows what was there before. */
  async function phone(): Promise<Uint8Array> {
    const thumbnail = await sharp(new Uint8Array(48), { raw: { width: 4, height: 4, channels: 3 } })
      .jpeg()
      .toBuffer();
    const exif = Buffer.alloc(8 + 30 + 42 + thumbnail.length);
    exif.write('II*\0\x08', 'latin1');
    const entries = (at: number, fields: readonly (readonly [number, number, number])[], next: number) => {
      exif.writeUInt16LE(fields.length, at);
      fields.forEach(([tag, type, value], i) => {
        exif.writeUInt16LE(tag, at + 2 + i * 12);
        exif.writeUInt16LE(type, at + 4 + i * 12);
        exif.writeUInt32LE(1, at + 6 + i * 12);
        exif.writeUInt32LE(value, at + 10 + i * 12);
      });
      exif.writeUInt32LE(next, at + 2 + fields.length * 12);
    };
    entries(
      8,
      [
        [0x0112, 3, 6],
        [0x0100, 3, 24],
      ],
      38,
    );
    entries(
      38,
      [
        [0x0201, 4, 80],
        [0x0202, 4, thumbnail.length],
        [0x0103, 3, 6],
      ],
      0,
    );
    exif.set(thumbnail, 80);
    const jpeg = Buffer.from(await written(makePhoto({ width: 24, height: 16 }), 'jpeg'));
    const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif]);
    const head = Buffer.from([0xff, 0xe1, 0, 0]);
    head.writeUInt16BE(body.length + 2, 2);
    return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
  }

  it.each(FORMATS)('says the true size in a %s, and its thumbnail is gone', async (format) => {
    const photo = await openPhoto(await phone());
    expect(photo.extent).toEqual({ width: 16, height: 24 });
    const bytes = await written(photo, format);
    expect(Buffer.from(bytes.subarray(3)).includes('ffd8ff', 0, 'hex')).toBe(false);
    const again = await openPhoto(bytes);
    const directories = Directories.of(again.exif)!;
    const first = directories.open(directories.first)!;
    const number = (tag: number) => directories.numbers(fieldOf(first, tag)!)[0];
    expect([number(0x0112), first.next]).toEqual([1, 0]);
    if (format !== 'tiff') expect(number(0x0100)).toBe(16);
  });
});

describe('more than one picture in a file', () => {
  const jpegWith = async (data: Buffer) => {
    const jpeg = Buffer.from(await written(makePhoto({ width: 24, height: 16 }), 'jpeg'));
    const head = Buffer.from([0xff, 0xe2, 0, 0]);
    head.writeUInt16BE(data.length + 2, 2);
    return openPhoto(Buffer.concat([jpeg.subarray(0, 2), head, data, jpeg.subarray(2)]));
  };

  it('is said: gain maps by name', async () => {
    expect((await jpegWith(Buffer.from('urn:iso:std:iso:ts:21496:-1\0\0\0\0\0'))).notices.map(({ code }) => code)).toEqual([
      'image.gain-map',
    ]);
    expect((await jpegWith(Buffer.from('MPF\0II*\0'))).notices.map(({ code }) => code)).toEqual(['image.attached']);
    const hdr = XMP.replace('xmp:Rating', 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" xmp:Rating');
    const photo = await openPhoto(await written({ ...told(), xmp: hdr }, 'jpeg'));
    expect(photo.notices.map(({ code }) => code)).toEqual(['image.gain-map']);
    expect(photo.xmp).not.toContain('hdrgm:Version');
  });

  it('a JPEG of 12 bits is refused as what it is', async () => {
    const jpeg = Buffer.from(await written(makePhoto({ width: 24, height: 16 }), 'jpeg'));
    jpeg[jpeg.indexOf('ffc0', 0, 'hex') + 4] = 12;
    await expect(openPhoto(jpeg)).rejects.toMatchObject({
      code: 'image.unsupported',
      message: expect.stringContaining('12 bits') as string,
    });
  });
});

it('what is lost is known of every kind of file before it is saved, and which cannot hold the picture at all', () => {
  const photo = { ...makePhoto({ width: 16_384, height: 1, channels: 3 }), exif: Buffer.alloc(80), iptc: Buffer.alloc(8) };
  const told = allLosses(photo);
  const parts = (kind: keyof typeof told) => told[kind].notices.flatMap(({ details }) => details?.['lost'] ?? []);
  expect([parts('png'), parts('jpeg'), parts('tiff')]).toEqual([[], [], []]);
  expect([parts('webp'), parts('avif'), parts('layers')]).toEqual([['iptc'], ['iptc'], ['exif', 'iptc']]);
  const tooLong = Object.entries(told).flatMap(([kind, { longestSide }]) => (longestSide === undefined ? [] : [[kind, longestSide]]));
  expect(tooLong).toEqual([['webp', 16_383]]);
});
