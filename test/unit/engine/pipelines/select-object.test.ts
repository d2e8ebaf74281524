import { describe, expect, it } from 'vitest';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import type { Extent } from '#base/geometry.js';
import type { Pointing } from '#contract/selection.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { selectObject } from '#engine/pipelines/select-object.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

type Inside = (x: number, y: number) => boolean;
type Colour = readonly [number, number, number];

const GROUND: Colour = [70, 120, 60];
const RED: Colour = [190, 50, 40];
const SIZE = { width: 300, height: 200 };
const BALL: Inside = (x, y) => Math.hypot((x - 170) / 52, (y - 96) / 40) < 1;

/** Two colours with grain: what is inside, and its ground. */
function photoOf(extent: Extent, inside: Inside): Photo {
  const samples = new Uint8Array(3 * extent.width * extent.height);
  for (let i = 0; i < samples.length / 3; i++) {
    const colour = inside(i % extent.width, Math.trunc(i / extent.width)) ? RED : GROUND;
    for (let c = 0; c < 3; c++) samples[3 * i + c] = colour[c]! + ((i * 7919 + c * 104_729) % 31) - 15;
  }
  return { extent, channels: 3, samples } as unknown as Photo;
}

/** Intersection over union with the truth. */
function overlap({ extent, values }: Mask, inside: Inside): number {
  let [both, any] = [0, 0];
  values.forEach((value, i) => {
    const [is, was] = [value > 127, inside(i % extent.width, Math.trunc(i / extent.width))];
    if (is && was) both++;
    if (is || was) any++;
  });
  return both / any;
}

const select = (photo: Photo, pointing: Pointing) => selectObject({ photo, pointing }, NEVER_CANCELLED);

describe('an object that is pointed at', () => {
  it.each<[string, Pointing]>([
    ['a click', { at: { x: 150, y: 90 } }],
    ['a box', { box: { x: 108, y: 48, width: 124, height: 98 } }],
  ])('is found by %s, up to its edge', async (_, pointing) => {
    expect(overlap(await select(photoOf(SIZE, BALL), pointing), BALL)).toBeGreaterThan(0.95);
  });

  it('is one of two that are alike', async () => {
    const other: Inside = (x, y) => Math.hypot(x - 50, y - 50) < 26;
    const photo = photoOf(SIZE, (x, y) => BALL(x, y) || other(x, y));
    expect(overlap(await select(photo, { at: { x: 50, y: 50 } }), other)).toBeGreaterThan(0.9);
  });

  it('keeps its hole', async () => {
    const ring: Inside = (x, y) => Math.abs(Math.hypot(x - 150, y - 100) - 56) < 18;
    expect(overlap(await select(photoOf(SIZE, ring), { at: { x: 94, y: 100 } }), ring)).toBeGreaterThan(0.9);
  });

  it('is drawn from a look of its own size where it is small in a large photograph', async () => {
    const dot: Inside = (x, y) => Math.hypot(x - 700, y - 300) < 34;
    const photo = photoOf({ width: 1000, height: 800 }, dot);
    expect(overlap(await select(photo, { box: { x: 662, y: 262, width: 76, height: 76 } }), dot)).toBeGreaterThan(0.93);
  });
});

it.each<[string, Extent, Pointing]>([
  ['flat', SIZE, { at: { x: 10, y: 10 } }],
  ['of a few pixels', { width: 3, height: 2 }, { at: { x: 1, y: 1 } }],
  ['pointed at beside', { width: 700, height: 500 }, { at: { x: -40, y: 1e6 } }],
  ['boxed beside', SIZE, { box: { x: 900, y: 900, width: 20, height: 20 } }],
])('a picture that is %s gives a mask of its size', async (_, extent, pointing) => {
  const { values } = await select(
    photoOf(extent, () => false),
    pointing,
  );
  expect(values).toHaveLength(extent.width * extent.height);
});

it('is given up between two guesses', async () => {
  const given = selectObject({ photo: photoOf(SIZE, BALL), pointing: { at: { x: 150, y: 90 } } }, { ...NEVER_CANCELLED, aborted: true });
  await expect(given).rejects.toMatchObject({ name: 'CancelledError' });
});

it('is told from ground of its own colour by how near it is, where depth is known', async () => {
  const box: Inside = (x, y) => x >= 90 && x < 210 && y >= 50 && y < 150;
  const photo = photoOf(SIZE, () => false);
  const depth = {
    sizeFor: (extent: Extent) => extent,
    release: () => Promise.resolve(),
    estimate: (picture: FloatTensor) => {
      const [, , height = 0, width = 0] = picture.dims;
      const isNear = (i: number) => box(((i % width) * SIZE.width) / width, (Math.trunc(i / width) * SIZE.height) / height);
      const map = floats(
        [1, 1, height, width],
        Float32Array.from({ length: height * width }, (_, i) => (isNear(i) ? 0.9 : 0.2)),
      );
      return Promise.resolve(map);
    },
  };
  const at = { x: 150, y: 100 };
  expect(overlap(await selectObject({ photo, pointing: { at }, depth }, NEVER_CANCELLED), box)).toBeGreaterThan(0.9);
  expect(overlap(await select(photo, { at }), box)).toBeLessThan(0.7);
});
