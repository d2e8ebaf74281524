import { describe, expect, it } from 'vitest';
import { NO_FRAMING } from '#contract/framing.js';
import type { OutputFormat } from '#contract/request.js';
import { openPhoto } from '#engine/image/files/decode.js';
import { Directories, fieldOf } from '#engine/image/files/directory.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { exifResolution } from '#engine/image/files/exif.js';
import { makeChunk } from '#engine/image/files/png-chunks.js';
import type { Photo, Resolution } from '#engine/image/files/photo.js';
import { reframed } from '#engine/image/files/reframe.js';
import { exifOfHand, type ExifValue } from '../../../../support/exif.js';
import { makePhoto } from '../pictures.js';

const [X, Y, UNIT, ORIENTATION, EXPOSURE] = [0x011a, 0x011b, 0x0128, 0x0112, 0x8769];
const [PIXEL_X, PIXEL_Y, FOCAL_X, FOCAL_Y] = [0xa002, 0xa003, 0xa20e, 0xa20f];
const FORMATS = ['png', 'jpeg', 'webp', 'tiff', 'avif'] as const;
const SIZE = { width: 24, height: 16 };
const XMP =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" tiff:XResolution="300/1" exif:PixelXDimension="24" exif:PixelYDimension="16"><tiff:YResolution>150/1</tiff:YResolution></rdf:Description></rdf:RDF></x:xmpmeta>';

function exif(orientation: number, unit = 2): Uint8Array {
  const exposure = { [PIXEL_X]: SIZE.width, [PIXEL_Y]: SIZE.height, [FOCAL_X]: [4000, 1], [FOCAL_Y]: [2000, 1] } satisfies Record<
    number,
    ExifValue
  >;
  return exifOfHand({ [ORIENTATION]: orientation, [X]: [300, 1], [Y]: [150, 1], [UNIT]: unit, [EXPOSURE]: exposure });
}

function exposureOf(block: Uint8Array): readonly number[] {
  const directories = Directories.of(block)!;
  const exposure = directories.follow(directories.open(directories.first), EXPOSURE)!;
  return [PIXEL_X, PIXEL_Y, FOCAL_X, FOCAL_Y].map((tag) => directories.numbers(fieldOf(exposure, tag)!)[0]!);
}

const rounded = (resolution: Resolution | undefined) => resolution && [Math.round(resolution.x), Math.round(resolution.y)];

/** A JPEG or TIFF as a scanner that was fed sideways writes it. */
async function sideways(kind: 'jpeg' | 'tiff' | 'png', orientation: number): Promise<Uint8Array> {
  const photo: Photo = { ...makePhoto(SIZE), exif: exif(1), xmp: XMP, resolution: { x: 300, y: 150 } };
  const bytes = Buffer.from(await encodePhoto(photo, { format: kind, quality: 90 }));
  const entry = Buffer.from([0x12, 0x01, 3, 0, 1, 0, 0, 0, 1, 0]);
  // In a TIFF, the block in front is read no more: the directory that counts stands behind the pixels.
  for (let at = bytes.indexOf(entry); at >= 0; at = bytes.indexOf(entry, at + 1)) bytes[at + 8] = orientation;
  return kind === 'png' ? withChecksum(bytes) : bytes;
}

function withChecksum(png: Buffer): Uint8Array {
  const at = png.indexOf('eXIf') - 4;
  const length = png.readUInt32BE(at);
  return Buffer.concat([png.subarray(0, at), makeChunk('eXIf', png.subarray(at + 8, at + 8 + length)), png.subarray(at + 12 + length)]);
}

