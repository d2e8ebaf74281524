import { describe, expect, it } from 'vitest';
import type { Planes } from '#engine/image/colour/colour.js';
import type { Photo } from '#engine/image/files/photo.js';
import { Seam } from '#engine/image/compositing/seam.js';
import { makePhoto } from '../pictures.js';

const kept = { x: 20, y: 10, width: 40, height: 30 };
const extent = { width: 90, height: 60 };

/** The rows of a canvas whose new pixels all were `level` before the seam was closed, one channel. */
function closed(photo: Photo, { level, reachPx }: { level: number; reachPx: number }): Float32Array[] {
  const flat = (count: number): Planes => [0, 1, 2].map(() => new Float32Array(count).fill(level)) as unknown as Planes;
  const seam = new Seam({ photo, kept, reachPx }, ({ width, height }) => flat(width * height));
  return Array.from({ length: extent.height }, (_, y) => {
    const row = flat(extent.width);
    seam.close(row, { x: 0, y });
    return row[0];
  });
}

function even(value: number): Photo {
  const samples = new Uint8Array(extent.width * extent.height * 3).fill(value * 255);
  return { ...makePhoto({ width: 1, height: 1 }), extent, samples };
}

describe('a closed seam', () => {
  it('meets every pixel of the border, on all four sides', () => {
    const photo = makePhoto(extent);
    const rows = closed(photo, { level: 0.4, reachPx: 25 });
    const old = (x: number, y: number) => photo.samples[(y * extent.width + x) * 3]! / 255;
    for (let x = 20; x < 60; x++) {
      expect(rows[9]![x]).toBeCloseTo(old(x, 10), 5);
      expect(rows[40]![x]).toBeCloseTo(old(x, 39), 5);
    }
    for (let y = 10; y < 40; y++) {
      expect(rows[y]![19]).toBeCloseTo(old(20, y), 5);
      expect(rows[y]![60]).toBeCloseTo(old(59, y), 5);
    }
  });

  it('fades outwards from an even step, alike in all directions, and is gone at its reach', () => {
    const rows = closed(even(0.8), { level: 0.2, reachPx: 15 });
    const outwards = [...rows[25]!.subarray(60, 76)];
    expect(outwards).toEqual([...outwards].sort((a, b) => b - a));
    expect(outwards[0]).toBeCloseTo(0.8, 5);
    expect(outwards.at(-1)).toBeCloseTo(0.2, 5);
    for (let i = 0; i < 10; i++) {
      expect(rows[25]![19 - i]).toBeCloseTo(outwards[i]!, 5);
      expect(rows[9 - i]![30]).toBeCloseTo(outwards[i]!, 5);
    }
    // Three across and four down are five.
    expect(rows[43]![62]).toBeCloseTo(outwards[4]!, 5);
  });

  it('leaves old pixels and far ones alone', () => {
    const rows = closed(makePhoto(extent), { level: 0.4, reachPx: 5 });
    for (const [x, y] of [[20, 10], [40, 25], [59, 39], [0, 25], [40, 0], [89, 59]] as const) expect(rows[y]![x]).toBeCloseTo(0.4, 6); // prettier-ignore
  });

  it('carries fine differences a little, coarse ones far: as a membrane does', () => {
    const photo = even(0.5);
    for (let y = 0; y < extent.height; y++) {
      const stripe = (y % 2 ? 0.1 : -0.1) + 0.2;
      photo.samples.fill(Math.round((0.5 + stripe) * 255), y * extent.width * 3, (y + 1) * extent.width * 3);
    }
    const rows = closed(photo, { level: 0.5, reachPx: 1000 });
    const stripes = (x: number) => Math.abs(rows[24]![x]! - rows[25]![x]!);
    expect(stripes(60)).toBeCloseTo(0.2, 2);
    expect(stripes(64)).toBeLessThan(0.02);
    expect(rows[24]![64]).toBeCloseTo(0.7, 1);
  });

  it('asks nothing of transparent pixels', () => {
    const photo = makePhoto({ ...extent, channels: 4 });
    photo.samples.forEach((_, i) => {
      if (i % 4 === 3) photo.samples[i] = 0;
    });
    const rows = closed(photo, { level: 0.4, reachPx: 25 });
    expect(rows.every((row) => row.every((value) => Math.abs(value - 0.4) < 1e-6))).toBe(true);
  });
});
