import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Photo } from '#engine/image/files/photo.js';
import { filled, maskOf, rectangle, runDetail, type Wish } from './scene.js';

const extent = { width: 320, height: 300 };
const DARK = 70;
const BRIGHT = 170;

type Inside = (x: number, y: number) => boolean;

/** For pictures as large as these are compared element by element in seconds. */
function digestOf(samples: Photo['samples'] | Float32Array): string {
  return createHash('sha256').update(samples).digest('hex');
}

/** Two tones with grain. */
function drawn(isDark: Inside): Photo {
  const samples = new Uint8Array(extent.width * extent.height * 3);
  for (let i = 0; i < samples.length; i++) {
    const [x, y] = [Math.trunc(i / 3) % extent.width, Math.trunc(i / 3 / extent.width)];
    const grain = (Math.imul(Math.trunc(i / 3) ^ (y << 9), 2654435761) >>> 27) - 16;
    samples[i] = (isDark(x, y) ? DARK : BRIGHT) + grain;
  }
  return { extent, channels: 3, samples, format: 'png', notices: [] };
}

/** Share of the hole's pixels that have the other tone. */
async function wrongShare({ isDark, hole }: { isDark: Inside; hole: Inside }): Promise<number> {
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

const square = rectangle({ x: 110, y: 95, width: 100, height: 96 });
const round: Inside = (x, y) => (x - 160) ** 2 + (y - 150) ** 2 < 55 ** 2;
const horizon: Inside = (x, y) => y > 174 + 0.07 * x - 11;
const grid: Inside = (x, y) => (x + 0.08 * y) % 70 < 5 || (y - 0.08 * x + 300) % 62 < 5;
const cases: { name: string; isDark: Inside; hole: Inside }[] = [
  { name: 'a horizon near the edge of the hole', isDark: horizon, hole: square },
  { name: 'a slanting roof', isDark: (x, y) => y > 20 + 0.8 * x, hole: round },
  { name: 'two beams', isDark: (x, y) => (x + 0.1 * y) % 90 < 14, hole: square },
  { name: 'a grid', isDark: grid, hole: square },
];

it.each(cases)('a straight edge goes on through the hole: $name', async (drawing) => {
  expect(await wrongShare(drawing)).toBeLessThan(0.035);
});

describe.each(cases)('with straight edges the same wish gives the same bytes: $name', ({ isDark, hole }) => {
  const photo = drawn(isDark);
  const weight = maskOf(extent, hole);

  const bytes = async (wish: Partial<Wish> = {}) => digestOf(await filled({ photo, weight, ...wish }));

  it('on one, two and four workers', async () => {
    const [one, two, four] = await Promise.all([1, 2, 4].map((workers) => bytes({ workers })));
    expect([two, four]).toEqual([one, one]);
  });

  it('whatever lies in the hole, other edges too', async () => {
    const other = drawn((x, y) => (hole(x, y) ? isDark(y, x) : isDark(x, y)));
    expect(digestOf(other.samples)).not.toBe(digestOf(photo.samples));
    expect(await bytes({ photo: other })).toBe(await bytes());
  });

  it('stopped at any scale or run through', async () => {
    const digests = async (wish: Partial<Wish> = {}) => (await runDetail({ photo, weight, ...wish })).pictures.map(digestOf);
    const through = await digests();
    for (let scale = 1; scale <= through.length; scale++) expect(await digests({ until: scale })).toEqual(through.slice(0, scale));
  });
});

describe('nothing is drawn straight', () => {
  it('where an edge runs into the hole and does not come out', async () => {
    const tower = (x: number, y: number) => y > 200 || (x > 140 && x < 180 && y > 20 && y < 130);
    const isDark: Inside = (x, y) => tower(x, y) && !(y < 130 && y >= 95);
    const share = await wrongShare({ isDark, hole: rectangle({ x: 110, y: 95, width: 100, height: 80 }) });
    expect(share).toBeLessThan(0.3);
  });
});
