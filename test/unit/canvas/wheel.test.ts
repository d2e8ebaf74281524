import { describe, expect, test } from 'vitest';
import { wheelWish } from '#canvas/wheel.js';

const turn = { deltaX: 0, deltaY: 0, deltaMode: 0, ctrlKey: false, metaKey: false, shiftKey: false };

describe('a turn of the wheel', () => {
  test.each([
    ['a notch zooms in', { deltaY: -120 }, true],
    ['lines zoom', { deltaY: 3, deltaMode: 1 }, false],
    ['a pinch zooms', { deltaY: -4, ctrlKey: true }, true],
  ])('%s', (_name, change, larger) => {
    const wish = wheelWish({ ...turn, ...change });
    expect('factor' in wish && wish.factor > 1).toBe(larger);
    expect('factor' in wish).toBe(true);
  });

  test.each([
    ['two fingers move the picture', { deltaX: 6, deltaY: -3 }, { x: -6, y: 3 }],
    ['down alone, too', { deltaY: 7 }, { x: 0, y: -7 }],
    ['and in large parts of pixels', { deltaY: 80.5 }, { x: 0, y: -80.5 }],
    ['a wheel with Shift moves it sideways', { deltaY: 120, shiftKey: true }, { x: -120, y: 0 }],
  ])('%s', (_name, change, by) => {
    const wish = wheelWish({ ...turn, ...change });
    expect('by' in wish && { x: wish.by.x + 0, y: wish.by.y + 0 }).toEqual(by);
  });
});
