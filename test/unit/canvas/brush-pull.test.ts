import { expect, test } from 'vitest';
import { BrushPull, positionsOf } from '#canvas/brush-pull.js';

const TOOL = { radiusPx: 4, erase: false };

test('a pull paints a dab first and then segment by segment', () => {
  const painted: unknown[] = [];
  const pull = new BrushPull({ paint: (from, to, stroke) => painted.push([from, to, stroke]) }, TOOL);
  for (const x of [1, 5, -90]) pull.to({ x, y: 2 });
  expect(painted).toEqual([
    [{ x: 1, y: 2 }, { x: 1, y: 2 }, TOOL],
    [{ x: 1, y: 2 }, { x: 5, y: 2 }, TOOL],
    [{ x: 5, y: 2 }, { x: -90, y: 2 }, TOOL],
  ]);
});

test('its stroke has every point, those outside the picture too, and the size it began with', () => {
  const pull = new BrushPull({ paint: () => undefined }, TOOL);
  pull.to({ x: 1, y: 2 });
  pull.to({ x: -90, y: 2 });
  expect(pull.stroke).toEqual({ points: [{ x: 1, y: 2 }, { x: -90, y: 2 }], ...TOOL }); // prettier-ignore
});

test('all positions between two frames count, and the event itself where the browser gives none', () => {
  const between = [{ clientX: 1, clientY: 1 }, { clientX: 2, clientY: 2 }]; // prettier-ignore
  const event = (coalesced: readonly object[]) =>
    ({ clientX: 9, clientY: 9, getCoalescedEvents: () => coalesced }) as unknown as PointerEvent;
  expect(positionsOf(event(between))).toEqual(between);
  expect(positionsOf(event([]))).toMatchObject([{ clientX: 9, clientY: 9 }]);
});
