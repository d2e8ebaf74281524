import { describe, expect, it } from 'vitest';
import { CancelledError } from '#contract/errors.js';
import type { Extent } from '#base/geometry.js';
import { DetailWorkers } from '#engine/detail/workers.js';
import type { Photo } from '#engine/image/files/photo.js';
import { noisy } from '../image/noise.js';
import { filled, maskOf, rectangle, runDetail, texturedPhoto } from './scene.js';

const extent = { width: 190, height: 170 };
const hole = rectangle({ x: 70, y: 60, width: 50, height: 44 });
const weight = maskOf(extent, hole);
const photo = texturedPhoto(extent);

function withSamples(from: Photo, change: (value: number, i: number) => number): Photo {
  return { ...from, samples: from.samples.map(change) };
}

function pixelsIn(samples: Photo['samples'], inside: (x: number, y: number) => boolean, channels = 3): number[] {
  return [...samples].filter((_, i) => {
    const pixel = Math.trunc(i / channels);
    return inside(pixel % extent.width, Math.trunc(pixel / extent.width));
  });
}

describe('the same wish gives the same bytes', () => {
  it('on one, two and four workers', async () => {
    const [one, two, four] = await Promise.all([1, 2, 4].map((workers) => filled({ photo, weight, workers })));
    expect(two).toEqual(one);
    expect(four).toEqual(one);
  });

  it('by workers that filled other holes before, smaller and larger ones, and one that was given up', async () => {
    const workers = new DetailWorkers(2);
    const small = maskOf(extent, rectangle({ x: 20, y: 20, width: 9, height: 9 }));
    const large = maskOf(extent, rectangle({ x: 30, y: 20, width: 120, height: 110 }));
    try {
      await filled({ photo, weight: small, workers });
      const alone = await filled({ photo, weight });
      expect(await filled({ photo, weight, workers })).toEqual(alone);
      await expect(runDetail({ photo, weight: large, workers }, { aborted: true, reason: undefined })).rejects.toBeInstanceOf(
        CancelledError,
      );
      expect(await filled({ photo, weight, workers })).toEqual(alone);
    } finally {
      await workers.close();
    }
  });

  it('whatever lies in the hole', async () => {
    const other = withSamples(photo, (value, i) => {
      const pixel = Math.trunc(i / 3);
      return hole(pixel % extent.width, Math.trunc(pixel / extent.width)) ? (value * 31 + 77) % 256 : value;
    });
    expect(await filled({ photo: other, weight })).toEqual(await filled({ photo, weight }));
  });

  it('and another seed gives others', async () => {
    expect(await filled({ photo, weight, seeds: [8] })).not.toEqual(await filled({ photo, weight }));
  });

  it('where only the seed of the last scale is another one, coarser scales are as before', async () => {
    const before = await runDetail({ photo, weight });
    const after = await runDetail({ photo, weight, seeds: [7, 7, 9] });
    expect(after.scales).toHaveLength(3);
    expect(after.pictures.slice(0, 2)).toEqual(before.pictures.slice(0, 2));
    expect(after.pictures[2]).not.toEqual(before.pictures[2]);
  });
});

describe('what was not asked for stays', () => {
  it.each([
    { name: 'eight bits', channels: 3, deep: false },
    { name: 'sixteen bits', channels: 3, deep: true },
    { name: 'gray', channels: 1, deep: false },
    { name: 'sixteen-bit gray with alpha', channels: 2, deep: true },
    { name: 'alpha', channels: 4, deep: false },
  ] as const)('in $name', async ({ channels, deep }) => {
    const source = texturedPhoto(extent, { channels, deep });
    const result = await filled({ photo: source, weight });
    expect(pixelsIn(result, (x, y) => !hole(x, y), channels)).toEqual(pixelsIn(source.samples, (x, y) => !hole(x, y), channels));
    if (channels % 2 === 0)
      expect(result.filter((_, i) => i % channels === channels - 1)).toEqual(
        source.samples.filter((_, i) => i % channels === channels - 1),
      );
    // Everything was copied: nowhere is the model's white.
    const colours = pixelsIn(result, hole, channels).filter((_, i) => channels % 2 === 1 || i % channels !== channels - 1);
    expect(Math.max(...colours)).toBeLessThan(deep ? 65000 : 254);
  });

  it('sixteen bits are copied as sixteen', async () => {
    const result = await filled({ photo: texturedPhoto(extent, { deep: true }), weight });
    const fine = pixelsIn(result, hole).filter((value) => value % 257 !== 0).length;
    expect(fine / pixelsIn(result, hole).length).toBeGreaterThan(0.9);
  });
});

