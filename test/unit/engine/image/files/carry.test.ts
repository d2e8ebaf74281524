import { describe, expect, it } from 'vitest';
import { carryChange } from '#engine/image/files/carry.js';
import type { Photo } from '#engine/image/files/photo.js';
import { makePhoto, type Shape } from '../pictures.js';

interface Spot {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

function spotted(photo: Photo, { x, y, side }: Spot): Photo {
  const samples = photo.samples.slice();
  const { channels, extent } = photo;
  for (let row = y; row < y + side; row++) {
    const at = (row * extent.width + x) * channels;
    for (let i = at; i < at + side * channels; i++) samples[i] = samples[i]! ^ 1;
  }
  return { ...photo, samples };
}

const LEFT = { x: 2, y: 2, side: 4 };
const RIGHT = { x: 12, y: 3, side: 4 };

describe('a change that is done to another version of its picture', () => {
  it.each<Shape>([
    { width: 20, height: 10 },
    { width: 20, height: 10, channels: 4, deep: true },
    { width: 20, height: 10, channels: 1 },
  ])('is the same as both changes, sample by sample: %o', (shape) => {
    const before = makePhoto(shape);
    const carried = carryChange({ before, after: spotted(before, RIGHT), onto: spotted(before, LEFT) });
    expect(carried?.samples).toEqual(spotted(spotted(before, LEFT), RIGHT).samples);
  });

  it('is taken back by a version without what came before it', () => {
    const photo = makePhoto({ width: 20, height: 10 });
    const before = spotted(photo, LEFT);
    expect(carryChange({ before, after: spotted(before, RIGHT), onto: photo })?.samples).toEqual(spotted(photo, RIGHT).samples);
  });

  const before = makePhoto({ width: 20, height: 10 });
  it.each<[string, Photo, Photo]>([
    ['they overlap', spotted(before, LEFT), spotted(before, { ...LEFT, x: 4 })],
    ['they touch at a corner', spotted(before, LEFT), spotted(before, { x: 6, y: 6, side: 2 })],
    ['they touch at a side', spotted(before, { x: 0, y: 0, side: 2 }), spotted(before, { x: 2, y: 0, side: 2 })],
    ['the picture has another size', spotted(before, LEFT), makePhoto({ width: 21, height: 10 })],
    ['the picture has another depth', spotted(before, LEFT), makePhoto({ width: 20, height: 10, deep: true })],
    ['the change made it larger', makePhoto({ width: 30, height: 10 }), before],
  ])('is none of its own where %s', (_what, after, onto) => {
    expect(carryChange({ before, after, onto })).toBeUndefined();
  });

  it('does not reach around the edge of a row', () => {
    const after = spotted(before, { x: 18, y: 4, side: 2 });
    const onto = spotted(before, { x: 0, y: 4, side: 2 });
    expect(carryChange({ before, after, onto })).toBeDefined();
  });
});
