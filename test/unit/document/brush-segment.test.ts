import fc from 'fast-check';
import { expect, test } from 'vitest';
import { smoothStep } from '#base/smooth-step.js';
import { paintSegment, type Segment } from '#document/brush-segment.js';

const EXTENT = { width: 61, height: 43 };

/** Every pixel asked by itself. */
function plainly(mask: Uint8Array, { from, to, stroke }: Segment): void {
  const radius = stroke.radiusPx * (to.pressure ?? 1);
  const core = radius * (stroke.hardness ?? 1);
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  mask.forEach((before, i) => {
    const [across, down] = [(i % EXTENT.width) + 0.5 - from.x, Math.floor(i / EXTENT.width) + 0.5 - from.y];
    const along = dx === 0 && dy === 0 ? 0 : Math.min(1, Math.max(0, (across * dx + down * dy) / (dx * dx + dy * dy)));
    const distance = Math.hypot(across - along * dx, down - along * dy);
    if (distance > radius) return;
    const level = distance <= core ? 255 : Math.round(255 * smoothStep((radius - distance) / (radius - core)));
    mask[i] = stroke.erase ? Math.min(before, 255 - level) : Math.max(before, level);
  });
}

const fine = (min: number, max: number) => fc.integer({ min: min * 1000, max: max * 1000 }).map((value) => value / 1000 + 1 / 3000);
const point = fc.record({ x: fine(-40, 100), y: fine(-40, 80), pressure: fine(0, 1) });
const stroke = fc.oneof(
  fc.record({ radiusPx: fine(0, 30), erase: fc.boolean() }),
  fc.record({ radiusPx: fine(0, 30), erase: fc.boolean(), hardness: fine(0, 0.99) }),
);
const segment: fc.Arbitrary<Segment> = fc.oneof(
  fc.record({ from: point, to: point, stroke }),
  fc.record({ from: point, stroke }).map((all) => ({ ...all, to: all.from })),
  fc.record({ from: point, across: fine(-50, 50), stroke }).map(({ from, across, stroke }) => ({ from, to: { ...from, x: from.x + across }, stroke })), // prettier-ignore
  fc.record({ from: point, down: fine(-50, 50), stroke }).map(({ from, down, stroke }) => ({ from, to: { ...from, y: from.y + down }, stroke })), // prettier-ignore
);

test('a segment of a stroke paints what asking every pixel for its distance paints', () => {
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 3 }), (segments) => {
      const [ours, plain] = [new Uint8Array(EXTENT.width * EXTENT.height), new Uint8Array(EXTENT.width * EXTENT.height)];
      for (const each of segments) {
        paintSegment(ours, EXTENT, each);
        plainly(plain, each);
      }
      expect(Buffer.compare(ours, plain)).toBe(0);
    }),
    { numRuns: 150 },
  );
});
