import { expect, test } from 'vitest';
import { similarPixels } from '#document/similar.js';

/** Letters are colours: the difference of two is ten in every channel. */
function picture(...rows: readonly string[]) {
  const [width, height] = [rows[0]!.length, rows.length];
  const data = new Uint8ClampedArray(width * height * 4);
  const letters = rows.join('');
  for (let i = 0; i < letters.length; i++) data.fill((letters.charCodeAt(i) - 97) * 10, i * 4, i * 4 + 4);
  return { width, height, data };
}

function selected(pixels: ReturnType<typeof picture>, x: number, y: number, tolerance = 0): readonly string[] {
  const mask = similarPixels(pixels, { x, y }, tolerance);
  return Array.from({ length: pixels.height }, (_, row) =>
    [...mask.subarray(row * pixels.width, (row + 1) * pixels.width)].map((value) => (value ? '#' : '.')).join(''),
  );
}

test('what hangs together is selected, around corners too, and no further', () => {
  const pixels = picture('aaaaaa', 'azzzza', 'azaaza', 'azazza', 'azazaa', 'aaaaaa'.replaceAll('a', 'z'));
  expect(selected(pixels, 2.5, 2.5)).toEqual(['......', '......', '..##..', '..#...', '..#...', '......']);
});

test('the tolerance counts per channel, from the pixel that was pointed at', () => {
  const pixels = picture('abcdef', 'abcdef');
  expect(selected(pixels, 2, 0, 10)).toEqual(['.###..', '.###..']);
  expect(selected(pixels, 2, 0, 20)).toEqual(['#####.', '#####.']);
});

test('a speck is closed, a hole is not', () => {
  const pixels = picture('aaaaaaaa', 'aaaaazza', 'azaazzza', 'aaazzzza', 'aaaazzaa', 'aaaaaaaa');
  const rows = selected(pixels, 0, 0);
  expect(rows[2]!.slice(0, 3)).toBe('###');
  expect(rows[3]).toContain('.');
});

test('outside the picture there is nothing', () => {
  expect(selected(picture('aa', 'aa'), -1, 0)).toEqual(['..', '..']);
  expect(selected(picture('aa', 'aa'), 0, 2)).toEqual(['..', '..']);
});
