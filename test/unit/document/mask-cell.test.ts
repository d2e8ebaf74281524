import fc from 'fast-check';
import { expect, test } from 'vitest';
import { levelsOf, MIXED, packed, samplesOf, unpack } from '#document/mask-cell.js';

const SIDE = 128;

/** Boxes of one level each over an empty mask: most cells are of one level, as most of a mask is. */
const boxes = fc.array(
  fc.record({ x: fc.nat(300), y: fc.nat(280), width: fc.nat(300), height: fc.nat(280), level: fc.constantFrom(0, 1, 128, 255) }),
  { maxLength: 4 },
);

test('the level of every cell is the one that its pixels have, and cells come back as they were, whatever the width', () => {
  fc.assert(
    fc.property(boxes, fc.integer({ min: 129, max: 301 }), (all, width) => {
      const extent = { width, height: 281 };
      const samples = samplesOf(extent);
      for (const box of all) {
        const right = Math.min(width, box.x + box.width);
        for (let y = box.y; y < Math.min(extent.height, box.y + box.height); y++)
          samples.values.fill(box.level, y * width + Math.min(box.x, right), y * width + right);
      }
      const levels = levelsOf(samples, SIDE);
      const copy = samplesOf(extent);
      const columns = Math.ceil(width / SIDE);
      levels.forEach((known, cell) => {
        const [x, y] = [(cell % columns) * SIDE, Math.floor(cell / columns) * SIDE];
        const rect = { x, y, width: Math.min(SIDE, width - x), height: Math.min(SIDE, extent.height - y) };
        const kept = packed(samples, rect, { asBits: false });
        expect('level' in kept ? kept.level : MIXED).toBe(known);
        unpack(copy, rect, packed(samples, rect, { asBits: false, known }));
      });
      expect(Buffer.compare(copy.values, samples.values)).toBe(0);
    }),
    { numRuns: 30 },
  );
});
