import { expect, test } from 'vitest';
import { keepsOutlines } from '#engine/image/compositing/outlines.js';
import { snapToEdges } from '#engine/image/compositing/snap.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

const SIDE = 64;
type Colour = readonly [number, number, number];

/** A disc of one colour on a ground of another. */
function disc(colour: Colour, ground: Colour): FloatTensor {
  const picture = floats([1, 3, SIDE, SIDE]);
  picture.data.forEach((_, i) => {
    const [c, x, y] = [Math.floor(i / SIDE ** 2), i % SIDE, Math.floor(i / SIDE) % SIDE];
    picture.data[i] = (x - 32) ** 2 + (y - 32) ** 2 < 200 ? colour[c]! : ground[c]!;
  });
  return picture;
}

const red = disc([0.8, 0.1, 0.1], [0.2, 0.5, 0.2]);

test.each([
  ['a new colour keeps the outlines', red, disc([0.1, 0.2, 0.8], [0.2, 0.5, 0.2]), true],
  ['what is removed takes its outlines along', red, disc([0.2, 0.5, 0.2], [0.2, 0.5, 0.2]), false],
  ['what is added brings outlines', disc([0.2, 0.5, 0.2], [0.2, 0.5, 0.2]), red, false],
])('%s', (_, before, after, kept) => {
  expect(keepsOutlines(before, after)).toBe(kept);
});

test('a mask that spills over an edge is drawn back to it', () => {
  const mask = floats([1, SIDE, SIDE]);
  mask.data.forEach((_, i) => (mask.data[i] = ((i % SIDE) - 32) ** 2 + (Math.floor(i / SIDE) - 32) ** 2 < 320 ? 1 : 0));
  const snapped = snapToEdges(mask, { coarse: red, fine: red });
  const at = (x: number, y: number) => snapped.data[y * SIDE + x]!;
  expect(at(32, 32)).toBeGreaterThan(0.95);
  expect(at(32, 32 - 16)).toBeLessThan(0.3); // inside the mask, outside the disc
  expect(at(2, 2)).toBe(0);
});
