import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { EditRequest } from '#contract/request.js';
import { isGray } from '#engine/image/compositing/colour-map.js';
import { referencePictures } from '#engine/image/working/reference-picture.js';
import { mapOfWish, WishMemory } from '#engine/pipelines/wish.js';
import type { Wish } from '#engine/pipelines/model.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { fakeModel } from '../../../support/fake-model.js';
import { noisy } from '../image/noise.js';

const SIDE = 48;
const references = referencePictures({ width: SIDE, height: SIDE });

type Operator = (colour: readonly number[], c: number, y: number) => number;

function obeyed(operator: Operator) {
  return references.map((before) => {
    const pixels = SIDE * SIDE;
    const after: FloatTensor = floats(before.dims);
    after.data.forEach((_, i) => {
      const [c, pixel] = [Math.trunc(i / pixels), i % pixels];
      const colour = [0, 1, 2].map((channel) => before.data[channel * pixels + pixel]!);
      const value = operator(colour, c, Math.trunc(pixel / SIDE) / SIDE) + noisy(i);
      after.data[i] = Math.min(1, Math.max(0, value));
    });
    return { before, after };
  });
}

const own: Operator = (colour, c) => colour[c]!;
const light = ([r, g, b]: readonly number[]) => 0.3 * r! + 0.6 * g! + 0.1 * b!;

describe('a wish is one map', () => {
  test.each<[string, Operator, boolean]>([
    ['where it is about light alone', (colour, c) => colour[c]! ** 1.7, true],
    ['where it is about colour alone', light, true],
    ['not where nothing happens', own, false],
    ['not where it is about places', (colour, c, y) => colour[c]! * y + 0.8 * (1 - y), false],
    ['not where something appears', (colour, c, y) => (y > 0.6 && y < 0.85 ? [0.9, 0.1, 0.1][c]! : colour[c]!), false],
  ])('%s', (_, operator, expected) => {
    expect(mapOfWish(obeyed(operator)) !== undefined).toBe(expected);
  });

  test('and a gray one where no colour is left', () => {
    expect(isGray(mapOfWish(obeyed(light))!)).toBe(true);
  });
});

function wishOf(instruction: string, model = fakeModel()): { wish: Wish; model: ReturnType<typeof fakeModel> } {
  const { quantiser } = model;
  const job = {
    request: v.parse(EditRequest, { task: 'edit', source: 'source', instruction }),
    pictures: {},
    model,
    provider: 'fake',
    loadMs: 0,
    estimate: () => ({ ms: 1, bytes: 1 }),
    peakRssBytes: () => 1,
  };
  const plan = {
    quantiser,
    conditioning: { text: { kind: 'words' as const, ids: [2] }, guided: false },
    guidance: [1, 1, 1],
    layers: [[0], [0], [0]],
    lockedScales: 0,
    given: [],
    until: 3,
  };
  return { wish: { job, plan }, model };
}

test('the model is asked once per wish, on every reference picture', async () => {
  const { wish, model } = wishOf('red');
  const memory = new WishMemory();
  const first = await memory.mapOf(wish, NEVER_CANCELLED);
  expect(model.predictor.begun).toHaveLength(references.length);
  expect(await memory.mapOf(wish, NEVER_CANCELLED)).toEqual(first);
  expect(model.predictor.begun).toHaveLength(references.length);
  await memory.mapOf(wishOf('blue', model).wish, NEVER_CANCELLED);
  expect(model.predictor.begun).toHaveLength(2 * references.length);
});
