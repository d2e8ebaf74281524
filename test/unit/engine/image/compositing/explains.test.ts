import { expect, test } from 'vitest';
import type { ColourMap } from '#engine/image/compositing/colour-map.js';
import { explains, misfitOf } from '#engine/image/compositing/explains.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { noisy } from '../noise.js';
import { makePicture } from '../pictures.js';

const SIDE = 48;
const before = makePicture(SIDE, SIDE, (c, x, y) => 0.45 + 0.3 * Math.sin(x / 9 + c) * Math.cos(y / 7 - c));
const darker: ColourMap = { tones: [tone(0.5), tone(0.5), tone(0.7)] };
const light = { weights: [0.3, 0.6, 0.1] as const, offset: 0 };
const gray: ColourMap = { tones: [light, light, light] };

function tone(slope: number) {
  return { weights: [slope, slope * 0, 0] as const, offset: 0 };
}

function at(picture: FloatTensor, c: number, x: number, y: number): number {
  return picture.data[(c * SIDE + y) * SIDE + x]!;
}

type Value = (c: number, x: number, y: number) => number;
const edited = (value: Value) => makePicture(SIDE, SIDE, (c, x, y) => value(c, x, y) + noisy((c * SIDE + y) * SIDE + x));
const own: Value = (c, x, y) => at(before, c, x, y);
const darkened: Value = (c, x, y) => at(before, 0, x, y) * (c === 2 ? 0.7 : 0.5);
const strong: ColourMap = { tones: [tone(0.1), tone(0.1), tone(0.1)] };
/** So much of the way from the picture to what a map makes of it. */
const towards = ({ tones }: ColourMap, share: number): Value => (c, x, y) => own(c, x, y) * (1 - share) + share * tones[c]!.weights[0] * own(0, x, y); // prettier-ignore
const inDisc = (x: number, y: number) => (x - 24) ** 2 + (y - 24) ** 2 < 144;

test.each<[string, ColourMap, Value, boolean]>([
  ['what the map makes of it', darker, darkened, true],
  ['a picture that was left alone', darker, own, true],
  ['most of what it makes', strong, towards(strong, 0.78), true],
  ['half of what it makes', strong, towards(strong, 0.5), false],
  ['another change', darker, (c, x, y) => 1 - own(c, x, y), false],
  ['half of the picture', darker, (c, x, y) => (x < SIDE / 2 ? darkened(c, x, y) : own(c, x, y)), false],
  ['something that appeared', darker, (c, x, y) => (inDisc(x, y) ? 0.9 : darkened(c, x, y)), false],
  ['gray, but lighter than the map has it', gray, (_, x, y) => 0.3 + 0.7 * at(before, 1, x, y), true],
  ['colours that stayed', gray, (c, x, y) => own(c, x, y) + 0.08, false],
])('a map and %s', (_, map, value, expected) => {
  expect(explains(map, { before, after: edited(value) })).toBe(expected);
});

test('only what counts is asked: a mask beyond which all stayed', () => {
  const after = edited((c, x, y) => (inDisc(x, y) ? darkened(c, x, y) : own(c, x, y)));
  const where = floats([1, 1, SIDE, SIDE]);
  where.data.forEach((_, i) => (where.data[i] = inDisc(i % SIDE, Math.trunc(i / SIDE)) ? 1 : 0));
  expect(explains(darker, { before, after })).toBe(false);
  expect(explains(darker, { before, after, where })).toBe(true);
});

test('noise of single pixels is no misfit', () => {
  const { change, left } = misfitOf(darker, { before, after: edited(darkened) });
  expect(left).toBeLessThan(0.006);
  expect(change).toBeGreaterThan(0.15);
});

test('a picture of many pixels is judged as the same picture of few', () => {
  const [few, many] = [48, 384].map((side) => {
    const picture = (value: (base: number, c: number) => number) =>
      makePicture(side, side, (c, x, y) => value(0.45 + 0.3 * Math.sin((x / side) * 5 + c) * Math.cos((y / side) * 7 - c), c));
    return misfitOf(darker, { before: picture((base) => base), after: picture((base, c) => base * (c === 0 ? 0.5 : 0.8)) });
  });
  expect(many!.change).toBeCloseTo(few!.change, 2);
  expect(many!.left).toBeCloseTo(few!.left, 2);
});
