import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { colourSpaceOf, cubeSpace, type Planes } from '#engine/image/colour/colour.js';
import { cubeFromP3, cubeToP3 } from '#engine/image/colour/colour-cube.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { builtInProfile, makePhoto, makeProfile } from '../pictures.js';

/** Colorants of Adobe RGB (1998). */
const WIDE = makeProfile(
  [
    [0.60974, 0.31111, 0.01947],
    [0.20528, 0.62567, 0.06087],
    [0.14919, 0.06322, 0.74457],
  ],
  2.19921875,
);

function planes(): Planes {
  const { samples } = makePhoto({ width: 30, height: 20 });
  return [0, 1, 2].map((c) => Float32Array.from({ length: 600 }, (_, i) => samples[i * 3 + c]! / 255)) as unknown as Planes;
}

function worst(a: Planes, b: Planes): number {
  return a
    .flatMap((plane, c) => Array.from(plane, (value, i) => Math.abs(value - b[c]![i]!)))
    .reduce((most, error) => Math.max(most, error), 0);
}

describe('a colour space', () => {
  it('is left alone without a profile, and for sRGB', async () => {
    expect((await colourSpaceOf({})).plain).toBe(true);
    expect((await colourSpaceOf({ icc: await builtInProfile('srgb') })).plain).toBe(true);
    expect((await colourSpaceOf({ icc: WIDE })).plain).toBe(false);
  });

  it.each(['p3', 'wide'] as const)('converts as the colour engine does: %s', async (name) => {
    const icc = name === 'p3' ? await builtInProfile('p3') : WIDE;
    const photo = { ...makePhoto({ width: 30, height: 20 }), icc };
    const other = await sharp(await encodePhoto(photo, { format: 'png', quality: 90 }))
      .toColourspace('srgb')
      .raw()
      .toBuffer();
    const own = planes();
    (await colourSpaceOf(photo)).toSrgb(own);
    for (let i = 0; i < 1800; i++) {
      const value = Math.min(1, Math.max(0, own[i % 3]![Math.trunc(i / 3)]!)) * 255;
      expect(Math.abs(value - other[i]!)).toBeLessThan(1.6);
    }
  });

  it('brings every colour back, outside sRGB too', async () => {
    const space = await colourSpaceOf({ icc: WIDE });
    const there = planes();
    there.forEach((plane, c) => plane.fill(c === 1 ? 1 : 0, 0, 50)); // the greenest green that the profile has
    const before = there.map((plane) => plane.slice()) as unknown as Planes;
    space.toSrgb(there);
    expect(Math.min(...there[0].subarray(0, 50))).toBeLessThan(-0.1);
    space.fromSrgb(there);
    expect(worst(there, before)).toBeLessThan(4e-4);
  });

  it('is the same by tables, which profiles without matrix need', async () => {
    const tables = cubeSpace(await cubeToP3(WIDE), await cubeFromP3(WIDE));
    const exact = await colourSpaceOf({ icc: WIDE });
    const [a, b] = [planes(), planes()];
    tables.toSrgb(a);
    exact.toSrgb(b);
    expect(worst(a, b)).toBeLessThan(0.03);
    tables.fromSrgb(a);
    expect(worst(a, planes())).toBeLessThan(0.03);
  });
});
