import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodePhoto, encodeMask } from '#engine/image/files/encode.js';
import { dilate, feather, invert, maskBounds, openMask, outside, resizeMask } from '#engine/image/working/mask.js';
import { differingSamples, discMask, makePhoto } from '../pictures.js';
import { stopwatch } from '../../../../support/processor-time.js';

const extent = { width: 90, height: 70 };
const disc = discMask(extent, { x: 40, y: 30, radius: 12 });

/** The distance to the nearest painted pixel, by looking at all of them. */
function distances({ values }: { values: Uint8Array }): Float64Array {
  const painted = [...values.keys()].filter((i) => values[i]! > 0);
  return Float64Array.from(values, (_, i) =>
    Math.min(
      ...painted.map((p) =>
        Math.hypot((p % extent.width) - (i % extent.width), Math.trunc(p / extent.width) - Math.trunc(i / extent.width)),
      ),
    ),
  );
}

describe('grown masks', () => {
  it('reach every pixel within the radius and none beyond', () => {
    const grown = dilate(disc, 6.5);
    distances(disc).forEach((distance, i) => {
      expect(grown.values[i]! > 0).toBe(distance <= 6.5);
    });
  });

  it('have a soft edge: 255 inside, falling, exactly 0 beyond it', () => {
    const soft = feather(disc, [{ bounds: maskBounds(disc)!, softEdgePx: 8 }]);
    const rings = new Map<number, number>();
    distances(disc).forEach((distance, i) => {
      if (distance === 0) expect(soft.values[i]).toBe(255);
      if (distance > 8) expect(soft.values[i]).toBe(0);
      if (distance > 0 && distance <= 8) expect(soft.values[i]).toBeGreaterThan(0);
      if (Number.isInteger(distance)) rings.set(distance, soft.values[i]!);
    });
    for (let distance = 1; distance <= 8; distance++) expect(rings.get(distance)!).toBeLessThan(rings.get(distance - 1)!);
  });

  it('can lie beside a rectangle, and begin softly there', () => {
    const rect = { x: 20, y: 0, width: 50, height: 40 };
    const inRect = (i: number) => i % 90 >= 20 && i % 90 < 70 && i < 40 * 90;
    const [hard, soft] = [outside(rect, extent), outside(rect, extent, 6)];
    expect(hard.values.every((value, i) => value === (inRect(i) ? 0 : 255))).toBe(true);
    expect(soft.values.every((value, i) => (inRect(i) ? value === 0 : value > 0))).toBe(true);
    expect([...soft.values.subarray(69, 78)]).toEqual([...soft.values.subarray(69, 78)].sort((a, b) => a - b));
    expect([soft.values[70]! < 60, soft.values[76]]).toEqual([true, 255]);
    // Beyond a corner by distance, as everywhere.
    expect(soft.values[44 * 90 + 74]).toBeGreaterThan(soft.values[44 * 90 + 30]!);
  });

  it('are given back as they are for a radius of 0', () => {
    expect(feather(disc, [{ bounds: maskBounds(disc)!, softEdgePx: 0 }])).toEqual(disc);
  });

  it('have the soft edge of each part by itself', () => {
    const wide = { width: 200, height: 70 };
    const [left, right] = [discMask(wide, { x: 30, y: 30, radius: 9 }), discMask(wide, { x: 160, y: 40, radius: 5 })];
    right.values.forEach((value, i) => (right.values[i] = value && 90));
    const both = { extent: wide, values: left.values.map((value, i) => Math.max(value, right.values[i]!)) };
    const parts = [
      { bounds: maskBounds(left)!, softEdgePx: 3 },
      { bounds: maskBounds(right)!, softEdgePx: 11 },
    ];
    const alone = [feather(left, parts.slice(0, 1)), feather(right, parts.slice(1))] as const;
    expect(feather(both, parts).values).toEqual(alone[0].values.map((value, i) => Math.max(value, alone[1].values[i]!)));
  });

  it('take little time for 24 megapixels', () => {
    const large = discMask({ width: 6000, height: 4000 }, { x: 3000, y: 2000, radius: 1500 });
    const spentMs = stopwatch();
    feather(large, [{ bounds: maskBounds(large)!, softEdgePx: 40 }]);
    expect(spentMs()).toBeLessThan(4000);
  });
});

describe('simple questions', () => {
  it('bounds', () => {
    expect(maskBounds(disc)).toEqual({ x: 28, y: 18, width: 25, height: 25 });
    expect(maskBounds({ extent, values: new Uint8Array(6300) })).toBeNull();
  });

  it('invert twice is the same', () => {
    expect(invert(invert(disc))).toEqual(disc);
  });

  it('resizing keeps the painted share', () => {
    const small = resizeMask(disc, { width: 45, height: 35 });
    const share = (values: Uint8Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(share(small.values)).toBeCloseTo(share(disc.values), 0);
  });
});

describe('opening a mask', () => {
  it('resizes one of the same shape, with notice', async () => {
    const { mask, notices } = await openMask(await encodeMask(disc), { width: 180, height: 140 });
    expect(mask.extent).toEqual({ width: 180, height: 140 });
    expect(notices.map(({ code }) => code)).toEqual(['mask.resized']);
  });

  it.each(['png', 'jpeg'] as const)('says of half a %s, or of one with further pages, that not all of it is used', async (format) => {
    const file = await sharp(await encodeMask(disc)).resize(360, 280).toFormat(format, format === 'png' ? { compressionLevel: 0 } : { quality: 100 }).toBuffer(); // prettier-ignore
    const { notices } = await openMask(file.subarray(0, file.length * 0.8), { width: 360, height: 280 });
    expect(notices.map(({ code }) => code)).toContain('mask.incomplete');
    const pages = await sharp([await encodeMask(disc), await encodeMask(invert(disc))], { join: { animated: true } }).webp({ lossless: true }).toBuffer(); // prettier-ignore
    expect((await openMask(pages, extent)).notices.map(({ code }) => code)).toEqual(['mask.incomplete']);
  });

  it('refuses one of another shape', async () => {
    await expect(openMask(await encodeMask(disc), { width: 70, height: 90 })).rejects.toMatchObject({ code: 'mask.size' });
  });

  it('refuses an empty one', async () => {
    await expect(openMask(await encodeMask({ extent, values: new Uint8Array(6300) }), extent)).rejects.toMatchObject({
      code: 'mask.empty',
    });
  });

  it.each([0, 130, 255])('reads a layer of one colour (%i) by its alpha', async (colour) => {
    const photo = makePhoto({ ...extent, channels: 4 });
    for (let i = 0; i < disc.values.length; i++) photo.samples.set([colour, colour, colour, disc.values[i]!], i * 4);
    const { mask } = await openMask(await encodePhoto(photo, { format: 'png', quality: 90 }), extent);
    expect(differingSamples(mask.values, disc.values)).toBe(0);
  });

  it('reads white on black, opaque', async () => {
    const photo = makePhoto({ ...extent, channels: 4 });
    for (let i = 0; i < disc.values.length; i++) photo.samples.set([disc.values[i]!, disc.values[i]!, disc.values[i]!, 255], i * 4);
    const { mask } = await openMask(await encodePhoto(photo, { format: 'png', quality: 90 }), extent);
    expect(differingSamples(mask.values, disc.values)).toBe(0);
  });
});
