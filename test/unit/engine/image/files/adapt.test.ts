import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { adapted } from '#engine/image/files/adapt.js';
import { openPhoto } from '#engine/image/files/decode.js';

/** A patch of one colour, and a step in the middle, in Display P3 where asked. */
async function picture(profile?: 'p3', deep = false) {
  const [width, height] = [120, 80];
  const samples = Uint8Array.from({ length: width * height * 3 }, (_, i) => [200, Math.floor(i / 3) % width < 60 ? 90 : 140, 60][i % 3]!);
  const made = sharp(samples, { raw: { width, height, channels: 3 } });
  const file = made.withExif({ IFD0: { Artist: 'Somebody' } }).toColourspace(deep ? 'rgb16' : 'srgb');
  return openPhoto(await (profile ? file.withIccProfile(profile) : file).png().toBuffer());
}

describe('a photo made ready for where it is seen', () => {
  it('is made smaller, never larger, in its own depth and with what its file held', async () => {
    const photo = await picture(undefined, true);
    const small = await adapted(photo, { longSide: 60 });
    expect(small.extent).toEqual({ width: 60, height: 40 });
    expect(small.samples.BYTES_PER_ELEMENT).toBe(2);
    expect(small.exif).toEqual(photo.exif);
    expect((await adapted(photo, { longSide: 4096 })).samples).toEqual(photo.samples);
  });

  it('is sharpened at its edges, and only there', async () => {
    const photo = await picture();
    const [screen, print] = [await adapted(photo, { sharpen: 'screen' }), await adapted(photo, { sharpen: 'print' })];
    const green = ({ samples }: typeof photo, x: number): number => samples[(40 * 120 + x) * 3 + 1]!;
    expect([green(screen, 20), green(print, 100)]).toEqual([90, 140]);
    expect(green(screen, 60)).toBeGreaterThan(140);
    expect(green(print, 60)).toBeGreaterThan(green(screen, 60));
  });

  it('keeps its colours when their profile is another, and says which it is', async () => {
    const photo = await picture('p3');
    const web = await adapted(photo, { profile: 'srgb' });
    expect(web.icc).toBeDefined();
    expect(web.icc).not.toEqual(photo.icc);
    expect([web.samples.BYTES_PER_ELEMENT, web.exif]).toEqual([1, photo.exif]);
    // The same colour: of less saturated primaries it takes more.
    expect(Math.max(...[0, 1, 2].map((i) => Math.abs(web.samples[i]! - [200, 90, 60][i]!)))).toBeLessThanOrEqual(2);
    expect(photo.samples[0]).toBeLessThan(195);
    const back = await adapted(web, { profile: 'p3' });
    expect(Math.max(...[...photo.samples].map((value, i) => Math.abs(value - back.samples[i]!)))).toBeLessThanOrEqual(1);
  });
});
