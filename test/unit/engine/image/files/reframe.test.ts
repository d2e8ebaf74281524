import { describe, expect, it } from 'vitest';
import { affineOf, levelCrop, NO_FRAMING, turnedExtent, type Framing } from '#contract/framing.js';
import type { Photo } from '#engine/image/files/photo.js';
import { reframed } from '#engine/image/files/reframe.js';

const WIDTH = 7;
const HEIGHT = 5;

/** Every pixel says where it was. */
function numbered(channels: Photo['channels'], deep: boolean): Photo {
  const count = WIDTH * HEIGHT * channels;
  const samples = deep ? Uint16Array.from({ length: count }, (_, i) => 1000 + 7 * i) : Uint8Array.from({ length: count }, (_, i) => i);
  return { extent: { width: WIDTH, height: HEIGHT }, channels, samples, format: 'png', notices: [] };
}

const framings: readonly Framing[] = [false, true].flatMap((mirrored) =>
  [0, 1, 2, 3].map((turns) => ({ ...NO_FRAMING, mirrored, turns, crop: { x: 1, y: 2, width: 3, height: 2 } })),
);
const kinds = ([1, 2, 3, 4] as const).flatMap((channels) => [true, false].map((deep) => ({ channels, deep })));

describe('a picture that is turned, mirrored and cut', () => {
  it.each(framings.flatMap((framing) => kinds.map((kind) => ({ framing, ...kind }))))(
    'has each sample where the map of its framing says: mirrored $framing.mirrored, $framing.turns turns, $channels channels, deep $deep',
    async ({ framing, channels, deep }) => {
      const photo = numbered(channels, deep);
      const { extent, samples, channels: kept } = await reframed(photo, framing);
      expect([extent, kept]).toEqual([{ width: 3, height: 2 }, channels]);
      const [a, b, c, d, e, f] = affineOf(framing, photo.extent);
      let seen = 0;
      for (let y = 0; y < HEIGHT; y++) {
        for (let x = 0; x < WIDTH; x++) {
          const [u, w] = [Math.floor(a * (x + 0.5) + c * (y + 0.5) + e), Math.floor(b * (x + 0.5) + d * (y + 0.5) + f)];
          if (u < 0 || w < 0 || u >= extent.width || w >= extent.height) continue;
          seen++;
          for (let i = 0; i < channels; i++) {
            expect(samples[(w * extent.width + u) * channels + i]).toBe(photo.samples[(y * WIDTH + x) * channels + i]);
          }
        }
      }
      expect(seen).toBe(6);
    },
  );
});

describe('a picture that is straightened', () => {
  /** A dark disc off the middle, on a light ground. */
  const [width, height] = [200, 120];
  const disc = { x: 150, y: 40 };
  const photo: Photo = {
    extent: { width, height },
    channels: 1,
    samples: Uint8Array.from({ length: width * height }, (_, i) =>
      Math.hypot((i % width) + 0.5 - disc.x, Math.floor(i / width) + 0.5 - disc.y) < 8 ? 120 : 220,
    ),
    format: 'png',
    notices: [],
  };

  it.each([-30, -4, 3, 45])('by %d° has its parts where the map says, and its level part is filled', async (straighten) => {
    const framing = { ...NO_FRAMING, straighten };
    const crop = levelCrop(photo.extent, framing);
    const whole = await reframed(photo, framing);
    expect(whole.extent).toEqual(photo.extent);
    let [sum, x, y] = [0, 0, 0];
    const [a, b, c, d, e, f] = affineOf(framing, photo.extent);
    const [u, w] = [a * disc.x + c * disc.y + e, b * disc.x + d * disc.y + f];
    whole.samples.forEach((value, i) => {
      const [px, py] = [(i % width) + 0.5, Math.floor(i / width) + 0.5];
      if (Math.hypot(px - u, py - w) > 14) return;
      [sum, x, y] = [sum + (220 - value), x + (220 - value) * px, y + (220 - value) * py];
    });
    const seen = u > 10 && w > 10 && u < width - 10 && w < height - 10;
    if (seen) expect(Math.hypot(x / sum - u, y / sum - w)).toBeLessThan(1);
    const level = await reframed(photo, { ...framing, crop });
    expect(Math.min(...level.samples)).toBeGreaterThanOrEqual(90);
  });

  it('refuses to keep more than there is', async () => {
    const crop = { x: 0, y: 0, width: 201, height: 10 };
    await expect(reframed(photo, { ...NO_FRAMING, crop })).rejects.toThrow('200 × 120');
    expect(turnedExtent(photo.extent, { turns: 1 })).toEqual({ width: 120, height: 200 });
  });
});
