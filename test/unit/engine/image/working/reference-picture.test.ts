import { expect, test } from 'vitest';
import { referencePictures } from '#engine/image/working/reference-picture.js';

const [width, height] = [64, 64];
const pictures = referencePictures({ width, height });

test('stay within the colours that there are, and reach all corners of them', () => {
  const corners = new Set<string>();
  for (const { data } of pictures) {
    for (let i = 0; i < width * height; i++) {
      const colour = [0, 1, 2].map((c) => data[c * width * height + i]!);
      for (const value of colour) expect(value >= 0 && value <= 1).toBe(true);
      if (colour.every((value) => value < 0.25 || value > 0.75)) corners.add(colour.map(Math.round).join(''));
    }
  }
  expect(corners.size).toBe(8);
});

test('have no place for light: the second is the first upside down', () => {
  const [first, second] = pictures;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x += 7) {
      expect(second!.data[y * width + x]).toBeCloseTo(first!.data[(height - 1 - y) * width + x]!, 6);
    }
  }
});

test('are made at any size', () => {
  expect(referencePictures({ width: 40, height: 24 }).map(({ dims }) => dims)).toEqual(Array(3).fill([1, 3, 24, 40]));
});
