import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openPhoto, readFacts } from '#engine/image/files/decode.js';
import { encodeMask, encodePhoto, encodePng } from '#engine/image/files/encode.js';
import { makeProfile } from '#engine/image/files/make-profile.js';
import { SRGB_PRIMARIES } from '#engine/image/files/code-points.js';
import { openMask } from '#engine/image/working/mask.js';
import { makeChunk, pngChunks, textChunk, textKeyword } from '#engine/image/files/png-chunks.js';
import type { FileRecipe } from '#contract/recipe.js';
import type { Photo } from '#engine/image/files/photo.js';
import { builtInProfile, differingSamples, discMask, makeExif, makePhoto, makePicture, makePlacedExif } from '../pictures.js';

const recipe: FileRecipe = {
  scalebrush: 1,
  pack: { name: 'sketch', version: '1.1', sha256: ['0'.repeat(64)] },
  request: { task: 'edit', instruction: '把车变成红色 🚗 <&"]]>' },
  seed: 7,
  tokens: { pack: 'sketch', schedule: [[1, 1]], tokens: [['0f']] },
};

async function richPhoto(channels: 3 | 4 = 3, deep = false): Promise<Photo> {
  return { ...makePhoto({ width: 61, height: 37, channels, deep }), icc: await builtInProfile('p3'), exif: makeExif(1) };
}

