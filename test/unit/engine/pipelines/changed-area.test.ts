import { describe, expect, it } from 'vitest';
import type { Photo } from '#engine/image/files/photo.js';
import { EVERYWHERE, type Weight } from '#engine/image/working/mask.js';
import type { Standing } from '#engine/image/compositing/objects/named-parts.js';
import { changedArea, type EditTrace } from '#engine/pipelines/changed-area.js';
import { isAboutPicture, wordingOf, type Wording } from '#engine/pipelines/wording.js';
import { floats } from '#engine/tensor/tensor.js';
import { fakeModel } from '../../../support/fake-model.js';
import { noisy } from '../image/noise.js';
import { makePicture } from '../image/pictures.js';

const [MODEL, SIDE] = [64, 256];
const frame = { x: 0, y: 0, width: SIDE, height: SIDE };
type Look = (c: number, x: number, y: number) => number;

const inDisc = (x: number, y: number) => (x - 0.45) ** 2 + (y - 0.4) ** 2 < 0.18 ** 2;
const inShadow = (x: number, y: number) => ((x - 0.52) / 0.2) ** 2 + ((y - 0.6) / 0.06) ** 2 < 1;
/** Sky over grass. */
const ground: Look = (c, _x, y) => (y < 0.45 ? [0.5, 0.7, 0.95] : [0.3, 0.55, 0.25])[c]! + 0.1 * y;
const shaded: Look = (c, x, y) => ground(c, x, y) * (inShadow(x, y) ? 0.75 : 1);
const disc =
  (colour: readonly number[]): Look =>
  (c, x, y) =>
    inDisc(x, y) ? colour[c]! * (0.7 + 0.5 * y) : shaded(c, x, y);
const [red, blue] = [disc([0.85, 0.15, 0.1]), disc([0.15, 0.2, 0.85])];

function photoOf(look: Look): Photo {
  const samples = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
    const pixel = Math.trunc(i / 3);
    return Math.round(255 * look(i % 3, ((pixel % SIDE) + 0.5) / SIDE, (Math.trunc(pixel / SIDE) + 0.5) / SIDE));
  });
  return { extent: { width: SIDE, height: SIDE }, channels: 3, samples, format: 'png', notices: [] };
}

/** The middle tokens of an 8×8 grid changed. */
const gate = floats(
  [64],
  Float32Array.from({ length: 64 }, (_, i) => (i % 8 > 0 && i % 8 < 7 && i >= 8 && i < 48 ? -1 : 1)),
);
const { quantiser } = fakeModel();

async function became(before: Look, after: Look, { wording, standing }: { wording?: Wording | undefined; standing?: Standing } = {}) {
  const decoded = (look: Look) =>
    makePicture(MODEL, MODEL, (c, x, y) => look(c, (x + 0.5) / MODEL, (y + 0.5) / MODEL) + noisy((c * MODEL + y) * MODEL + x, 0.01));
  const trace: EditTrace = {
    quantiser: { ...quantiser, schedule: [[8, 8]] },
    tokens: [new Uint8Array(64)],
    sourceTokens: [new Uint8Array(64)],
    gate,
    before: decoded(before),
    after: decoded(after),
  };
  return changedArea(trace, { frame, canvas: photoOf(before), wording, standing });
}

function shareOf(weight: Weight, inside: (x: number, y: number) => boolean): number {
  if (weight === EVERYWHERE) return 1;
  const { values } = weight;
  const pixels = Array.from(values.keys()).filter((i) => inside(((i % SIDE) + 0.5) / SIDE, (Math.trunc(i / SIDE) + 0.5) / SIDE));
  return pixels.filter((i) => values[i] === 255).length / pixels.length;
}

