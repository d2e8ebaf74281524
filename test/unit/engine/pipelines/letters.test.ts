import { expect, test } from 'vitest';
import { letterPage, lettersTold } from '#engine/pipelines/letters.js';

test.each([8, 13, 24])('letters of %d px on their own page are all told apart, on a blank one hardly any', (px) => {
  const page = letterPage({ width: 128, height: 96 }, px)!;
  expect(page.places.length).toBeGreaterThanOrEqual(4);
  expect(lettersTold(page, page.page)).toBe(1);
  const blank = { ...page.page, values: page.page.values.map(() => 0.5) };
  expect(lettersTold(page, blank)).toBeLessThan(0.3);
});

test('a page that holds too few letters is none', () => {
  expect(letterPage({ width: 64, height: 64 }, 40)).toBeUndefined();
});
