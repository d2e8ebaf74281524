import { describe, expect, it } from 'vitest';
import type { Photo } from '#engine/image/files/photo.js';
import { filled, maskOf, rectangle } from './scene.js';

const extent = { width: 320, height: 300 };
const DARK = 70;
const BRIGHT = 170;

/** Two tones with grain. */
function drawn(isDark: (x: number, y: number) => boolean): Photo {
  const samples = new Uint8Array(extent.width * extent.height * 3);
  for (let i = 0; i < samples.length; i++) {
    const [x, y] = [Math.trunc(i / 3) % extent.width, Math.trunc(i / 3 / extent.width)];
    const grain = (Math.imul(Math.trunc(i / 3) ^ (y << 9), 2654435761) >>> 27) - 16;
    samples[i] = (isDark(x, y) ? DARK : BRIGHT) + grain;
  }
  return { extent, channels: 3, samples, format: 'png', notices: [] };
}

/** Share of the hole's pixels that have the other tone. */
async function wrongShare(isDark: (x: number, y: number) => boolean, hole: (x: number, y: number) => boolean): Promise<number> {
  const photo = drawn(isDark);
  const samples = await filled({ photo, weight: maskOf(extent, hole) });
  let [wrong, all] = [0, 0];
  for (let i = 0; i < extent.width * extent.height; i++) {
    const [x, y] = [i % extent.width, Math.trunc(i / extent.width)];
    if (!hole(x, y)) continue;
    all++;
    if (samples[i * 3]! < (DARK + BRIGHT) / 2 !== isDark(x, y)) wrong++;
  }
  return wrong / all;
}

describe('a straight edge goes on through the hole', () => {
  const square = rectangle({ x: 110, y: 95, width: 100, height: 96 });
  const round = (x: number, y: number) => (x - 160) ** 2 + (y - 150) ** 2 < 55 ** 2;

  it.each([
    { name: 'a horizon near the edge of the hole', isDark: (x: number, y: number) => y > 174 + 0.07 * x - 11, hole: square },
    { name: 'a slanting roof', isDark: (x: number, y: number) => y > 20 + 0.8 * x, hole: round },
    { name: 'two beams', isDark: (x: number, y: number) => (x + 0.1 * y) % 90 < 14, hole: square },
    { name: 'a grid', isDark: (x: number, y: number) => (x + 0.08 * y) % 70 < 5 || (y - 0.08 * x + 300) % 62 < 5, hole: square },
  ])('$name', async ({ isDark, hole }) => {
    expect(await wrongShare(isDark, hole)).toBeLessThan(0.035);
  });
});

describe('nothing is drawn straight', () => {
  it('where an edge runs into the hole and does not come out', async () => {
    const tower = (x: number, y: number) => y > 200 || (x > 140 && x < 180 && y > 20 && y < 130);
    const share = await wrongShare((x, y) => tower(x, y) && !(y < 130 && y >= 95), rectangle({ x: 110, y: 95, width: 100, height: 80 }));
    expect(share).toBeLessThan(0.3);
  });
});
