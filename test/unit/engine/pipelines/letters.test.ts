import { expect, test } from 'vitest';
import { letterPages, lettersFromPx, lettersTold } from '#engine/pipelines/letters.js';

test.each([
  { size: { width: 128, height: 128 }, pages: 8 },
  { size: { width: 512, height: 512 }, pages: 1 },
])('letters of all heights on their own pages are told apart, on a blank one hardly any ($size.width)', ({ size, pages }) => {
  const all = letterPages(size);
  expect(all.length).toBeLessThanOrEqual(pages);
  const told = all.flatMap((page) => lettersTold(page, page.page));
  expect(told.map(({ px }) => px)).toEqual([6, 8, 10, 12, 14, 16, 20, 24, 32, 40]);
  expect(told.every((height) => height.told === 1)).toBe(true);
  for (const page of all) {
    const blank = { ...page.page, values: page.page.values.map(() => 0.5) };
    for (const height of lettersTold(page, blank)) expect(height.told).toBeLessThan(0.3);
  }
});

test('where the page has room each height shows the whole alphabet', () => {
  const [page] = letterPages({ width: 512, height: 512 });
  for (const px of [6, 40]) expect(new Set(page!.places.filter((place) => place.px === px).map(({ letter }) => letter)).size).toBe(26);
});

test('a height of which too few letters fit is left out', () => {
  expect(letterPages({ width: 64, height: 64 }, [40])).toEqual([]);
});

test.each([
  [[0.2, 1, 0.8, 0.9, 1], 20],
  [[1, 1, 1, 1, 1], 6],
  [[1, 1, 1, 1, 0.5], null],
])('of shares %j letters are kept from %s on', (shares, from) => {
  expect(lettersFromPx(shares.map((told, i) => ({ px: [6, 10, 14, 20, 40][i]!, told })))).toBe(from);
});