describe('an encoded photo', () => {
  it.each(['png', 'jpeg', 'webp', 'tiff', 'avif'] as const)('has the profile to the byte and unconverted samples: %s', async (format) => {
    const photo = await richPhoto();
    const output = { format, quality: 95 };
    const opened = await openPhoto(await encodePhoto(photo, output));
    expect(opened.icc).toEqual(photo.icc);
    // What the format loses, it loses without a profile as well; a conversion would add to it.
    const { icc: _, ...untagged } = photo;
    const plain = await openPhoto(await encodePhoto(untagged, output));
    expect(plain.icc).toBeUndefined();
    expect(differingSamples(opened.samples, plain.samples)).toBe(0);
    if (format === 'png' || format === 'tiff') expect(differingSamples(opened.samples, photo.samples)).toBe(0);
  });

  it.each(['png', 'jpeg', 'webp', 'tiff', 'avif'] as const)('has its EXIF: %s', async (format) => {
    const bytes = await encodePhoto(await richPhoto(), { format, quality: 90 });
    const opened = await openPhoto(bytes);
    if (format === 'tiff') {
      expect(Buffer.from(bytes).toString('latin1')).toContain('Scalebrush!');
      expect((await sharp(bytes).metadata()).orientation).toBe(1);
    } else {
      expect(Buffer.from(opened.exif!).toString('latin1')).toContain('Scalebrush!');
    }
    expect(opened.extent).toEqual({ width: 61, height: 37 });
  });

  it.each(['png', 'tiff'] as const)('is lossless in every layout: %s', async (format) => {
    for (const deep of [false, true]) {
      for (const channels of [1, 2, 3, 4] as const) {
        const photo = makePhoto({ width: 29, height: 23, channels, deep });
        const opened = await openPhoto(await encodePhoto(photo, { format, quality: 90 }));
        expect([opened.channels, opened.samples.BYTES_PER_ELEMENT]).toEqual([channels, deep ? 2 : 1]);
        expect(differingSamples(opened.samples, photo.samples)).toBe(0);
      }
    }
  });

  it('is lossless as a TIFF of many strips with big-endian EXIF at 16 bit', async () => {
    const photo = { ...makePhoto({ width: 700, height: 500, deep: true }), exif: makeExif(1, false) };
    const opened = await openPhoto(await encodePhoto(photo, { format: 'tiff', quality: 90 }));
    expect(differingSamples(opened.samples, photo.samples)).toBe(0);
  });

  it('is eight bits deep where the format has no more', async () => {
    const photo = await richPhoto(3, true);
    const opened = await openPhoto(await encodePhoto(photo, { format: 'jpeg', quality: 100 }));
    expect(opened.samples.BYTES_PER_ELEMENT).toBe(1);
    let error = 0;
    opened.samples.forEach((value, i) => (error += Math.abs(value - photo.samples[i]! / 257) / opened.samples.length));
    expect(error).toBeLessThan(2);
  });

  it('keeps alpha in WebP and AVIF and shows white behind it in JPEG', async () => {
    const photo = makePhoto({ width: 40, height: 40, channels: 4 });
    for (let i = 3; i < photo.samples.length; i += 4) photo.samples[i] = 0;
    expect((await openPhoto(await encodePhoto(photo, { format: 'webp', quality: 90 }))).channels).toBe(4);
    expect((await openPhoto(await encodePhoto(photo, { format: 'avif', quality: 90 }))).channels).toBe(4);
    const flat = await openPhoto(await encodePhoto(photo, { format: 'jpeg', quality: 90 }));
    expect(flat.samples.every((value) => value > 250)).toBe(true);
  });

  it.each(['png', 'jpeg', 'webp', 'tiff', 'avif'] as const)(
    'carries its recipe in any script, and keeps EXIF and profile beside it: %s',
    async (format) => {
      const photo = await richPhoto();
      const bytes = await encodePhoto(photo, { format, quality: 90 }, recipe);
      expect(JSON.parse((await readFacts(bytes)).recipeText ?? '')).toEqual(recipe);
      const [plain, opened] = [await openPhoto(await encodePhoto(photo, { format, quality: 90 })), await openPhoto(bytes)];
      expect(opened.exif).toEqual(plain.exif);
      expect(opened.icc).toEqual(photo.icc);
      expect(differingSamples(opened.samples, plain.samples)).toBe(0);
      // Opened and written again without one, nothing of it is left.
      const again = await encodePhoto(opened, { format, quality: 90 });
      expect((await readFacts(again)).recipeText).toBeUndefined();
      expect(Buffer.from(again).includes('instruction')).toBe(false);
    },
  );

  it('keeps the wish in a JPEG whose segment has no room for the tokens', async () => {
    const row = Array.from({ length: 4096 }, () => 'ffffffffffffffffffff');
    const large = { ...recipe, tokens: { pack: 'sketch', schedule: [[64, 64] as [number, number]], tokens: [row] } };
    const { recipeText = '' } = await readFacts(
      await encodePhoto(makePhoto({ width: 8, height: 8 }), { format: 'jpeg', quality: 90 }, large),
    );
    const { tokens: _, ...wish } = recipe;
    expect(JSON.parse(recipeText)).toEqual(wish);
  });

  it.each(['webp', 'avif'] as const)('shows the tones of a gray profile in a %s, which holds no gray', async (format) => {
    const icc = makeProfile({ name: 'gray', primaries: SRGB_PRIMARIES, tone: [1] }, 'GRAY');
    for (const channels of [1, 2] as const) {
      const samples = new Uint8Array(16 * 16 * channels).fill(255).map((_, i) => (i % channels === 0 ? 128 : 255));
      const photo = { ...makePhoto({ width: 16, height: 16, channels }), samples, icc };
      const file = await encodePhoto(photo, { format, quality: 100 });
      expect((await openPhoto(file)).icc).toBeDefined();
      // Half of the light is 188 of 255 in sRGB.
      const shown = await sharp(file).removeAlpha().toColourspace('srgb').raw().toBuffer();
      expect(Math.abs(shown[0]! - 188)).toBeLessThanOrEqual(2);
    }
  });

  it('keeps what other programs wrote into a PNG', async () => {
    const png = await encodePhoto(makePhoto({ width: 8, height: 8 }), { format: 'png', quality: 90 });
    const texts = [textChunk('Author', '東京'), makeChunk('tEXt', Buffer.from('Title\0Evening', 'latin1'))];
    const source = Buffer.concat([png.subarray(0, 33), ...texts, png.subarray(33)]);
    const written = await encodePhoto(await openPhoto(source), { format: 'png', quality: 90 }, recipe);
    const kept = [...pngChunks(written)].filter((chunk) => textKeyword(chunk) !== undefined).map(({ whole }) => Buffer.from(whole));
    expect(kept.slice(0, 2)).toEqual(texts.map((text) => Buffer.from(text)));
    expect(kept).toHaveLength(3);
  });

  it.each(['png', 'jpeg', 'webp', 'tiff', 'avif'] as const)('loses the place alone where that is asked for: %s', async (format) => {
    for (const little of [true, false]) {
      const photo = { ...makePhoto({ width: 16, height: 16 }), exif: makePlacedExif(little) };
      const kept = await encodePhoto(photo, { format, quality: 90 });
      expect((await readFacts(kept)).hasLocation).toBe(true);
      expect(Buffer.from(kept).includes('WHERE-IT-WAS')).toBe(true);
      const stripped = await encodePhoto(photo, { format, quality: 90, keepLocation: false });
      expect((await readFacts(stripped)).hasLocation).toBe(false);
      expect(Buffer.from(stripped).includes('WHERE-IT-WAS')).toBe(false);
      expect(Buffer.from(stripped).includes('Scalebrush!')).toBe(true);
    }
  });

  it('loses the place in texts of other programs too', async () => {
    const png = await encodePhoto(makePhoto({ width: 8, height: 8 }), { format: 'png', quality: 90 });
    const texts = [
      textChunk('XML:com.adobe.xmp', '<x exif:GPSLatitude="47"/>'),
      textChunk('Raw profile type exif', '4749'),
      textChunk('Author', 'me'),
    ];
    const photo = await openPhoto(Buffer.concat([png.subarray(0, 33), ...texts, png.subarray(33)]));
    const stripped = await openPhoto(await encodePhoto(photo, { format: 'png', quality: 90, keepLocation: false }));
    expect(stripped.texts?.map(textKeyword)).toEqual(['Author']);
  });
});

it('a preview is a small PNG of the same size', async () => {
  const bytes = await encodePng(makePicture(24, 16, (c, x) => (c + x) / 30));
  expect((await openPhoto(bytes)).extent).toEqual({ width: 24, height: 16 });
});

it('a mask survives being written and read', async () => {
  const mask = discMask({ width: 50, height: 40 }, { x: 20, y: 20, radius: 9 });
  const { mask: read, notices } = await openMask(await encodeMask(mask), mask.extent);
  expect(notices).toEqual([]);
  expect(differingSamples(read.values, mask.values)).toBe(0);
});