describe('what an edit changed', () => {
  it('is a removed object with its shadow, where it became what lies around it, whatever the words', async () => {
    for (const wording of [undefined, 'away'] as const) {
      const { weight, isRemoved } = await became(red, ground, { wording });
      expect(isRemoved).toBe(true);
      expect(shareOf(weight, inDisc)).toBe(1);
      expect(shareOf(weight, inShadow)).toBeGreaterThan(0.9);
      expect(shareOf(weight, (x, y) => Math.hypot(x - 0.45, y - 0.5) > 0.4)).toBe(0);
    }
  });

  it('is a recoloured object, where it stands out as before, whatever the words', async () => {
    for (const wording of [undefined, 'away'] as const) {
      const { weight, isRemoved, isRedrawn, map } = await became(red, blue, { wording });
      expect(isRemoved ?? isRedrawn).toBeUndefined();
      expect(map).toBeDefined();
      expect(shareOf(weight, (x, y) => Math.hypot(x - 0.45, y - 0.4) < 0.16)).toBeGreaterThan(0.98);
    }
  });

  it('is what was spoken of, where two objects changed and only one of them shows it', async () => {
    const small =
      (colour: readonly number[], rest: Look): Look =>
      (c, x, y) =>
        Math.hypot(x - 0.24, y - 0.4) < 0.08 ? colour[c]! : Math.hypot(x - 0.66, y - 0.4) < 0.1 ? [0.8, 0.75, 0.1][c]! : rest(c, x, y);
    const near = (at: number) => (x: number, y: number) => Math.hypot(x - at, y - 0.4) < 0.06;
    const seenLeft = (least: number) => ({
      odds: floats(
        [1, 4, 4],
        Float32Array.from({ length: 16 }, (_, i) => (i % 4 === 0 ? 3 : -9)),
      ),
      least,
    });
    const two = small([0.85, 0.15, 0.1], ground);
    const { weight, isRemoved } = await became(two, ground, { wording: 'away', standing: seenLeft(-1.5) });
    expect(isRemoved).toBe(true);
    expect([near(0.24), near(0.66)].map((inside) => shareOf(weight, inside))).toEqual([1, 0]);
    const unseen = await became(two, ground, { wording: 'away', standing: seenLeft(4) });
    expect([near(0.24), near(0.66)].map((inside) => shareOf(unseen.weight, inside))).toEqual([1, 1]);
  });

  it('is another thing, where no map of the old one’s colours explains it', async () => {
    const striped: Look = (c, x, y) =>
      inDisc(x, y) ? (Math.trunc(x * 16) % 2 > 0 ? [0.15, 0.2, 0.85] : [0.9, 0.8, 0.1])[c]! : shaded(c, x, y);
    const { isRemoved, isRedrawn, map } = await became(red, striped);
    expect(isRedrawn).toBe(true);
    expect(isRemoved ?? map).toBeUndefined();
  });

  it('is a recoloured object in the colour of its ground, where a colour was asked for', async () => {
    const grass: Look = (c, x, y) => shaded(c, x, y) * (inDisc(x, y) ? 0.85 : 1);
    expect((await became(red, grass)).isRemoved).toBe(true);
    const { isRemoved, map } = await became(red, grass, { wording: 'colour' });
    expect(isRemoved).toBeUndefined();
    expect(map).toBeDefined();
  });

  it('is a recoloured object, whatever was drawn besides, where a colour was asked for', async () => {
    const blotched: Look = (c, x, y) =>
      inDisc(x, y) ? (Math.trunc(x * 64) % 4 > 0 ? blue(c, x, y) : [0.9, 0.8, 0.1][c]!) : shaded(c, x, y);
    expect((await became(red, blotched)).isRedrawn).toBe(true);
    const { isRedrawn, weight, map } = await became(red, blotched, { wording: 'colour' });
    expect(isRedrawn).toBeUndefined();
    expect(shareOf(weight, (x, y) => Math.hypot(x - 0.45, y - 0.4) < 0.16)).toBeGreaterThan(0.98);
    expect(map).toBeDefined();
  });

  it('is something new, and no colour of the ground, where nothing stood there before', async () => {
    const { isRemoved, isRedrawn, map } = await became(ground, red, { wording: 'for' });
    expect(isRedrawn).toBe(true);
    expect(isRemoved ?? map).toBeUndefined();
  });
});

describe('the words of an instruction', () => {
  it.each([
    ['Remove the car, please', 'away'],
    ['make the ball disappear', 'away'],
    ['Das Auto entfernen', 'away'],
    ['put a red ball on the left', 'for'],
    ['Füge einen Baum hinzu', 'for'],
    ['make the car blue', 'colour'],
    ['turn the yellow star black', 'colour'],
    ['Mach das grüne Haus weiß', 'colour'],
    ['turn the red box into a blue ball', undefined],
    ['change the red box to a blue ball', undefined],
    ['Mach das rote Haus zu einem blauen Ball', undefined],
    ['Ersetze den roten Ball', undefined],
    ['make it warmer', undefined],
    ['a halfway house', undefined],
  ])('“%s” ask for something gone, there or of a colour: %s', (instruction, wording) => {
    expect(wordingOf(instruction)).toBe(wording);
  });

  it.each([
    ['make the house brighter', false],
    ['make the picture with the house brighter', true],
    ['mach alles heller', true],
    ['mach das ganze Foto wärmer', true],
    ['a photogenic house', false],
    ['make it night around the house', true],
    ['make the background of the car darker', true],
    ['mach den Himmel hinter dem Haus dunkler', true],
    ['make the daylily box brighter', false],
  ])('“%s” are about the picture: %s', (instruction, expected) => {
    expect(isAboutPicture(instruction)).toBe(expected);
  });
});
