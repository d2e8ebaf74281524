import { expect, test } from 'vitest';
import { Pinch } from '#canvas/pinch.js';

test('two fingers move the picture and change its size, one alone does nothing', () => {
  const pinch = new Pinch();
  pinch.down(1, { x: 0, y: 0 });
  expect([pinch.active, pinch.move(1, { x: 10, y: 0 })]).toEqual([false, undefined]);
  pinch.down(2, { x: 30, y: 0 });
  expect(pinch.active).toBe(true);
  expect(pinch.move(2, { x: 50, y: 0 })).toEqual({ by: { x: 10, y: 0 }, around: { x: 30, y: 0 }, factor: 2 });
  pinch.down(3, { x: 99, y: 99 });
  expect(pinch.move(3, { x: 0, y: 99 })).toBeUndefined();
  pinch.up(1);
  expect([pinch.active, pinch.move(2, { x: 0, y: 0 })]).toEqual([false, undefined]);
});