it('writes a texture that is as strong as the photograph’s', async () => {
  const result = await filled({ photo, weight });
  const strength = (samples: Photo['samples']) => {
    let total = 0;
    for (let y = 64; y < 100; y++)
      for (let x = 74; x < 116; x++) total += Math.abs(samples[(y * extent.width + x) * 3]! - samples[(y * extent.width + x + 1) * 3]!);
    return total;
  };
  expect(strength(result) / strength(photo.samples)).toBeGreaterThan(0.6);
  expect(strength(result) / strength(photo.samples)).toBeLessThan(1.3);
});

describe('sources', () => {
  const red = withSamples(photo, (value, i) => (Math.trunc(i / 3) % extent.width > 128 && i % 3 === 0 ? 250 : value));

  it('that are forbidden are never copied', async () => {
    const allowed = maskOf(extent, (x) => x <= 128);
    const result = await filled({ photo: red, weight, allowed });
    expect(Math.max(...pixelsIn(result, hole).filter((_, i) => i % 3 === 0))).toBeLessThan(220);
  });

  it('may be told alone', async () => {
    const allowed = maskOf(extent, (x) => x > 128);
    const result = await filled({ photo: red, weight, allowed });
    const inner = rectangle({ x: 84, y: 74, width: 20, height: 16 });
    expect(Math.min(...pixelsIn(result, inner).filter((_, i) => i % 3 === 0))).toBeGreaterThan(150);
  });

  it('are said to be missing where there are none', async () => {
    expect((await runDetail({ photo, weight, allowed: maskOf(extent, () => false) })).detail).toBeUndefined();
    expect((await runDetail({ photo, weight: maskOf(extent, () => true) })).detail).toBeUndefined();
  });
});

describe('a guide', () => {
  it('leads to what it shows', async () => {
    const halves = withSamples(photo, (value, i) => Math.min(255, value + (Math.trunc(i / 3) % extent.width < 95 ? 0 : 110)));
    const inner = rectangle({ x: 85, y: 74, width: 20, height: 16 });
    const means = await Promise.all(
      [0.3, 0.75].map(async (light) => {
        const picture = { dtype: 'float32' as const, dims: [1, 3, 32, 32], data: new Float32Array(3 * 32 * 32).fill(light) };
        const guide = { picture, frame: { x: 45, y: 35, width: 100, height: 100 }, resolves: 2, lead: 3 };
        const values = pixelsIn(await filled({ photo: halves, weight, guide }), inner);
        return values.reduce((sum, value) => sum + value, 0) / values.length;
      }),
    );
    expect(means[1]! - means[0]!).toBeGreaterThan(40);
  });

  it('holds off what is foreign to it, where it is asked to, though it would join well', async () => {
    const halves = withSamples(photo, (value, i) => Math.min(255, value + (Math.trunc(i / 3) % extent.width < 95 ? 0 : 110)));
    const picture = { dtype: 'float32' as const, dims: [1, 3, 32, 32], data: new Float32Array(3 * 32 * 32).fill(0.3) };
    const frame = { x: 45, y: 35, width: 100, height: 100 };
    const [led, held] = await Promise.all(
      [false, true].map(async (holdsOff) => {
        const values = pixelsIn(await filled({ photo: halves, weight, guide: { picture, frame, resolves: 2, lead: 0.1, holdsOff } }), hole);
        return values.filter((value) => value > 160).length / values.length;
      }),
    );
    expect(led).toBeGreaterThan(0.1);
    expect(held!).toBeLessThan(led! / 2);
  });

  it.each([
    { name: 'a colour that the photograph has is written with its pixels', light: 0.4, keeps: false },
    { name: 'a colour without its like there keeps the model’s own', light: 0.95, keeps: true },
  ])('of what an instruction asked for: $name', async ({ light, keeps }) => {
    const picture = { dtype: 'float32' as const, dims: [1, 3, 32, 32], data: new Float32Array(3 * 32 * 32).fill(light) };
    const guide = { picture, frame: { x: 45, y: 35, width: 100, height: 100 }, resolves: 2, lead: 1 };
    const result = await filled({ photo, weight, guide, keepsUnlike: true });
    const white = pixelsIn(result, hole).filter((value) => value >= 254).length / pixelsIn(result, hole).length;
    expect(white > 0.9).toBe(keeps);
    expect(white < 0.1).toBe(!keeps);
  });
});

