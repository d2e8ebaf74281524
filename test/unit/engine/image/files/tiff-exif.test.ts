import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import sharp from 'sharp';
import { openPhoto, readFacts } from '#engine/image/files/decode.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { exifOfTiff } from '#engine/image/files/tiff-exif.js';
import { makeExif, makePhoto, makePlacedExif } from '../pictures.js';

async function tiffWith(exif: Uint8Array): Promise<Uint8Array> {
  return encodePhoto({ ...makePhoto({ width: 40, height: 30 }), exif }, { format: 'tiff', quality: 90 });
}

/** As a camera's library writes it: values and directories beyond the first. */
async function cameraExif(): Promise<Uint8Array> {
  const tags = { IFD0: { Make: 'Ours', Model: 'A model' }, IFD2: { UserComment: 'kept' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '47/1 22/1 1234/100' } }; // prettier-ignore
  const jpeg = await sharp(new Uint8Array(12), { raw: { width: 2, height: 2, channels: 3 } })
    .withExif(tags)
    .jpeg()
    .toBuffer();
  return new Uint8Array((await sharp(jpeg).metadata()).exif!.subarray(6));
}

describe('the EXIF of a TIFF', () => {
  it.each([true, false])('is read and goes on into other formats (little-endian: %s)', async (little) => {
    const opened = await openPhoto(await tiffWith(makeExif(1, little)));
    expect(Buffer.from(opened.exif!).includes('Scalebrush!')).toBe(true);
    const jpeg = await sharp(await encodePhoto(opened, { format: 'jpeg', quality: 90 })).metadata();
    expect([jpeg.orientation, jpeg.exif!.includes('Scalebrush!')]).toEqual([1, true]);
  });

  it('brings the directories behind the first, and the place, which can be left out', async () => {
    const tiff = await tiffWith(await cameraExif());
    expect((await readFacts(tiff)).hasLocation).toBe(true);
    const opened = await openPhoto(tiff);
    for (const kept of ['Ours', 'A model', 'kept']) expect(Buffer.from(opened.exif!).includes(kept)).toBe(true);
    const [kept, stripped] = await Promise.all(
      [true, false].map((keepLocation) => encodePhoto(opened, { format: 'png', quality: 90, keepLocation })),
    );
    expect([(await readFacts(kept!)).hasLocation, (await readFacts(stripped!)).hasLocation]).toEqual([true, false]);
    expect(Buffer.from((await openPhoto(stripped!)).exif!).includes('A model')).toBe(true);
  });

  it('is none where the file says nothing of the photograph', async () => {
    const tiff = await encodePhoto(makePhoto({ width: 8, height: 8 }), { format: 'tiff', quality: 90 });
    expect(exifOfTiff(tiff)).toBeUndefined();
    expect((await openPhoto(tiff)).exif).toBeUndefined();
  });

  it('holds against links that lead in circles or beyond the file', async () => {
    const exif = makePlacedExif();
    // The place's directory is the first one again.
    new DataView(exif.buffer).setUint32(30, 8, true);
    expect(exifOfTiff(exif)!.length).toBeLessThan(400);
    // Two hundred links to a directory of as many values of 60 KB each.
    const many = new Uint8Array(70_000);
    const view = new DataView(many.buffer);
    many.set([0x49, 0x49, 0x2a, 0, 8]);
    for (const [at, tag, type, count, value] of [
      [8, 0x8769, 4, 1, 4000],
      [4000, 0x9286, 7, 60_000, 8000],
    ] as const) {
      // prettier-ignore
      view.setUint16(at, 200, true);
      for (let entry = at + 2; entry < at + 2 + 200 * 12; entry += 12) {
        view.setUint16(entry, tag, true);
        view.setUint16(entry + 2, type, true);
        view.setUint32(entry + 4, count, true);
        view.setUint32(entry + 8, value, true);
      }
    }
    expect(exifOfTiff(many)!.length).toBeLessThan(61_000);
    const whole = await tiffWith(await cameraExif());
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 }),
        fc.nat(whole.length),
        (hits, cut) => {
          const damaged = new Uint8Array(whole);
          for (const [at, value] of hits) damaged[at] = value;
          const found = exifOfTiff(damaged.subarray(0, cut));
          expect(found === undefined || found.length > 8).toBe(true);
        },
      ),
    );
  });
});
