import { describe, expect, it, vi } from 'vitest';
import * as v from 'valibot';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { EditRequest, type EditRequestInput } from '#contract/request.js';
import type { EditingModel, Wishes } from '#engine/pipelines/model.js';
import { namedKinds } from '#engine/pipelines/named-object.js';
import { runPipeline } from '#engine/pipelines/pipelines.js';
import { floats } from '#engine/tensor/tensor.js';
import { fakeModel } from '../../../support/fake-model.js';
import { maskPng, scenePng } from '../../../support/pictures.js';
import { tinyCard } from '../../../support/tiny-card.js';

const NAMES = [
  ['car', 'automobile'],
  ['tree', 'pine'],
];
const extent = { width: 96, height: 64 };
const release = () => Promise.resolve();
/** All colours become white. */
const white = () => ({ weights: [0, 0, 0] as const, offset: 1 });
const whitening: Wishes = { mapOf: () => Promise.resolve({ tones: [white(), white(), white()] }) };
const pictures = { scene: await scenePng(96, 64), mask: await maskPng(extent, { x: 30, y: 20, width: 20, height: 20 }) };

/** A model that changes something whatever is asked, and sees what it is told to see. */
function seeing(...logits: readonly number[]): EditingModel {
  return {
    ...fakeModel(),
    card: { ...tinyCard, config: { ...tinyCard.config, objects: { kind: 'finder', names: NAMES } } },
    objects: { maps: () => Promise.resolve(floats([2, 1, 1], Float32Array.from(logits))), release },
  };
}

async function edited(model: EditingModel, request: Partial<EditRequestInput>, wishes?: Wishes) {
  const job = {
    ...(wishes && { wishes }),
    request: v.parse(EditRequest, { task: 'edit', source: 'scene', detail: 'off', instruction: '', ...request }),
    pictures,
    model,
    provider: 'fake',
    loadMs: 0,
    estimate: () => ({ ms: 1, bytes: 1 }),
    peakRssBytes: () => 1,
  };
  for await (const event of runPipeline(job, NEVER_CANCELLED)) if (event.type === 'candidate') return event.candidate;
  throw new Error('Expected a candidate.');
}

describe('an edit of an object', () => {
  it('changes nothing, and says so, where the picture does not show it', async () => {
    for (const instruction of ['make the car blue', 'remove the Automobile!', 'paint car blue']) {
      const { changedPixels, notices, tokens } = await edited(seeing(-9, 5), { instruction });
      expect([changedPixels, notices?.map(({ code }) => code)]).toEqual([0, ['edit.unchanged']]);
      expect(tokens.tokens.length).toBeGreaterThan(0);
    }
  });

  it('changes nothing either where the words do no more than to move colours', async () => {
    // What this model makes of a picture is white, and so is what the words make of any colour.
    const whitened = (logits: readonly number[]) => ({ ...seeing(...logits), predictor: fakeModel(() => 1).predictor });
    const all = 96 * 64;
    expect((await edited(whitened([-9, 5]), { instruction: 'make the car brighter' }, whitening)).changedPixels).toBe(0);
    expect((await edited(whitened([5, -9]), { instruction: 'make the car brighter' }, whitening)).changedPixels).toBe(all);
    expect((await edited(whitened([-9, -9]), { instruction: 'make it brighter' }, whitening)).changedPixels).toBe(all);
  });

  it.each([
    ['the picture shows it', [5, -9], 'make the car blue'],
    ['it may be one, to a doubtful eye', [-1, -9], 'make the car blue'],
    ['it is one of two that are named', [-9, 5], 'remove the car beside the tree'],
    ['it is to come', [-9, -9], 'add a red car on the left'],
  ])('goes on where %s', async (_where, logits, instruction) => {
    const { changedPixels, notices } = await edited(seeing(...logits), { instruction });
    expect(changedPixels).toBeGreaterThan(0);
    expect(notices).toBeUndefined();
  });

  it('asks nobody where no object is named, a mask is painted or the whole picture is taken', async () => {
    const blind = seeing(-9, -9);
    expect((await edited(blind, { instruction: 'make it warmer' })).changedPixels).toBeGreaterThan(0);
    expect((await edited(blind, { instruction: 'make the car blue', mask: 'mask' })).changedPixels).toBeGreaterThan(0);
    expect((await edited(blind, { instruction: 'make the car blue', whole: true })).changedPixels).toBeGreaterThan(0);
  });
});

it('words about light alone are for the thing that they name, not for what stands beside it', async () => {
  // The car is the scene's disc.
  const [x, y, radius] = [0.4 * 96, 0.6 * 64, 0.18 * 64];
  const odds = floats([2, 8, 12]);
  odds.data.fill(-9);
  for (let i = 0; i < 96; i++) if (Math.hypot(8 * (i % 12) + 4 - x, 8 * Math.trunc(i / 12) + 4 - y) < radius) odds.data[i] = 9;
  const model = { ...seeing(), predictor: fakeModel(() => 1).predictor, objects: { maps: () => Promise.resolve(odds), release } };
  const changed = async (instruction: string) => (await edited(model, { instruction }, whitening)).changedPixels;
  const disc = Math.PI * radius ** 2;
  expect(Math.abs((await changed('make the car brighter')) / disc - 1)).toBeLessThan(0.25);
  expect(await changed('make the picture with the car brighter')).toBe(96 * 64);
  // Whatever the model drew instead.
  const another = { ...model, predictor: fakeModel().predictor };
  expect((await edited(another, { instruction: 'make the car brighter' }, whitening)).changedPixels).toBe(
    await changed('make the car brighter'),
  );
});

it.each([
  ['make the car blue', false],
  ['mach das Auto blau', false],
  ['add a pine on the left', false],
  ['remove the pine', false],
  ['make the car brighter', true],
  ['make it black and white', true],
  ['make carpets red', true],
])('what “%s” does to colours alone is asked: %s', async (instruction, isAsked) => {
  const mapOf = vi.fn<Wishes['mapOf']>(() => Promise.resolve(undefined));
  await edited(seeing(5, 5), { instruction }, { mapOf });
  expect(mapOf).toHaveBeenCalledTimes(isAsked ? 1 : 0);
});

it('an instruction names kinds by whole words', () => {
  expect(namedKinds(NAMES, 'Paint the AUTOMOBILE under the pine')).toEqual([0, 1]);
  expect(namedKinds(NAMES, 'scared trees')).toEqual([]);
  expect(namedKinds(NAMES, 'put a red car beside the tree')).toEqual([1]);
  expect(namedKinds(NAMES, 'give the car a blue color')).toEqual([0]);
});
