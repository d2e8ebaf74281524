import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { PackCard } from '#contract/pack-card.js';
import { EditRequest, type EditRequestInput } from '#contract/request.js';
import { LocalEngine } from '#engine/door/local-engine.js';
import { openPhoto } from '#engine/image/files/decode.js';
import type { Photo } from '#engine/image/files/photo.js';
import { maskPng, renderScene } from '../../../support/pictures.js';

// The built-in pack on photographs that a fit to their own colours cannot be right on.

const folder = path.resolve('models/sketch');
const card = v.parse(PackCard, JSON.parse(await readFile(path.join(folder, 'card.json'), 'utf8')));
const engine = new LocalEngine();
const [width, height] = [150, 100];

type Colour = readonly [number, number, number];

/** The rendered landscape with every colour seen through `change`. */
function scene(change: (colour: Colour) => Colour): Sharp {
  const pixels = renderScene(width, height);
  for (let i = 0; i < pixels.length; i += 3) {
    pixels.set(
      change([pixels[i]!, pixels[i + 1]!, pixels[i + 2]!]).map((value) => Math.min(255, Math.max(0, Math.round(value)))),
      i,
    );
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

const light = ([r, g, b]: Colour) => 0.299 * r + 0.587 * g + 0.114 * b;
const own = (colour: Colour) => colour;
const nearGray = (colour: Colour): Colour => [light(colour) + 9, light(colour), light(colour) - 9];
const dark = ([r, g, b]: Colour): Colour => [r / 8, g / 8, b / 8];
const red = (colour: Colour): Colour => [light(colour), 0.15 * light(colour), 0.1 * light(colour)];

async function edited(source: Uint8Array, request: Partial<EditRequestInput> = {}): Promise<Photo> {
  const mask = await maskPng({ width, height }, { x: 40, y: 20, width: 60, height: 60 });
  const wish = v.parse(EditRequest, {
    task: 'edit',
    source: 'source',
    instruction: 'make it black and white',
    provider: 'cpu',
    output: { format: 'png' },
    ...request,
  });
  for await (const event of engine.run({ request: wish, pack: { card, folder }, pictures: { source, mask } }, NEVER_CANCELLED)) {
    if (event.type === 'failed') throw new Error(event.error.message);
    if (event.type === 'candidate') return openPhoto(event.candidate.picture);
  }
  throw new Error('Expected a candidate.');
}

/** Largest minus smallest channel of every pixel that is asked for, in samples. */
function mostColour({ samples, channels }: Photo, isAsked: (x: number, y: number) => boolean = () => true): number {
  let most = 0;
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (!isAsked(pixel % width, Math.trunc(pixel / width))) continue;
    const colour = samples.subarray(pixel * channels, pixel * channels + 3);
    most = Math.max(most, Math.max(...colour) - Math.min(...colour));
  }
  return most;
}

describe('black and white leaves no colour', () => {
  test.each<[string, (colour: Colour) => Colour]>([
    ['in a colourful picture', own],
    ['in one that is gray but for a tint', nearGray],
    ['in a dark one', dark],
    ['in one of one colour', red],
  ])('%s', async (_, change) => {
    const source = new Uint8Array(await scene(change).png().toBuffer());
    expect(mostColour(await openPhoto(source))).toBeGreaterThan(10);
    expect(mostColour(await edited(source))).toBe(0);
  });

  test('in 16 bit, with alpha', async () => {
    const source = new Uint8Array(await scene(own).ensureAlpha(0.5).toColourspace('rgb16').png().toBuffer());
    const photo = await openPhoto(source);
    expect({ bytes: photo.samples.BYTES_PER_ELEMENT, channels: photo.channels }).toEqual({ bytes: 2, channels: 4 });
    const made = await edited(source);
    expect(made.samples.BYTES_PER_ELEMENT).toBe(2);
    expect(mostColour(made)).toBe(0);
    for (let i = 3; i < made.samples.length; i += 4) expect(made.samples[i]).toBe(photo.samples[i]);
  });

  test('in a wide profile', async () => {
    const source = new Uint8Array(await scene(own).withIccProfile('p3').png().toBuffer());
    const made = await edited(source);
    expect(made.icc).toBeDefined();
    expect(mostColour(made)).toBeLessThanOrEqual(1);
  });

  test('under a mask, and all of it beside', async () => {
    const source = new Uint8Array(await scene(own).png().toBuffer());
    const made = await edited(source, { mask: 'mask', blend: 4 });
    expect(mostColour(made, (x, y) => x >= 40 && x < 100 && y >= 20 && y < 80)).toBe(0);
    const photo = await openPhoto(source);
    const beside = (x: number, y: number) => x < 36 || x >= 104 || y < 16 || y >= 84;
    for (let i = 0; i < photo.samples.length; i++) {
      const pixel = Math.trunc(i / 3);
      if (beside(pixel % width, Math.trunc(pixel / width))) expect(made.samples[i]).toBe(photo.samples[i]);
    }
  });

  test('and a gray photo as it was', async () => {
    const source = new Uint8Array(await scene(own).toColourspace('b-w').png().toBuffer());
    const photo = await openPhoto(source);
    expect(photo.channels).toBe(1);
    expect((await edited(source)).samples).toEqual(photo.samples);
  });
});

test('inverted is inverted, sample for sample', async () => {
  const source = new Uint8Array(await scene(own).png().toBuffer());
  const [before, after] = [await openPhoto(source), await edited(source, { instruction: 'invert the colors' })];
  let squares = 0;
  after.samples.forEach((value, i) => (squares += ((value - (255 - before.samples[i]!)) / 255) ** 2));
  expect(-10 * Math.log10(squares / after.samples.length)).toBeGreaterThan(30);
});

test('a second run gives the same bytes, whatever was asked before', async () => {
  const source = new Uint8Array(await scene(own).png().toBuffer());
  const first = await edited(source, { instruction: 'make it brighter' });
  await edited(source, { instruction: 'make it night' });
  expect((await edited(source, { instruction: 'make it brighter' })).samples).toEqual(first.samples);
});
