import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BitMask } from '#engine/image/compositing/bit-mask.js';
import { maxWindow } from '#engine/image/sampling/gauss.js';

const planes = fc.record({ width: fc.integer({ min: 1, max: 70 }), height: fc.integer({ min: 1, max: 9 }) }).chain(
  (extent) =>
    fc.record({ extent: fc.constant(extent), on: fc.array(fc.nat(extent.width * extent.height - 1), { maxLength: 12 }), radius: fc.integer({ min: 1, max: 5 }) }), // prettier-ignore
);

function planeOf(mask: BitMask): Float32Array {
  const plane = new Float32Array(mask.extent.width * mask.extent.height);
  mask.fill(plane, 1);
  return plane;
}

describe('a mask of bits', () => {
  it('grows as the largest value of a square does, whatever the width', () => {
    fc.assert(
      fc.property(planes, ({ extent, on, radius }) => {
        const plane = new Float32Array(extent.width * extent.height);
        for (const i of on) plane[i] = 1;
        const grown = BitMask.above(plane, extent, 0.5).grown(radius);
        expect(planeOf(grown)).toEqual(maxWindow(plane, extent, radius));
      }),
      { numRuns: 200 },
    );
  });

  it('knows what both hold, and when nothing is left', () => {
    const extent = { width: 40, height: 2 };
    const at = (...on: number[]) =>
      BitMask.above(
        Float32Array.from({ length: 80 }, (_, i) => (on.includes(i) ? 1 : 0)),
        extent,
        0,
      );
    expect(at(3, 39, 79).and(at(39, 40)).equals(at(39))).toBe(true);
    expect(at(3).and(at(4)).isEmpty).toBe(true);
    expect(at(79).isEmpty).toBe(false);
  });
});
