import { describe, expect, test } from 'vitest';
import { boxMean, edgeRegion, refinedEdges } from '#document/guided-filter.js';

const [WIDTH, HEIGHT] = [60, 40];
/** Dark on the left, light from column 30 on. */
const data = Uint8ClampedArray.from({ length: WIDTH * HEIGHT * 4 }, (_, i) =>
  i % 4 === 3 ? 255 : Math.floor(i / 4) % WIDTH < 30 ? 40 : 210,
);
const picture = { width: WIDTH, height: HEIGHT, data };
const upTo = (column: number): Uint8Array => Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => (i % WIDTH < column ? 255 : 0));

describe('edges of a mask', () => {
  test.each([
    ['beyond the edge of the picture', 33, 1],
    ['short of it', 27, 1],
    ['looked at twice smaller', 33, 2],
  ])('%s come to where the picture has one', (_name, column, step) => {
    const refined = refinedEdges({ picture, values: upTo(column) }, 8, step);
    const row = [...refined.subarray(20 * WIDTH, 21 * WIDTH)];
    const wrong = row.reduce((sum, value, x) => sum + Math.abs(value - (x < 30 ? 255 : 0)) / 255, 0);
    expect(wrong).toBeLessThan(1.5);
    expect([row[5], row[55]]).toEqual([255, 0]);
  });

  test('stay where they are in a picture without any', () => {
    const flat = { ...picture, data: new Uint8ClampedArray(data.length).fill(128) };
    const row = refinedEdges({ picture: flat, values: upTo(30) }, 4).subarray(20 * WIDTH, 21 * WIDTH);
    expect(row.findIndex((value) => value < 128)).toBe(30);
  });
});

test('the mean of windows, smaller at the borders', () => {
  expect([...boxMean(Float32Array.of(3, 6, 9, 12), { width: 4, height: 1 }, 1)]).toEqual([4.5, 6, 9, 10.5]);
});

test('edges move within twice the radius', () => {
  expect(edgeRegion({ x: 5, y: 20, width: 10, height: 10 }, { width: 100, height: 38 }, 4)).toEqual({ x: 0, y: 11, width: 24, height: 27 });
});
