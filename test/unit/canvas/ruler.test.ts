import { expect, test } from 'vitest';
import { rulerMarks } from '#canvas/ruler.js';

test('marks are round numbers that can be read, over the screen only', () => {
  expect(rulerMarks(0.5, -30, 200).map(({ value }) => value)).toEqual([200, 400]);
  expect(rulerMarks(0.5, -30, 200)[0]?.at).toBe(70);
  expect(rulerMarks(32, 10, 200).map(({ value }) => value)).toEqual([0, 2, 4]);
});
