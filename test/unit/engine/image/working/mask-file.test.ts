import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { openMask } from '#engine/image/working/mask.js';
import { paintedValues } from '#engine/image/working/mask-file.js';
import { renderScene } from '../../../../support/pictures.js';
import { discMask, makePhoto } from '../pictures.js';

const extent = { width: 160, height: 120 };
const disc = discMask(extent, { x: 70, y: 60, radius: 18 });
const scene = renderScene(extent.width, extent.height);
const grayScene = makePhoto({ ...extent, channels: 1 }).samples;

type Paint = (painted: number, i: number) => readonly number[];

function photoOf(paint: Paint, { deep = false, mask = disc }: { deep?: boolean; mask?: Mask } = {}): Photo {
  const pixels = [...mask.values].map((value, i) => paint(value, i));
  const channels = pixels[0]!.length as Photo['channels'];
  const samples = deep ? Uint16Array.from(pixels.flat()) : Uint8Array.from(pixels.flat());
  return { extent, channels, samples, format: 'png', notices: [] };
}

/** Reproducible noise of 0 … most. */
const noise = (i: number, most: number) => (Math.imul(i + 1, 0x9e37_79b9) >>> 8) % (most + 1);
const soft = Uint8Array.from(disc.values, (_, i) => {
  const distance = Math.hypot((i % extent.width) - 70, Math.trunc(i / extent.width) - 60);
  return Math.round(255 * Math.min(1, Math.max(0, (40 - distance) / 30)));
});

/** A ramp with the grain of a photograph; a fifth of it is black or white where its contrast is raised. */
const grain = Uint8Array.from(disc.values, (_, i) => 60 + Math.round(((i % extent.width) * 130) / extent.width) + noise(i, 12));

describe('a mask file', () => {
  it.each<[string, Paint, boolean?]>([
    ['white on black', (value) => [value]],
    ['with a black of 2', (value) => [Math.max(2, value)]],
    ['with a black of 30', (value) => [Math.max(30, value)]],
    ['with a noisy black', (value, i) => [value || noise(i, 9)]],
    ['with a noisy black and white', (value, i) => [value ? 255 - noise(i, 12) : noise(i, 5)]],
    ['with a white of 246', (value) => [Math.min(246, value)]],
    ['with the black and white of video', (value) => [value ? 235 : 16]],
    ['with a white of 200', (value) => [Math.min(200, value)]],
    ['with a noisy white around 190', (value, i) => [value ? 182 + noise(i, 16) : noise(i, 5)]],
    ['of 0 and 128', (value) => [value && 128]],
    ['of the noise of compressed dark paint', (value, i) => [value ? 48 + noise(i, 32) : noise(i, 16), 0, noise(i, 9)]],
    ['of 0 and 1', (value) => [value && 1]],
    ['of labels', (value, i) => [value && 1 + (i % 3)]],
    ['of 1 and 2', (value) => [value ? 2 : 1]],
    ['of 0 and 1 in 16 bits', (value) => [value && 1], true],
    ['of 8-bit values in 16 bits', (value) => [value], true],
    ['of 12-bit values in 16 bits', (value, i) => [value ? 4095 - noise(i, 40) : noise(i, 40)], true],
    ['white on black in 16 bits, black of 500', (value) => [value ? 65535 : 500], true],
    ['red on black', (value) => [value, 0, 0]],
    ['dark blue on black', (value) => [0, 0, value && 128]],
    ['green and red on black', (value, i) => (value ? (i % 2 ? [0, 200, 0] : [255, 0, 0]) : [0, 0, 0])],
    ['a black layer on transparency', (value) => [0, 0, 0, value]],
    ['a red layer on transparency', (value) => [200, 10, 10, value]],
    ['paint of two colours on transparency', (value, i) => (value ? (i % 2 ? [0, 0, 255, 255] : [255, 0, 0, 255]) : [0, 0, 0, 0])],
    ['white on black, opaque', (value) => [value, value, value, 255]],
    ['a gray layer with alpha', (value) => [255, value]],
    ['the picture with the part erased', (value, i) => [scene[i * 3]!, scene[i * 3 + 1]!, scene[i * 3 + 2]!, 255 - value]],
    ['the gray picture with the part erased', (value, i) => [grayScene[i]!, 255 - value]],
    ['the picture erased in 16 bits', (value, i) => [...[0, 1, 2].map((c) => scene[i * 3 + c]! * 257), value ? 0 : 65535], true],
  ])('is read as painted: %s', (_, paint, deep = false) => {
    const { values } = paintedValues(photoOf(paint, { deep }));
    expect(Buffer.compare(Buffer.from(values), Buffer.from(disc.values))).toBe(0);
  });

  it.each<[string, Paint, string]>([
    ['labels', (value) => [value && 1], 'mask.labels'],
    ['noise', (value) => [Math.max(2, value)], 'mask.cleaned'],
    ['an erased part', (value, i) => [scene[i * 3]!, scene[i * 3 + 1]!, scene[i * 3 + 2]!, 255 - value], 'mask.erased'],
  ])('says what was guessed of it: %s', (_, paint, code) => {
    expect(paintedValues(photoOf(paint)).notices.map((notice) => notice.code)).toEqual([code]);
  });

  it('keeps every shade of a soft mask, from brushes and of gradients, and says nothing', () => {
    const gradient = Uint8Array.from(disc.values, (_, i) => Math.round(((i % extent.width) * 255) / (extent.width - 1)));
    const faint = soft.map((value) => Math.round(value * 0.6));
    for (const values of [soft, gradient, faint]) {
      expect(paintedValues(photoOf((value) => [value], { mask: { extent, values } }))).toEqual({ values, notices: [] });
      const layer = photoOf((value) => [40, 90, 200, value], { mask: { extent, values } });
      expect(paintedValues(layer)).toEqual({ values, notices: [] });
    }
  });

  it.each<[string, Paint]>([
    ['a photograph', (_, i) => [scene[i * 3]!, scene[i * 3 + 1]!, scene[i * 3 + 2]!]],
    ['a photograph with an opaque alpha', (_, i) => [scene[i * 3]!, scene[i * 3 + 1]!, scene[i * 3 + 2]!, 255]],
    ['a gray photograph', (_, i) => [grayScene[i]!]],
    ['a gray photograph of hard contrast', (_, i) => [Math.min(255, Math.max(0, 128 + 3 * (grain[i]! - 128)))]],
  ])('is refused by name where it is %s', (_, paint) => {
    expect(() => paintedValues(photoOf(paint))).toThrow('Expected a mask, white where to repaint or with that part erased,');
  });

  it.each<[string, Paint]>([
    ['black that is 2 all over', () => [2]],
    ['noise', (_, i) => [noise(i, 6)]],
    ['noise above black', (_, i) => [20 + noise(i, 6)]],
  ])('paints nothing where it is %s', (_, paint) => {
    expect(paintedValues(photoOf(paint)).values.some((value) => value > 0)).toBe(false);
  });

  it.each(['jpeg', 'webp', 'avif'] as const)('compressed as %s gives the painted part and nothing far from it', async (format) => {
    const raw = sharp(disc.values, { raw: { ...extent, channels: 1 } });
    const { mask } = await openMask(new Uint8Array(await raw.toFormat(format, { quality: 40 }).toBuffer()), extent);
    const wrong = mask.values.filter((value, i) => {
      const distance = Math.hypot((i % extent.width) - 70, Math.trunc(i / extent.width) - 60);
      return (distance > 27 && value > 0) || (distance < 10 && value < 225);
    });
    expect(wrong).toHaveLength(0);
  });
});
