import { describe, expect, test } from 'vitest';
import { levelCrop, NO_FRAMING } from '#contract/framing.js';
import { insideOf, moved, pulled, shaped, shapeOf } from '#document/crop.js';

const crop = { x: 10, y: 10, width: 60, height: 40 };
const extent = { width: 100, height: 80 };

describe('what is cut', () => {
  test('is pulled at sides and corners, the other ones stay', () => {
    expect(pulled(crop, { x: 1, y: 0 }, { by: { x: 20, y: 9 }, shape: 0 })).toEqual({ ...crop, width: 80 });
    expect(pulled(crop, { x: -1, y: -1 }, { by: { x: 5, y: -5 }, shape: 0 })).toEqual({ x: 15, y: 5, width: 55, height: 45 });
    expect(pulled(crop, { x: 1, y: 1 }, { by: { x: 30, y: 0 }, shape: 1.5 })).toEqual({ ...crop, width: 90, height: 60 });
    expect(pulled(crop, { x: 0, y: 1 }, { by: { x: 0, y: 20 }, shape: 1.5 })).toEqual({ x: -5, y: 10, width: 90, height: 60 });
  });

  test('takes a shape, in the middle', () => {
    expect(shaped(crop, shapeOf('1:1', extent))).toEqual({ x: 20, y: 10, width: 40, height: 40 });
    expect(shapeOf('original', extent)).toBe(1.25);
    expect(shaped(crop, shapeOf('', extent))).toEqual(crop);
  });

  test('stays within the picture', () => {
    expect(insideOf(moved(crop, { x: 90, y: -90 }), NO_FRAMING, extent)).toEqual({ x: 40, y: 0, width: 60, height: 40 });
    expect(insideOf({ x: -9, y: -9, width: 500, height: 30 }, NO_FRAMING, extent)).toEqual({ x: 0, y: 0, width: 100, height: 30 });
  });

  test.each([-45, -10, 3, 30])('has no empty corner where the picture is straightened by %d°', (straighten) => {
    const whole = insideOf({ x: 0, y: 0, ...extent }, { turns: 0, straighten }, extent);
    const level = levelCrop(extent, { turns: 0, straighten });
    expect(Math.abs(whole.width - level.width)).toBeLessThanOrEqual(2);
    expect(Math.abs(whole.height - level.height)).toBeLessThanOrEqual(2);
    const corner = insideOf({ x: 0, y: 0, width: 20, height: 20 }, { turns: 0, straighten }, extent);
    expect(corner.width).toBeGreaterThan(0);
  });
});