describe('a picture that is turned upright', () => {
  it.each((['jpeg', 'tiff', 'png'] as const).flatMap((kind) => FORMATS.map((format) => ({ kind, format }))))(
    'says along and across as they are now: $kind to $format',
    async ({ kind, format }) => {
      const photo = await openPhoto(await sideways(kind, 6));
      expect(photo.extent).toEqual({ width: 16, height: 24 });
      expect(rounded(photo.resolution)).toEqual([150, 300]);
      const again = await openPhoto(await encodePhoto(photo, { format, quality: 90 }));
      expect(rounded(again.resolution)).toEqual([150, 300]);
      expect(rounded(exifResolution(again.exif))).toEqual([150, 300]);
      expect(exposureOf(again.exif!)).toEqual([16, 24, 2000, 4000]);
      expect(again.xmp).toMatch(/XResolution="150\/1" exif:PixelXDimension="16" exif:PixelYDimension="24"><tiff:YResolution>300\/1</u);
    },
  );

  it.each([
    [2, false],
    [3, false],
    [4, false],
    [5, true],
    [7, true],
    [8, true],
  ])('changes them round where it lay on its side: orientation %i', async (orientation, turned) => {
    const { resolution } = await openPhoto(await sideways('jpeg', orientation));
    expect(rounded(resolution)).toEqual(turned ? [150, 300] : [300, 150]);
  });

  it('does so where only the file says them, not its EXIF', async () => {
    const jpeg = await encodePhoto({ ...makePhoto(SIZE), resolution: { x: 300, y: 150 } }, { format: 'jpeg', quality: 90 });
    const block = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exifOfHand({ [ORIENTATION]: 6 })]);
    const head = Buffer.from([0xff, 0xe1, 0, block.length + 2]);
    const { resolution } = await openPhoto(Buffer.concat([jpeg.subarray(0, 20), head, block, jpeg.subarray(20)]));
    expect(rounded(resolution)).toEqual([150, 300]);
  });
});

describe('a picture that is turned in the window', () => {
  it.each([0, 1, 2, 3])('by %i quarters', async (turns) => {
    const photo: Photo = { ...makePhoto(SIZE), exif: exif(1), xmp: XMP, resolution: { x: 300, y: 150 } };
    const extent = turns % 2 === 1 ? { width: 16, height: 24 } : SIZE;
    const turned = await reframed(photo, { ...NO_FRAMING, turns, crop: { x: 0, y: 0, ...extent } });
    const again = await openPhoto(await encodePhoto(turned, { format: 'jpeg', quality: 90 }));
    const [x, y, focalX, focalY] = turns % 2 === 1 ? [150, 300, 2000, 4000] : [300, 150, 4000, 2000];
    expect([rounded(again.resolution), rounded(exifResolution(again.exif))]).toEqual([[x, y], [x, y]]); // prettier-ignore
    expect(exposureOf(again.exif!)).toEqual([extent.width, extent.height, focalX, focalY]);
    expect(again.xmp).toContain(`tiff:XResolution="${String(x)}/1"`);
  });
});

describe('the shape of a pixel, said without a unit', () => {
  const shaped: Photo = { ...makePhoto(SIZE), resolution: { x: 2, y: 1, shapeOnly: true } };

  it.each(FORMATS.flatMap((from) => FORMATS.map((to) => [from, to] as const)))(
    'goes on from %s into %s',
    async (from: OutputFormat, to) => {
      const photo = await openPhoto(await encodePhoto(shaped, { format: from, quality: 90 }));
      const { resolution } = await openPhoto(await encodePhoto(photo, { format: to, quality: 90 }));
      expect(resolution).toMatchObject({ shapeOnly: true });
      expect(resolution!.x / resolution!.y).toBe(2);
    },
  );

  it('gives way to a resolution that has one', async () => {
    const photo: Photo = { ...makePhoto(SIZE), exif: exif(1, 1), resolution: { x: 300, y: 240 } };
    expect(rounded((await openPhoto(await encodePhoto(photo, { format: 'jpeg', quality: 90 }))).resolution)).toEqual([300, 240]);
  });

  it.each(['webp', 'avif'] as const)('is not made up where EXIF says nothing of it: %s', async (format) => {
    for (const exif of [exifOfHand({ 0x010f: 'Scalebrush' }), exifOfHand({ [X]: [72, 1], [Y]: [72, 1], [UNIT]: 1 })]) {
      const again = await openPhoto(await encodePhoto({ ...makePhoto(SIZE), exif }, { format, quality: 90 }));
      expect(again.exif).toBeDefined();
      expect(again).not.toHaveProperty('resolution');
    }
  });

  it('says nothing where pixels are square', async () => {
    const photo: Photo = { ...makePhoto(SIZE), exif: exifOfHand({ [X]: [72, 1], [Y]: [72, 1], [UNIT]: 1 }) };
    for (const format of FORMATS)
      expect(await openPhoto(await encodePhoto(photo, { format, quality: 90 }))).not.toHaveProperty('resolution');
  });
});
