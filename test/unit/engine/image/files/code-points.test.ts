import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { colourSpaceOf, type Planes } from '#engine/image/colour/colour.js';
import { openPhoto } from '#engine/image/files/decode.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { insertChunks, makeChunk } from '#engine/image/files/png-chunks.js';
import type { Photo } from '#engine/image/files/photo.js';
import { exifOfHand } from '../../../../support/exif.js';
import { makePhoto } from '../pictures.js';

const SIZE = { width: 8, height: 8 };

async function png(samples: Uint8Array | Uint16Array, channels: 1 | 3, cicp: readonly number[]): Promise<Uint8Array> {
  const deep = samples.BYTES_PER_ELEMENT === 2;
  const picture = sharp(samples, { raw: { ...SIZE, channels } });
  const bytes = await picture.toColourspace(channels === 1 ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb').png().toBuffer(); // prettier-ignore
  return insertChunks(new Uint8Array(bytes), [makeChunk('cICP', Uint8Array.from(cicp))]);
}

const filled = (value: number, channels: number) => new Uint8Array(64 * channels).fill(value);

/** What the first pixel looks like, 0 to 1 of sRGB, by the profile that the photo came with. */
async function seen(photo: Photo): Promise<readonly number[]> {
  const { samples, channels } = photo;
  const full = samples.BYTES_PER_ELEMENT === 2 ? 65535 : 255;
  const planes = [0, 1, 2].map((c) => Float32Array.of(samples[channels < 3 ? 0 : c]! / full)) as unknown as Planes;
  (await colourSpaceOf(photo)).toSrgb(planes);
  return planes.map(([value]) => value!);
}

async function expectSeen(photo: Photo, expected: readonly number[], tolerance = 0.004): Promise<void> {
  const found = await seen(photo);
  found.forEach((value, c) => {
    expect(Math.abs(value - expected[c]!)).toBeLessThan(tolerance);
  });
}

const codes = ({ notices }: Photo) => notices.map(({ code }) => code).filter((code) => code !== 'image.deep');

describe('samples of video levels in a PNG', () => {
  it.each([
    [16, 0],
    [235, 1],
    [126, 110 / 219],
    [0, 0],
    [255, 1],
  ])('%i is read as %d of white, as it stands', async (level, expected) => {
    for (const channels of [1, 3] as const) {
      const photo = await openPhoto(await png(filled(level, channels), channels, [1, 13, 0, 0]));
      expect(photo.samples[0]).toBe(level);
      await expectSeen(photo, [expected, expected, expected]);
      expect(codes(photo)).toEqual([]);
    }
  });

  it('of 16 bits are those of 8, a byte higher', async () => {
    const photo = await openPhoto(await png(new Uint16Array(192).fill(235 * 256), 3, [1, 13, 0, 0]));
    await expectSeen(photo, [1, 1, 1]);
    await expectSeen(await openPhoto(await png(new Uint16Array(192).fill(16 * 256), 3, [1, 13, 0, 0])), [0, 0, 0]);
  });

  it('go on as a profile of the same meaning, and by their own naming in a PNG', async () => {
    const photo = await openPhoto(await png(filled(126, 3), 3, [12, 13, 0, 0]));
    for (const format of ['png', 'tiff'] as const) {
      const again = await openPhoto(await encodePhoto(photo, { format, quality: 90 }));
      expect(again.samples).toEqual(photo.samples);
      expect(await seen(again)).toEqual(await seen(photo));
      expect(again.codePoints).toEqual(format === 'png' ? [12, 13, 0, 0] : undefined);
    }
  });

  it('come back from what a model drew within the levels', async () => {
    const space = await colourSpaceOf(await openPhoto(await png(filled(126, 3), 3, [1, 13, 0, 0])));
    for (const value of [0, 0.25, 0.5, 1]) {
      const planes = [0, 1, 2].map(() => Float32Array.of(value)) as unknown as Planes;
      space.fromSrgb(planes);
      // What lies below video's black is black as well.
      if (value > 0) expect(planes[0][0]! * 255).toBeGreaterThan(16);
      expect(planes[0][0]! * 255).toBeLessThan(236);
      space.toSrgb(planes);
      expect(Math.abs(planes[0][0]! - value)).toBeLessThan(0.004);
    }
  });
});

describe('a matrix, which no PNG knows', () => {
  it.each([1, 2, 6, 9])('%i: the naming is left out, and that is said', async (matrix) => {
    const photo = await openPhoto(await png(filled(126, 3), 3, [12, 13, matrix, 1]));
    expect([photo.icc, codes(photo)]).toEqual([undefined, ['image.profile']]);
  });

  it('says nothing of gray', async () => {
    expect(codes(await openPhoto(await png(filled(126, 1), 1, [12, 13, 6, 1])))).toEqual([]);
  });
});

describe('Adobe RGB that only EXIF names', () => {
  const [EXPOSURE, SPACE, INTEROPERABILITY] = [0x8769, 0xa001, 0xa005];
  const named = (space: number, index?: string) => exifOfHand({ 0x010f: 'Scalebrush', [EXPOSURE]: { [SPACE]: space, ...(index !== undefined && { [INTEROPERABILITY]: { 1: index } }) } }); // prettier-ignore
  const green: Photo = { ...makePhoto(SIZE), samples: Uint8Array.from({ length: 192 }, (_, i) => (i % 3 === 1 ? 200 : 60)) };
  const written = (exif: Uint8Array, format: 'jpeg' | 'png' | 'tiff' | 'webp' | 'avif') =>
    encodePhoto({ ...green, exif }, { format, quality: 100 });

  it.each(['jpeg', 'png', 'tiff', 'webp'] as const)('is read as such from %s, and goes on as a profile', async (format) => {
    for (const exif of [named(65535, 'R03'), named(2)]) {
      const photo = await openPhoto(await written(exif, format));
      expect(Buffer.from(photo.icc!).includes(Buffer.from('Adobe RGB', 'utf16le').swap16())).toBe(true);
      // By the matrices of both spaces: what is red 60, green 200, blue 60 in Adobe RGB lies outside sRGB.
      const [red] = await seen(photo);
      expect(red).toBeLessThan(0);
      const again = await openPhoto(await encodePhoto(photo, { format: 'tiff', quality: 100 }));
      expect(again.icc).toEqual(photo.icc);
    }
  });

  it('means what the standard’s own numbers do', async () => {
    const photo = await openPhoto(await written(named(65535, 'R03'), 'tiff'));
    const gray = { ...photo, samples: new Uint8Array(192).fill(128) };
    const linear = (128 / 255) ** (563 / 256);
    const signal = 1.055 * linear ** (1 / 2.4) - 0.055;
    await expectSeen(gray, [signal, signal, signal]);
  });

  it.each<[what: string, exif: Uint8Array]>([
    ['sRGB', named(1, 'R98')],
    ['sRGB beside an index that says otherwise', named(1, 'R03')],
    ['uncalibrated, without an index', named(65535)],
    ['uncalibrated, of the common index', named(65535, 'R98')],
  ])('is not seen in what says %s', async (_, exif) => {
    expect(await openPhoto(await written(exif, 'jpeg'))).not.toHaveProperty('icc');
  });

  it('counts less than what the file itself says', async () => {
    const sRgb = await written(named(65535, 'R03'), 'png');
    const said = insertChunks(sRgb, [makeChunk('sRGB', Uint8Array.of(0))]);
    expect(await openPhoto(said)).not.toHaveProperty('icc');
  });
});
