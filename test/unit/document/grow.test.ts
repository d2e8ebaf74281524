import fc from 'fast-check';
import { expect, test } from 'vitest';
import { featherMask, growMask } from '#document/grow.js';
import { rasterise } from '#document/mask.js';

const EXTENT = { width: 40, height: 30 };

function disc(radiusPx: number, x = 20, y = 15): Uint8Array {
  const stroke = { points: [{ x, y }], radiusPx, erase: false };
  return rasterise({ steps: [{ kind: 'stroke', stroke }], length: 1 }, EXTENT);
}

function count(mask: Uint8Array): number {
  return mask.filter((value) => value > 0).length;
}

/** Straight from the definition. */
function grownByHand(mask: Uint8Array, px: number): Uint8Array {
  const wanted = px > 0 ? 255 : 0;
  return mask.map((value, i) => {
    const [x, y] = [i % EXTENT.width, Math.floor(i / EXTENT.width)];
    const near = mask.some((other, k) => {
      const far = (x - (k % EXTENT.width)) ** 2 + (y - Math.floor(k / EXTENT.width)) ** 2;
      return far <= px * px && other > 0 === px > 0;
    });
    return near ? wanted : value;
  });
}

test('grows and shrinks by a disc, as the definition says', () => {
  const masks = fc.array(fc.tuple(fc.integer({ min: 0, max: 39 }), fc.integer({ min: 0, max: 29 })), { minLength: 1, maxLength: 12 });
  const amounts = fc.integer({ min: -5, max: 5 }).filter((px) => px !== 0);
  fc.assert(
    fc.property(masks, amounts, (dots, px) => {
      const mask = new Uint8Array(EXTENT.width * EXTENT.height);
      for (const [x, y] of dots) disc(4, x, y).forEach((value, i) => (mask[i] = Math.max(mask[i]!, value)));
      const expected = grownByHand(mask, px);
      growMask(mask, EXTENT, px);
      expect(mask).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

test('a disc that is grown and shrunk again is the same disc', () => {
  const mask = disc(8);
  growMask(mask, EXTENT, 5);
  expect(count(mask)).toBeGreaterThan(count(disc(12)));
  growMask(mask, EXTENT, -5);
  const before = disc(8);
  expect(mask.filter((value, i) => value !== before[i])).toHaveLength(0);
});

test('the edge of the picture takes nothing off, and an empty mask stays empty', () => {
  const full = new Uint8Array(EXTENT.width * EXTENT.height).fill(255);
  growMask(full, EXTENT, -4);
  expect(count(full)).toBe(full.length);
  const empty = new Uint8Array(EXTENT.width * EXTENT.height);
  growMask(empty, EXTENT, 4);
  expect(count(empty)).toBe(0);
});

test('a soft edge lies outside of what is painted, falls with the distance and ends where it was asked to', () => {
  const mask = disc(6);
  featherMask(mask, EXTENT, 4);
  disc(6).forEach((value, i) => {
    if (value > 0) expect(mask[i]).toBe(255);
  });
  const row = [...mask.subarray(15 * EXTENT.width + 25, 15 * EXTENT.width + 32)];
  expect(row[0]).toBe(255);
  for (let i = 1; i <= 4; i++) expect(row[i]).toBeLessThan(row[i - 1]!);
  expect(row.slice(5)).toEqual([0, 0]);
  growMask(mask, EXTENT, 4);
  expect(mask[15 * EXTENT.width + 29]).toBe(255);
});
