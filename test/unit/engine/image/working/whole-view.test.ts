import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openAhead, openPhoto } from '#engine/image/files/decode.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { KeptViews, viewWhole } from '#engine/image/working/whole-view.js';
import { workingCopy } from '#engine/image/working/working-copy.js';

const SIZE = { width: 64, height: 64 };

/** A scene of soft colours, 900×600. */
async function scene(format: 'jpeg' | 'webp' | 'png' | 'tiff' | 'avif', turn = 0): Promise<Uint8Array> {
  const [width, height] = [900, 600];
  const samples = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.trunc(i / 3) % width, Math.trunc(i / 3 / width)];
    return 128 + 60 * Math.sin(x / 40 + (i % 3) + turn) + 50 * Math.cos(y / 30);
  });
  const picture = sharp(samples, { raw: { width, height, channels: 3 } }).withMetadata({ orientation: format === 'jpeg' ? 6 : 1 });
  return new Uint8Array(await picture.toFormat(format, { ...(format === 'avif' && { effort: 0 }) }).toBuffer());
}

/** Comparing element by element takes minutes. */
function isSame(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const bytes = (view: ArrayBufferView) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return bytes(a).equals(bytes(b));
}

const levels = (a: Float32Array, b: Float32Array) => a.map((value, i) => 255 * Math.abs(value - b[i]!));

describe('a photo seen whole', () => {
  it.each(['jpeg', 'webp'] as const)('comes from a smaller decode of a %s, upright, and looks as from the whole one', async (format) => {
    const bytes = await scene(format);
    const shrinks: number[] = [];
    const ahead = await openAhead(bytes, ({ width }) => (shrinks.push(width), 4));
    expect(shrinks).toEqual([format === 'jpeg' ? 600 : 900]);
    expect(ahead!.small.extent).toEqual(format === 'jpeg' ? { width: 150, height: 225 } : { width: 225, height: 150 });
    const whole = await openPhoto(bytes);
    expect(isSame((await ahead!.whole()).samples, whole.samples)).toBe(true);
    const view = await viewWhole(bytes, { size: SIZE });
    expect(view.facts.extent).toEqual(whole.extent);
    const plain = await workingCopy(whole, view.frame, SIZE);
    const apart = levels(view.picture.data, plain.data);
    expect(Math.max(...apart)).toBeLessThan(6);
    expect(Math.sqrt(apart.reduce((sum, value) => sum + value ** 2, 0) / apart.length)).toBeLessThan(1);
    expect(isSame((await view.photo()).samples, whole.samples)).toBe(true);
  });

  it.each(['png', 'tiff', 'avif'] as const)('comes from the whole decode of a %s, whose decoder makes no smaller one', async (format) => {
    const bytes = await scene(format);
    expect(await openAhead(bytes, () => 8)).toBeUndefined();
    const view = await viewWhole(bytes, { size: SIZE });
    const whole = await openPhoto(bytes);
    expect(isSame(view.picture.data, (await workingCopy(whole, view.frame, SIZE)).data)).toBe(true);
  });

  it('comes from the whole decode where a smaller one would not do, or could not tell of transparency and damage', async () => {
    const jpeg = await scene('jpeg');
    expect(await openAhead(jpeg, () => 1)).toBeUndefined();
    expect(await openAhead(jpeg.subarray(0, jpeg.length - 400), () => 4)).toBeUndefined();
    const clear = await sharp(await scene('webp'))
      .ensureAlpha(0.5)
      .webp()
      .toBuffer();
    expect(await openAhead(new Uint8Array(clear), () => 4)).toBeUndefined();
  });

  it('is the same whatever was looked at before, and is kept for so many bytes', async () => {
    const [one, two] = [await scene('jpeg'), await scene('jpeg', 2)];
    const kept = new KeptViews(2 * 3 * 64 * 64 * 4);
    const [first, other, padded] = [{ size: SIZE }, { size: { width: 32, height: 48 } }, { size: SIZE, padded: true }];
    const fresh = { first: await viewWhole(one, first), other: await viewWhole(one, other), padded: await viewWhole(one, padded) };
    for (const [bytes, shape, expected] of [
      [two, first, undefined],
      [one, first, fresh.first],
      [one, first, fresh.first],
      [one, other, fresh.other],
      [one, padded, fresh.padded],
      [one, first, fresh.first],
    ] as const) {
      const view = await viewWhole(bytes.slice(), shape, kept);
      expect(kept.count).toBeLessThanOrEqual(2);
      if (!expected) continue;
      expect(isSame(view.picture.data, expected.picture.data)).toBe(true);
      expect([view.facts, view.frame]).toEqual([expected.facts, expected.frame]);
      expect(isSame((await view.photo()).samples, (await openPhoto(one)).samples)).toBe(true);
    }
  });

  it('is not made again while it is kept', async () => {
    const bytes = await scene('png');
    const kept = new KeptViews();
    const first = await viewWhole(bytes, { size: SIZE }, kept);
    expect((await viewWhole(bytes.slice(), { size: SIZE }, kept)).picture).toBe(first.picture);
  });
});

describe('a file as small as can be', () => {
  it('is a smaller one of the same picture: a large JPEG, a PNG', async () => {
    const extent = { width: 2600, height: 2310 };
    const samples = Uint8Array.from({ length: extent.width * extent.height }, (_, i) => 128 + 100 * Math.sin(i / 900) + (i % 7));
    for (const [format, rows] of [
      ['jpeg', extent.height],
      ['png', 200],
    ] as const) {
      const size = { width: extent.width, height: rows };
      const photo = { extent: size, channels: 1 as const, samples: samples.subarray(0, extent.width * rows), format, notices: [] };
      const [plain, small] = [
        await encodePhoto(photo, { format, quality: 90 }),
        await encodePhoto(photo, { format, quality: 90, smallest: true }),
      ];
      expect(small.length).toBeLessThan(plain.length);
      expect(isSame((await openPhoto(small)).samples, (await openPhoto(plain)).samples)).toBe(true);
    }
  });
});
