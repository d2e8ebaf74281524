import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overlaps, type Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import { MOST_REGIONS } from '#contract/request.js';
import type { Mask } from '#engine/image/files/photo.js';
import { maskRegions, wholeRegion } from '#engine/image/working/regions.js';
import { stopwatch } from '../../../../support/processor-time.js';

const options = { aspect: 1, context: 1.8, minSide: 64, softEdgePx: ({ width }: Rect) => Math.round(width / 64) };

function painted(width: number, height: number, boxes: readonly Rect[]): Mask {
  const values = new Uint8Array(width * height);
  for (const box of boxes)
    for (let y = box.y; y < box.y + box.height; y++) values.fill(255, y * width + box.x, y * width + box.x + box.width);
  return { extent: { width, height }, values };
}

const spot = (x: number, y: number, side = 20): Rect => ({ x, y, width: side, height: side });

describe('regions of a mask', () => {
  it('are one for one spot, in the frame that all of it would have', () => {
    const mask = painted(800, 500, [spot(300, 200, 70)]);
    expect(maskRegions(mask, options)).toEqual([wholeRegion(spot(300, 200, 70), mask.extent, options)]);
  });

  it('have frames of their own where spots lie apart, in reading order, each as if it were alone', () => {
    const spots = [spot(600, 60), spot(40, 400), spot(700, 420)];
    const regions = maskRegions(painted(800, 500, spots), options);
    expect(regions.map(({ bounds }) => bounds)).toEqual(spots);
    spots.forEach((one, i) => {
      expect(maskRegions(painted(800, 500, [one]), options)).toEqual([regions[i]]);
    });
  });

  it('are joined where frames overlap, or a soft edge reaches into another', () => {
    const near = painted(800, 500, [spot(100, 100), spot(200, 100)]);
    expect(maskRegions(near, options).map(({ bounds }) => bounds)).toEqual([{ x: 100, y: 100, width: 120, height: 20 }]);
    const apart = painted(800, 500, [spot(100, 100), spot(300, 100)]);
    expect(maskRegions(apart, options)).toHaveLength(2);
    expect(maskRegions(apart, { ...options, softEdgePx: () => 140 })).toHaveLength(1);
  });

  it('join in chains: what is joined may reach what its parts did not', () => {
    const regions = maskRegions(painted(2000, 500, [spot(100, 200), spot(220, 200), spot(349, 200), spot(1700, 200)]), options);
    expect(regions.map(({ bounds }) => bounds)).toEqual([{ x: 100, y: 200, width: 269, height: 20 }, spot(1700, 200)]);
  });

  it('hold every painted pixel in exactly one reach, and no two reaches overlap', () => {
    const box = fc.record({
      x: fc.nat(580),
      y: fc.nat(380),
      width: fc.integer({ min: 1, max: 60 }),
      height: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(fc.array(box, { minLength: 1, maxLength: 9 }), (boxes) => {
        const fitting = boxes.map((one) => ({
          ...one,
          width: Math.min(one.width, 600 - one.x),
          height: Math.min(one.height, 400 - one.y),
        }));
        const mask = painted(600, 400, fitting);
        const regions = maskRegions(mask, options);
        for (const a of regions) for (const b of regions) expect(a === b || !overlaps(a.reach, b.reach)).toBe(true);
        for (const { bounds, frame } of regions) expect(paintedBounds(mask.values, mask.extent, frame)).toEqual(bounds);
        for (const one of fitting) expect(regions.filter(({ bounds }) => overlaps(bounds, one))).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });

  it('are never more than can be run, however many specks there are', () => {
    const specks = Array.from({ length: 70 }, (_, i) => spot((i % 10) * 150 + 90, Math.trunc(i / 10) * 150 + 90, 2));
    const mask = painted(6000, 1200, [...specks, spot(5900, 100, 2)]);
    expect(maskRegions(mask, options).map(({ bounds }) => bounds)).toEqual([
      { x: 90, y: 90, width: 1352, height: 902 },
      spot(5900, 100, 2),
    ]);
    expect(maskRegions(painted(6000, 1200, specks.slice(0, MOST_REGIONS)), options)).toHaveLength(MOST_REGIONS);
  });

  it('are found in little time in a mask of 24 megapixels, of a few spots, all white or all noise', () => {
    const extent = { width: 6000, height: 4000 };
    const noise = Uint8Array.from({ length: 24e6 }, (_, i) => (Math.imul(i, 0x9e37_79b9) >>> 24 < 2 ? 255 : 0));
    const spentMs = stopwatch();
    for (const values of [noise, new Uint8Array(24e6).fill(255)]) expect(maskRegions({ extent, values }, options)).toHaveLength(1);
    expect(spentMs()).toBeLessThan(4000);
  });
});
