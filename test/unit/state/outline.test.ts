import { expect, test } from 'vitest';
import { Outline } from '#state/outline.svelte.js';

const at = (x: number, y: number) => ({ x, y });

test('a lasso keeps every point, and a click alone is none', () => {
  const outline = new Outline();
  outline.begin('lasso', at(0, 0), true);
  outline.moveTo([at(4, 0), at(4, 4)], false);
  expect(outline.shape).toHaveLength(3);
  expect(outline.close()).toEqual({ points: [at(0, 0), at(4, 0), at(4, 4)], erase: true });
  outline.begin('lasso', at(0, 0), false);
  expect(outline.close()).toBeUndefined();
  expect(outline.shape).toBeUndefined();
});

test('a rectangle follows the pointer, and is square where that is wished', () => {
  const outline = new Outline();
  outline.begin('rectangle', at(0, 0), false);
  outline.moveTo([at(9, 9), at(6, 3)], false);
  expect(outline.shape).toEqual([at(0, 0), at(6, 0), at(6, 3), at(0, 3)]);
  outline.moveTo([at(6, 3)], true);
  expect(outline.close()?.points).toEqual([at(0, 0), at(6, 0), at(6, 6), at(0, 6)]);
});

test('a polygon goes on from click to click, and ends on its first corner or twice in one place', () => {
  const outline = new Outline();
  for (const last of [at(1, 1), at(0, 20)]) {
    outline.begin('polygon', at(0, 0), false);
    expect(outline.waits).toBe(true);
    expect(outline.close()).toBeUndefined();
    outline.moveTo([at(7, 7)], false);
    expect(outline.shape).toEqual([at(0, 0), at(7, 7)]);
    expect(outline.corner(at(20, 0), 3)).toBeUndefined();
    expect(outline.corner(at(0, 20), 3)).toBeUndefined();
    expect(outline.corner(last, 3)).toEqual({ points: [at(0, 0), at(20, 0), at(0, 20)], erase: false });
    expect(outline.waits).toBe(false);
  }
});

test('two corners are no polygon', () => {
  const outline = new Outline();
  outline.begin('polygon', at(0, 0), false);
  outline.corner(at(20, 0), 3);
  expect(outline.corner(at(20, 0), 3)).toBeUndefined();
  expect(outline.shape).toBeUndefined();
});
