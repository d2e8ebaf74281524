import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { centred, fitted, inSight, panned, placed, toPicture, toScreen, visiblePart, zoomedAt } from '#canvas/viewport.js';

const SCREEN = { width: 1000, height: 600 };

describe('fitting', () => {
  test.each([
    [{ width: 4000, height: 3000 }],
    [{ width: 300, height: 9000 }],
    [{ width: 12_000, height: 400 }],
    [{ width: 700, height: 500 }],
  ])('shows all of %o with free space around it, in the middle', (picture) => {
    const view = fitted(picture, SCREEN);
    const { x, y, width, height } = placed({ x: 0, y: 0, ...picture }, view);
    expect(x).toBeGreaterThan(0);
    expect(y).toBeGreaterThan(0);
    expect(x + width).toBeLessThan(SCREEN.width);
    expect(y + height).toBeLessThan(SCREEN.height);
    expect(Math.abs(x + width / 2 - SCREEN.width / 2)).toBeLessThanOrEqual(0.5);
    // Below it there is room for the bar of a result.
    expect(Math.abs(y + height / 2 - (SCREEN.height - 30) / 2)).toBeLessThanOrEqual(0.5);
  });

  test('does not blow a thumbnail up beyond twice its size', () => {
    expect(fitted({ width: 16, height: 16 }, SCREEN).zoom).toBe(2);
  });
});

test('at 1:1 every picture pixel covers one pixel of the screen', () => {
  const { zoom, offset } = centred({ width: 333, height: 111 }, SCREEN, 1);
  expect(zoom).toBe(1);
  expect([offset.x % 1, offset.y % 1]).toEqual([0, 0]);
});

const point = fc.record({ x: fc.double({ min: -2000, max: 2000, noNaN: true }), y: fc.double({ min: -2000, max: 2000, noNaN: true }) });
const view = fc.record({ zoom: fc.double({ min: 0.05, max: 32, noNaN: true }), offset: point });

test('what lies under the pointer stays there while zooming', () => {
  fc.assert(
    fc.property(view, point, fc.double({ min: 0.01, max: 100, noNaN: true }), (from, anchor, factor) => {
      const there = toScreen(zoomedAt(from, anchor, factor), toPicture(from, anchor));
      expect(there.x).toBeCloseTo(anchor.x, 4);
      expect(there.y).toBeCloseTo(anchor.y, 4);
    }),
  );
});

test('zoom ends at 5 % and 3200 %', () => {
  const start = { zoom: 1, offset: { x: 0, y: 0 } };
  expect(zoomedAt(start, { x: 0, y: 0 }, 1e-9).zoom).toBe(0.05);
  expect(zoomedAt(start, { x: 0, y: 0 }, 1e9).zoom).toBe(32);
});

test('screen and picture are each other’s inverse, panned or not', () => {
  fc.assert(
    fc.property(view, point, point, (from, at, by) => {
      const moved = panned(from, by);
      const back = toScreen(moved, toPicture(moved, at));
      expect(back.x).toBeCloseTo(at.x, 6);
      expect(back.y).toBeCloseTo(at.y, 6);
    }),
  );
});

describe('the part of a picture on the screen', () => {
  const screen = { width: 100, height: 80 };
  test('is all of a picture that fits', () => {
    const place = { x: 10, y: 10, width: 40, height: 20 };
    expect(visiblePart({ width: 400, height: 200 }, place, screen)).toEqual({ from: { x: 0, y: 0, width: 400, height: 200 }, to: place });
  });

  test('is whole pixels where the picture goes beyond it', () => {
    const place = { x: -25, y: -10, width: 400, height: 400 };
    expect(visiblePart({ width: 40, height: 40 }, place, screen)).toEqual({
      from: { x: 2, y: 1, width: 11, height: 8 },
      to: { x: -5, y: 0, width: 110, height: 80 },
    });
  });

  test('is nothing of a picture beside it', () => {
    expect(visiblePart({ width: 4, height: 4 }, { x: 200, y: 0, width: 4, height: 4 }, screen)).toBeUndefined();
  });
});

test('some of a picture stays on the screen, however far it is moved', () => {
  const screen = { width: 1000, height: 700 };
  const picture = { width: 600, height: 400 };
  const moved = (x: number, y: number, zoom = 1) => inSight({ zoom, offset: { x, y } }, picture, screen).offset;
  expect(moved(100, 50)).toEqual({ x: 100, y: 50 });
  expect(moved(-5000, 50)).toEqual({ x: 64 - 600, y: 50 });
  expect(moved(5000, 5000)).toEqual({ x: 1000 - 64, y: 700 - 64 });
  expect(moved(-5000, -5000, 0.05)).toEqual({ x: 0, y: 0 });
});
