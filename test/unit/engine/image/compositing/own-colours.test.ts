import { describe, expect, test } from 'vitest';
import { colourSpaceOf, type ColourSpace, type Planes } from '#engine/image/colour/colour.js';
import { applyMap, type ColourMap, type Tone } from '#engine/image/compositing/colour-map.js';
import { applyTable, tableOf } from '#engine/image/compositing/own-colours.js';
import { makeProfile, type Chromaticity } from '#engine/image/files/make-profile.js';
import { makePhoto } from '../pictures.js';

const srgbTone = (value: number) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const proPhotoTone = (value: number) => (value < 1 / 32 ? value / 16 : value ** 1.8);
const primaries = (...[red, green, blue, white]: readonly [Chromaticity, Chromaticity, Chromaticity, Chromaticity]) => ({ red, green, blue, white }); // prettier-ignore

const PROFILES = {
  'Display P3': makeProfile({ name: 'P3', primaries: primaries([0.68, 0.32], [0.265, 0.69], [0.15, 0.06], [0.3127, 0.329]), tone: srgbTone }, 'RGB '), // prettier-ignore
  ProPhoto: makeProfile({ name: 'ProPhoto', primaries: primaries([0.7347, 0.2653], [0.1596, 0.8404], [0.0366, 0.0001], [0.3457, 0.3585]), tone: proPhotoTone }, 'RGB '), // prettier-ignore
};

const smoothstep = Float32Array.from({ length: 17 }, (_, i) => (i / 16) ** 2 * (3 - i / 8));
const one = (c: number): Tone['weights'] => [c === 0 ? 1 : 0, c === 1 ? 1 : 0, c === 2 ? 1 : 0];
const channels = (tone: (c: number) => Tone): ColourMap => ({ tones: [tone(0), tone(1), tone(2)] });

const MAPS = {
  warmer: channels((c) => ({ weights: one(c).map((weight) => weight * [1.08, 1, 0.88][c]!) as unknown as Tone['weights'], offset: c === 0 ? 0.02 : 0 })), // prettier-ignore
  darker: channels((c) => ({ weights: one(c).map((weight) => weight * 0.6) as unknown as Tone['weights'], offset: 0 })),
  'more contrast': channels((c) => ({ weights: one(c), offset: 0, curve: smoothstep })),
};

/** Every colour of an 8-bit photograph that holds what photographs hold: nothing beyond what sRGB can say. */
function photographIn(space: ColourSpace): Planes {
  const { samples, extent } = makePhoto({ width: 200, height: 150 });
  const plane = (c: number) => Float32Array.from({ length: extent.width * extent.height }, (_, i) => samples[3 * i + c]! / 255);
  const planes: Planes = [plane(0), plane(1), plane(2)];
  space.fromSrgb(planes);
  planes.forEach((own) => {
    own.forEach((value, i) => (own[i] = Math.round(255 * value) / 255));
  });
  return planes;
}

const copied = (planes: Planes): Planes => [planes[0].slice(), planes[1].slice(), planes[2].slice()];
const level = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value)));

/** Shares of samples by how many levels the tabled edit lies from the one that converts every pixel. */
function levelsApart(own: Planes, map: ColourMap, space: ColourSpace): readonly number[] {
  const [before, exact, tabled] = [copied(own), copied(own), copied(own)];
  space.toSrgb(before);
  applyMap(map, before, exact);
  exact.forEach((plane) => {
    plane.forEach((value, i) => (plane[i] = Math.min(1, Math.max(0, value))));
  });
  space.fromSrgb(exact);
  applyTable(tableOf(map, space), { before: own, after: tabled, deep: false });
  const counts = [0, 0, 0, 0];
  exact.forEach((plane, c) => {
    plane.forEach((value, i) => counts[Math.min(3, Math.abs(level(value) - level(tabled[c]![i]!)))]!++);
  });
  return counts.map((count) => count / (3 * own[0].length));
}

describe.each(Object.entries(PROFILES))('an edit of colours in %s', (name, icc) => {
  test.each(Object.entries(MAPS))('%s: as close to every pixel’s own conversion as rounding is', async (_, map) => {
    const space = await colourSpaceOf({ icc });
    const [equal = 0, near = 0] = levelsApart(photographIn(space), map, space);
    expect(equal).toBeGreaterThan(name === 'ProPhoto' ? 0.85 : 0.92);
    expect(equal + near).toBeGreaterThan(0.995);
  });
});

test.each(
  Object.entries({
    ...MAPS,
    brighter: channels((c) => ({ weights: one(c), offset: 0, curve: Float32Array.from({ length: 33 }, (_, i) => (i / 32) ** 0.65) })),
    inverted: channels((c) => ({ weights: one(c).map((weight) => -weight) as unknown as Tone['weights'], offset: 1 })),
  }),
)('%s has no bands in 16 bits: along a ramp of all of them neighbours stay neighbours, and nothing turns back', async (_, map) => {
  const ramp = Float32Array.from({ length: 65_536 }, (_value, i) => i / 65_535);
  const after: Planes = [ramp.slice(), ramp.slice(), ramp.slice()];
  applyTable(tableOf(map, await colourSpaceOf({})), { before: [ramp, ramp, ramp], after, deep: true });
  for (const plane of after) {
    const way = Math.sign(plane[65_535]! - plane[0]!);
    let [back, jump, stands] = [0, 0, 0];
    for (let i = 1; i < ramp.length; i++) {
      const step = way * (Math.round(65_535 * plane[i]!) - Math.round(65_535 * plane[i - 1]!));
      back = Math.min(back, step);
      jump = Math.max(jump, step);
      stands += step === 0 && plane[i]! > 0 && plane[i]! < 1 ? 1 : 0;
    }
    expect(back).toBeGreaterThanOrEqual(-1);
    expect(jump).toBeLessThanOrEqual(5);
    // A band is a run of equal samples; a darker picture has fewer levels to go through.
    expect(stands / ramp.length).toBeLessThan(0.45);
  }
});
