import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodePhoto } from '#engine/image/files/encode.js';
import { frameWhole } from '#engine/image/working/frame.js';
import { workingCopy, workingMask } from '#engine/image/working/working-copy.js';
import { builtInProfile, discMask, makePhoto } from '../pictures.js';
import { stopwatch } from '../../../../support/processor-time.js';

const whole = (extent: { width: number; height: number }) => ({ x: 0, y: 0, ...extent });

describe('the working copy', () => {
  it('is the photo itself at its own size', async () => {
    const photo = makePhoto({ width: 30, height: 20 });
    const copy = await workingCopy(photo, whole(photo.extent), photo.extent);
    copy.data.forEach((value, i) => {
      expect(value).toBeCloseTo(photo.samples[(i % 600) * 3 + Math.trunc(i / 600)]! / 255, 5);
    });
  });

  it.each([
    [640, 480, 64, 48],
    [300, 200, 128, 96],
  ])('is close to a resize by another library: %i×%i to %i×%i', async (width, height, w, h) => {
    const photo = makePhoto({ width, height });
    const copy = await workingCopy(photo, whole(photo.extent), { width: w, height: h });
    const other = await sharp(photo.samples, { raw: { width, height, channels: 3 } })
      .resize(w, h, { kernel: 'lanczos3', fit: 'fill' })
      .raw()
      .toBuffer();
    const error = copy.data.reduce((sum, value, i) => sum + Math.abs(value * 255 - other[(i % (w * h)) * 3 + Math.trunc(i / (w * h))]!), 0);
    expect(error / copy.data.length).toBeLessThan(1);
  });

  it('is in place where it grows: a ramp stays the same ramp', async () => {
    const photo = makePhoto({ width: 16, height: 16 });
    photo.samples.forEach((_, i) => {
      photo.samples[i] = (Math.trunc(i / 3) % 16) * 10;
    });
    const { data } = await workingCopy(photo, whole(photo.extent), { width: 32, height: 32 });
    for (let x = 4; x < 28; x++) expect(data[x]! * 255).toBeCloseTo(((x + 0.5) / 2 - 0.5) * 10, 3);
  });

  it('mirrors the photo beyond its border', async () => {
    const photo = makePhoto({ width: 32, height: 16 });
    const copy = await workingCopy(photo, frameWhole(photo.extent, 1), { width: 32, height: 32 });
    for (let x = 0; x < 32; x++) expect(copy.data[7 * 32 + x]).toBeCloseTo(copy.data[8 * 32 + x]!, 4);
    for (let x = 0; x < 32; x++) expect(copy.data[23 * 32 + x]).toBeCloseTo(copy.data[24 * 32 + x]!, 4);
  });

  it('shows gray photos in three equal channels and transparency as middle gray', async () => {
    const photo = makePhoto({ width: 16, height: 16, channels: 2 });
    for (let i = 1; i < photo.samples.length; i += 2) photo.samples[i] = i < 256 ? 0 : 255;
    const { data } = await workingCopy(photo, whole(photo.extent), photo.extent);
    expect(data[0]).toBeCloseTo(0.5, 5);
    expect(data[200]).toBeCloseTo(photo.samples[400]! / 255, 5);
    for (let i = 0; i < 256; i++) expect(data[i + 512]).toBe(data[i]);
  });

  it.each([false, true])('is sRGB, as the colour engine converts it (16 bit: %s)', async (deep) => {
    const photo = makePhoto({ width: 40, height: 30, deep });
    const icc = await builtInProfile('p3');
    const copy = await workingCopy({ ...photo, icc }, whole(photo.extent), photo.extent);
    const eightBit = Uint8Array.from(photo.samples, (value) => Math.round(value / (deep ? 257 : 1)));
    const bytes = await encodePhoto({ ...photo, samples: eightBit, icc }, { format: 'png', quality: 90 });
    const other = await sharp(bytes).toColourspace('srgb').raw().toBuffer();
    for (let i = 0; i < copy.data.length; i++) {
      expect(Math.abs(copy.data[i]! * 255 - other[(i % 1200) * 3 + Math.trunc(i / 1200)]!)).toBeLessThan(deep ? 3.1 : 2);
    }
  });

  it('takes little time for 24 megapixels', async () => {
    const photo = {
      ...makePhoto({ width: 8, height: 8 }),
      extent: { width: 6000, height: 4000 },
      samples: new Uint8Array(72_000_000).fill(77),
    };
    const spentMs = stopwatch();
    const copy = await workingCopy(photo, frameWhole(photo.extent, 1), { width: 128, height: 128 });
    expect(spentMs()).toBeLessThan(3000);
    for (const value of copy.data) expect(value).toBeCloseTo(77 / 255, 4);
  });
});

describe('the working mask', () => {
  const mask = discMask({ width: 100, height: 60 }, { x: 50, y: 30, radius: 20 });
  const painted = mask.values.filter((value) => value > 0).length;

  it.each([
    [25, 15],
    [33, 17],
    [200, 120],
  ])('keeps the painted area at %i×%i', (width, height) => {
    const share = workingMask(mask, whole(mask.extent), { width, height }).data.reduce((sum, value) => sum + value, 0) / (width * height);
    expect(share).toBeCloseTo(painted / 6000, 5);
  });

  it('is 0 beyond the photo', () => {
    const { data } = workingMask(
      { extent: { width: 10, height: 10 }, values: new Uint8Array(100).fill(255) },
      { x: -10, y: 0, width: 20, height: 20 },
      { width: 2, height: 2 },
    );
    expect([...data]).toEqual([0, 1, 0, 0]);
  });
});
