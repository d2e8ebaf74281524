import { expect, test } from 'vitest';
import { hasMargins, marginsTo, NO_MARGINS, spaceOf } from '#document/space.js';

test('without margins the space is the source', () => {
  expect(spaceOf({ width: 30, height: 20 }, NO_MARGINS)).toEqual({
    extent: { width: 30, height: 20 },
    source: { x: 0, y: 0, width: 30, height: 20 },
  });
});

test('margins widen the space and move the source by left and top alone', () => {
  expect(spaceOf({ width: 30, height: 20 }, { left: 1, right: 2, top: 3, bottom: 4 })).toEqual({
    extent: { width: 33, height: 27 },
    source: { x: 1, y: 3, width: 30, height: 20 },
  });
});

test.each(['left', 'right', 'top', 'bottom'] as const)('a margin at the %s is a margin', (side) => {
  expect(hasMargins(NO_MARGINS)).toBe(false);
  expect(hasMargins({ ...NO_MARGINS, [side]: 1 })).toBe(true);
});

test.each([
  ['1:1', 40, 30, { top: 5, bottom: 5 }],
  ['16:9', 900, 900, { left: 350, right: 350 }],
  ['9:16', 90, 90, { top: 35, bottom: 35 }],
  ['none', 40, 30, {}],
])('the least border to %s of %d × %d', (aspect, width, height, expected) => {
  expect(marginsTo({ width, height }, aspect)).toEqual({ ...NO_MARGINS, ...expected });
});