it('keeps heights where it is asked to: what lies above is continued above, what lies below below', async () => {
  // Grain of one colour above, of another below, and none near the border: both fit everywhere.
  const isAbove = (y: number) => y < extent.height / 2;
  const shades = withSamples(photo, (_, i) => {
    const [x, y] = [Math.trunc(i / 3) % extent.width, Math.trunc(i / 3 / extent.width)];
    return 120 + (x < 110 && i % 3 === (isAbove(y) ? 0 : 2) ? 255 * noisy(i, 0.05) : 0);
  });
  const border = maskOf(extent, (x) => x >= 125);
  const shares = async (keepsHeight: boolean) => {
    const allowed = maskOf(extent, (x) => x < 100);
    const samples = await filled({ photo: shades, weight: border, window: { x: 0, y: 0, ...extent }, allowed, keepsHeight });
    const grain = (c: number, inside: (y: number) => boolean) => {
      const values = pixelsIn(samples, (x, y) => x >= 145 && inside(y)).filter((_, i) => i % 3 === c);
      return values.reduce((sum, value) => sum + Math.abs(value - 120), 0);
    };
    const [right, wrong] = [grain(0, isAbove) + grain(2, (y) => !isAbove(y)), grain(2, isAbove) + grain(0, (y) => !isAbove(y))];
    return wrong / (right + wrong);
  };
  expect(await shares(false)).toBeGreaterThan(0.3);
  expect(await shares(true)).toBeLessThan(0.1);
});

describe('a stop', () => {
  it('shows the scale enlarged, with all of the hole filled', async () => {
    const { detail, scales } = await runDetail({ photo, weight, until: 1 });
    expect(scales.map(({ scale, of, size }) => [scale, of, size])).toEqual([[1, 3, { width: 38, height: 36 }]]);
    expect(detail).toMatchObject({ scale: 1, of: 3, cutShort: false });
    const result = await filled({ photo, weight, until: 1 });
    expect(Math.max(...pixelsIn(result, hole))).toBeLessThan(254);
  });

  it('for lack of memory leaves out the finest scale and says so', async () => {
    const { detail } = await runDetail({ photo, weight, limitBytes: 1.6e6 });
    expect(detail?.cutShort).toBe(true);
    expect(detail!.scale).toBeLessThan(detail!.of);
  });

  it('by the user ends it', async () => {
    const signal = { aborted: false, reason: undefined };
    const run = runDetail({ photo, weight }, signal);
    signal.aborted = true;
    await expect(run).rejects.toBeInstanceOf(CancelledError);
  });
});

describe('any shape of hole', () => {
  const spots = (x: number, y: number) => x % 17 < 3 && y % 15 < 3;
  const small: Extent = { width: 16, height: 16 };
  it.each([
    { name: 'one that touches all borders', of: extent, inside: (x: number, y: number) => Math.abs(x - 95) < 12 || Math.abs(y - 85) < 12 },
    {
      name: 'nine tenths of the picture',
      of: extent,
      inside: (x: number, y: number) => !rectangle({ x: 4, y: 4, width: 60, height: 54 })(x, y),
    },
    { name: 'a line of one pixel', of: extent, inside: (x: number, y: number) => x === y },
    { name: 'more than a hundred spots', of: extent, inside: spots },
    { name: 'a corner', of: extent, inside: (x: number, y: number) => x > 150 && y > 120 },
    { name: 'sides of 16 pixels', of: small, inside: rectangle({ x: 9, y: 9, width: 4, height: 4 }) },
    { name: 'a single pixel', of: small, inside: rectangle({ x: 3, y: 3, width: 1, height: 1 }) },
  ])('$name: every pixel is copied', async ({ of, inside }) => {
    const source = texturedPhoto(of);
    const result = await filled({ photo: source, weight: maskOf(of, inside) });
    expect(Math.max(...result)).toBeLessThan(254);
  });

  it.each([
    { name: 'a picture of four pixels to a side', of: { width: 4, height: 4 } },
    { name: 'a strip that no patch fits in', of: { width: 90, height: 4 } },
  ])('$name has nothing to copy', async ({ of }) => {
    const { detail } = await runDetail({ photo: texturedPhoto(of), weight: maskOf(of, rectangle({ x: 1, y: 1, width: 2, height: 2 })) });
    expect(detail).toBeUndefined();
  });

  it('in a flat picture stays flat', async () => {
    const flat = withSamples(photo, () => 90);
    expect(new Set(await filled({ photo: flat, weight }))).toEqual(new Set([90]));
  });
});
