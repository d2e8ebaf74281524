import { describe, expect, it } from 'vitest';
import type { Planes } from '#engine/image/colour/colour.js';
import { applyObjectMap, steadyMap } from '#engine/image/compositing/objects/object-map.js';
import { noisy } from '../../noise.js';

const COUNT = 400;
const pixels = Array.from({ length: COUNT }, (_, i) => i);
const planesOf = (value: (c: number, i: number) => number): Planes =>
  [0, 1, 2].map((c) => Float32Array.from(pixels, (i) => value(c, i))) as unknown as Planes;

/** A red object from shadow to light, and what a model makes of it: blue with noise, of every fifth pixel something else. */
const light = (i: number) => 0.6 + (0.5 * i) / COUNT;
const before = planesOf((c, i) => [0.8, 0.2, 0.15][c]! * light(i));
const blue = planesOf((c, i) => [0.2, 0.25, 0.8][c]! * light(i));
const drawn = planesOf((c, i) => (i % 5 === 0 ? [0.7, 0.65, 0.5][c]! : blue[c]![i]! + noisy(c * COUNT + i, 0.02)));

describe('the map of an object’s colours', () => {
  it('is that of most of them: what was drawn besides does not pull at it', () => {
    const made = planesOf(() => 0);
    applyObjectMap(steadyMap(before, drawn, pixels), before, made);
    const error = Math.max(...made.flatMap((plane, c) => pixels.map((i) => Math.abs(plane[i]! - blue[c]![i]!))));
    expect(error).toBeLessThan(0.03);
  });
});
