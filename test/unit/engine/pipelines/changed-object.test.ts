import { describe, expect, test } from 'vitest';
import type { Photo } from '#engine/image/files/photo.js';
import { applyObjectMap } from '#engine/image/compositing/objects/object-map.js';
import { drawnObject, foundObject, recolouring, standingObject } from '#engine/pipelines/changed-object.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { noisy } from '../image/noise.js';
import { makePicture } from '../image/pictures.js';

const [MODEL, SIDE] = [64, 512];
const frame = { x: 0, y: 0, width: SIDE, height: SIDE };
const inDisc = (x: number, y: number) => (x - 0.45) ** 2 + (y - 0.55) ** 2 < 0.2 ** 2;
const RED = [0.8, 0.15, 0.1];
const BLUE = [0.1, 0.2, 0.85];
const ground = (c: number, y: number) => [0.35, 0.55, 0.3][c]! + 0.1 * y;

/** A shaded red disc on grass, and what a model that paints it blue makes of it: softer, and a little beside it too. */
function colourAt(c: number, x: number, y: number, of: readonly number[]): number {
  return inDisc(x, y) ? of[c]! * (0.7 + 0.5 * y) : ground(c, y);
}

const samples = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
  const pixel = Math.trunc(i / 3);
  return Math.round(255 * colourAt(i % 3, ((pixel % SIDE) + 0.5) / SIDE, (Math.trunc(pixel / SIDE) + 0.5) / SIDE, RED));
});
const photo: Photo = { extent: { width: SIDE, height: SIDE }, channels: 3, samples, format: 'png', notices: [] };
const decoded = (of: readonly number[]) =>
  makePicture(MODEL, MODEL, (c, x, y) => colourAt(c, (x + 0.5) / MODEL, (y + 0.5) / MODEL, of) + noisy((c * MODEL + y) * MODEL + x, 0.01));

async function recolouredObject(trace: Parameters<typeof foundObject>[0]) {
  const found = await foundObject(trace, frame, photo);
  const map = found && recolouring(found)?.map;
  return map && { map, weight: await drawnObject(found) };
}

const tokens = floats([1, 8, 8], new Float32Array(64).fill(1));

test('a recoloured object is found up to its own edge at the photograph’s resolution, with one map for its colours', async () => {
  const object = await recolouredObject({ before: decoded(RED), after: decoded(BLUE), tokens });
  if (!object) throw new Error('Expected an object.');
  let wrong = 0;
  object.weight.values.forEach((value, i) => {
    const inside = inDisc(((i % SIDE) + 0.5) / SIDE, (Math.trunc(i / SIDE) + 0.5) / SIDE);
    if (value > 127 !== inside) wrong++;
  });
  expect(wrong).toBeLessThan(0.002 * SIDE * SIDE);
  const made = [0, 1, 2].map(() => new Float32Array(1)) as unknown as [Float32Array, Float32Array, Float32Array];
  const red = RED.map((value) => Float32Array.of(value)) as unknown as [Float32Array, Float32Array, Float32Array];
  applyObjectMap(object.map, red, made);
  made.forEach(([value], c) => {
    expect(Math.abs(value! - BLUE[c]!)).toBeLessThan(0.05);
  });
});

test('the same object gives the same bytes, and nothing is no object', async () => {
  const trace = { before: decoded(RED), after: decoded(BLUE), tokens };
  const [first, second] = [await recolouredObject(trace), await recolouredObject(trace)];
  expect(first).toEqual(second);
  expect(await recolouredObject({ ...trace, after: trace.before })).toBeUndefined();
});

describe('what a finder sees', () => {
  const CELLS = 16;
  const standing = (inside: number) => ({
    odds: makePlane(CELLS, (x, y) => (inDisc((x + 0.5) / CELLS, (y + 0.5) / CELLS) ? inside : -9)),
    least: -1.5,
  });

  test.each([9, 0])('is drawn up to its own edge at the photograph’s resolution, at odds of %d', async (odds) => {
    const mask = await standingObject(standing(odds), frame, photo);
    let wrong = 0;
    mask?.values.forEach((value, i) => {
      const isInside = inDisc(((i % SIDE) + 0.5) / SIDE, (Math.trunc(i / SIDE) + 0.5) / SIDE);
      if (value > 127 !== isInside) wrong += 1;
    });
    expect(mask?.extent).toEqual(photo.extent);
    expect(wrong / SIDE ** 2).toBeLessThan(0.005);
  });

  test('is nothing where it is nowhere', async () => {
    expect(await standingObject(standing(-9), frame, photo)).toBeUndefined();
  });
});

function makePlane(side: number, valueAt: (x: number, y: number) => number): FloatTensor {
  return floats(
    [1, side, side],
    Float32Array.from({ length: side * side }, (_, i) => valueAt(i % side, Math.trunc(i / side))),
  );
}
