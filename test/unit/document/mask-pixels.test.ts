import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BrushTip, MaskHistory, MaskStep, Point, Stroke } from '#contract/mask.js';
import { EMPTY_MASK, rasterise, redone, undone, withStep } from '#document/mask.js';
import { MaskPixels } from '#document/mask-pixels.js';

/** Several cells wide and high, none of them whole at the far edges. */
const extent = { width: 301, height: 149 };

const strokeOf = (points: readonly Point[], tip: Partial<BrushTip> = {}): MaskStep & { kind: 'stroke' } => ({
  kind: 'stroke',
  stroke: { points, radiusPx: 9, erase: false, ...tip },
});
const pull = (pixels: MaskPixels, { points, ...tool }: Stroke) => {
  points.forEach((point, i) => pixels.paint(points[i - 1] ?? point, point, tool));
};

const point = fc.record({ x: fc.double({ min: -40, max: 340, noNaN: true }), y: fc.double({ min: -40, max: 190, noNaN: true }) });
const tip: fc.Arbitrary<BrushTip> = fc.oneof(
  fc.record({ radiusPx: fc.integer({ min: 1, max: 50 }), erase: fc.boolean() }),
  fc.record({ radiusPx: fc.integer({ min: 1, max: 50 }), erase: fc.boolean(), hardness: fc.double({ min: 0, max: 1, noNaN: true }) }),
);
const step: fc.Arbitrary<MaskStep> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.array(point, { minLength: 1, maxLength: 4 }), tip).map(([points, kind]) => strokeOf(points, kind)) }, // prettier-ignore
  fc.record({ kind: fc.constant('area' as const), area: fc.record({ points: fc.array(point, { minLength: 3, maxLength: 5 }), erase: fc.boolean() }) }), // prettier-ignore
  fc.constantFrom<MaskStep>(
    { kind: 'invert' },
    { kind: 'clear' },
    { kind: 'grow', px: 3 },
    { kind: 'grow', px: -2 },
    { kind: 'feather', px: 7 },
  ),
  fc.constantFrom<MaskStep>(
    { kind: 'runs', runs: { lengths: [900, 50, 7000, 333], erase: false } },
    { kind: 'runs', runs: { lengths: [900, 50, 7000, 333], levels: [255, 90], erase: false } },
  ),
);
const deed = fc.oneof(
  { weight: 3, arbitrary: step.map((made) => ({ made })) },
  fc.constantFrom('undo' as const, 'redo' as const, 'back to the start' as const),
);

describe('the pixels of a mask', () => {
  test.each([0, 3000, 64_000_000])('are those of its steps, whatever is undone and redone, with %i bytes of memory', (memory) => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 14 }), (deeds) => {
        const pixels = new MaskPixels(extent, memory);
        let history: MaskHistory = EMPTY_MASK;
        for (const each of deeds) {
          if (typeof each === 'object') {
            if (each.made.kind === 'stroke') {
              pull(pixels, each.made.stroke);
              pixels.commit(each.made);
            } else pixels.add(each.made);
            history = withStep(history, each.made);
          } else {
            history = { undo: undone, redo: redone, 'back to the start': (all: MaskHistory) => ({ ...all, length: 0 }) }[each](history);
            pixels.show(history);
          }
          expect(Buffer.compare(pixels.values, rasterise(history, extent))).toBe(0);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('change nowhere else than undo says', () => {
    const pixels = new MaskPixels(extent);
    const [first, second] = [strokeOf([{ x: 20, y: 20 }]), strokeOf([{ x: 290, y: 140 }])];
    for (const made of [first, second]) pixels.add(made);
    expect(pixels.show({ steps: [first, second], length: 1 })).toEqual([{ x: 256, y: 128, width: 45, height: 21 }]);
    expect(pixels.show({ steps: [first, second], length: 2 })).toEqual([{ x: 256, y: 128, width: 45, height: 21 }]);
  });

  test.each([0, 64_000_000])('change nowhere else than is said, whatever is done, with %i bytes of memory', (memory) => {
    fc.assert(
      fc.property(fc.array(fc.oneof(step, fc.constantFrom('undo' as const, 'redo' as const)), { maxLength: 8 }), (deeds) => {
        const pixels = new MaskPixels(extent, memory);
        let history: MaskHistory = EMPTY_MASK;
        for (const each of deeds) {
          const before = pixels.values.slice();
          history = each === 'undo' ? undone(history) : each === 'redo' ? redone(history) : withStep(history, each);
          for (const { x, y, width, height } of pixels.show(history)) {
            for (let row = y; row < y + height; row++) {
              const [start, end] = [row * extent.width + x, row * extent.width + x + width];
              before.set(pixels.values.subarray(start, end), start);
            }
          }
          expect(Buffer.compare(before, pixels.values)).toBe(0);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('say of a ring what lies on it, not what it goes around', () => {
    const pixels = new MaskPixels({ width: 1280, height: 1280 });
    const ring = Array.from({ length: 41 }, (_, i) => ({ x: 640 + 500 * Math.cos((i * Math.PI) / 20), y: 640 + 500 * Math.sin((i * Math.PI) / 20) })); // prettier-ignore
    const changed = pixels.add(strokeOf(ring));
    expect(changed).toContainEqual({ x: 1024, y: 640, width: 128, height: 128 });
    expect(changed).not.toContainEqual({ x: 640, y: 640, width: 128, height: 128 });
  });

  test('follow to another mask', () => {
    const pixels = new MaskPixels(extent);
    const ours = [30, 60, 90].map((x) => strokeOf([{ x, y: 70 }]));
    const theirs = [strokeOf([{ x: 200, y: 30 }])];
    for (const steps of [ours, theirs, ours, []]) {
      pixels.show({ steps, length: steps.length });
      expect(Buffer.compare(pixels.values, rasterise({ steps, length: steps.length }, extent))).toBe(0);
    }
  });

  test('hold all of a stroke that is undone while it is pulled, once it is finished', () => {
    const pixels = new MaskPixels(extent);
    const [first, second] = [strokeOf([{ x: 50, y: 50 }]), strokeOf([{ x: 10, y: 100 }, { x: 280, y: 100 }])]; // prettier-ignore
    pixels.add(first);
    pixels.paint({ x: 10, y: 100 }, { x: 100, y: 100 }, second.stroke);
    pixels.show({ steps: [first], length: 0 });
    expect(pixels.values.every((value) => value === 0)).toBe(true);
    pixels.paint({ x: 100, y: 100 }, { x: 280, y: 100 }, second.stroke);
    pixels.commit(second);
    expect(Buffer.compare(pixels.values, rasterise({ steps: [second], length: 1 }, extent))).toBe(0);
    pixels.show({ steps: [second], length: 0 });
    expect(pixels.values.every((value) => value === 0)).toBe(true);
  });
});
