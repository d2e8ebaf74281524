import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { changedRegion, compareOutside, compositeEdit, upsampleMap, upsampleRegion } from '#engine/image/compositing/composite.js';
import { openPhoto } from '#engine/image/files/decode.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { extendPhoto, frameAround, frameWhole, keptPart } from '#engine/image/working/frame.js';
import { feather, fullMask, maskBounds, outside } from '#engine/image/working/mask.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { workingCopy } from '#engine/image/working/working-copy.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { builtInProfile, differingSamples, discMask, makePhoto, makePicture } from '../pictures.js';

function soft(mask: Mask, softEdgePx: number): Mask {
  return feather(mask, [{ bounds: maskBounds(mask)!, softEdgePx }]);
}

const size = { width: 64, height: 64 };
const edited = (picture: FloatTensor, change: (value: number, channel: number) => number) =>
  floats(
    picture.dims,
    picture.data.map((value, i) => Math.min(1, Math.max(0, change(value, Math.trunc(i / 4096))))),
  );
const warmer = (value: number, channel: number) => value * [1.16, 1.02, 0.78][channel]!;

async function inProfile(photo: Photo, name: 'p3'): Promise<Photo> {
  return { ...photo, icc: await builtInProfile(name) };
}

const layouts = ([1, 2, 3, 4] as const).flatMap((channels) => [false, true].map((deep) => ({ channels, deep })));

describe.each(layouts)('a masked edit of $channels channels (16 bit: $deep)', ({ channels, deep }) => {
  it.each(['transfer', 'decoded'] as const)('changes nothing outside mask and soft edge: %s', async (mode) => {
    const plain = makePhoto({ width: 211, height: 173, channels, deep });
    const photo = channels >= 3 ? await inProfile(plain, 'p3') : plain;
    const kept = photo.samples.slice();
    const mask = discMask(photo.extent, { x: 80, y: 90, radius: 25 });
    const weight = soft(mask, 9);
    const frame = frameAround(maskBounds(mask)!, photo.extent, { aspect: 1, context: 1.8, minSide: 64 });
    const before = await workingCopy(photo, frame, size);
    const result = await compositeEdit({ photo, frame, before, after: edited(before, warmer), weight, mode });
    expect(result.changedOutside).toBe(0);
    expect(compareOutside(photo, result.photo, weight)).toBe(0);
    expect(result.changedPixels).toBeGreaterThan(1000);
    expect(result.changed.values.filter((value) => value === 255).length).toBe(result.changedPixels);
    expect(differingSamples(photo.samples, kept)).toBe(0);
    if (channels % 2 === 0)
      expect(result.photo.samples.every((value, i) => i % channels !== channels - 1 || value === photo.samples[i])).toBe(true);
    // And the same once written and read again.
    const again = await openPhoto(await encodePhoto(result.photo, { format: 'png', quality: 90 }));
    expect(compareOutside(photo, again, weight)).toBe(0);
    expect(again.icc).toEqual(photo.icc);
    expect(again.samples.BYTES_PER_ELEMENT).toBe(photo.samples.BYTES_PER_ELEMENT);
  });
});

describe('an edit that edits nothing', () => {
  it.each([false, true])('changes no pixel of a whole picture, in a wide profile too (16 bit: %s)', async (deep) => {
    const photo = await inProfile(makePhoto({ width: 150, height: 90, deep }), 'p3');
    const frame = frameWhole(photo.extent, 1);
    const before = await workingCopy(photo, frame, size);
    const result = await compositeEdit({ photo, frame, before, after: before, weight: fullMask(photo.extent), mode: 'transfer' });
    expect(result.changedPixels).toBe(0);
  });
});

it('twenty edits in a row leave the rest of a 16-bit picture untouched', async () => {
  const first = await inProfile(makePhoto({ width: 180, height: 140, deep: true }), 'p3');
  const weight = soft(discMask(first.extent, { x: 70, y: 70, radius: 20 }), 6);
  const frame = frameAround(maskBounds(weight)!, first.extent, { aspect: 1, context: 1.8, minSide: 64 });
  let photo = first;
  for (let i = 0; i < 20; i++) {
    const before = await workingCopy(photo, frame, size);
    photo = (await compositeEdit({ photo, frame, before, after: edited(before, warmer), weight, mode: i % 2 ? 'decoded' : 'transfer' }))
      .photo;
  }
  expect(compareOutside(first, photo, weight)).toBe(0);
  expect(photo.icc).toBe(first.icc);
});

it('a transferred edit reaches the photo at full sharpness', async () => {
  const photo = makePhoto({ width: 256, height: 256 });
  const frame = { x: 0, y: 0, ...photo.extent };
  const before = await workingCopy(photo, frame, size);
  const result = await compositeEdit({
    photo,
    frame,
    before,
    after: edited(before, (v) => v * 0.6 + 0.1),
    weight: fullMask(photo.extent),
    mode: 'transfer',
  });
  const worst = Array.from(photo.samples, (value, i) => Math.abs(result.photo.samples[i]! - (value * 0.6 + 25.5))).reduce(
    (most, error) => Math.max(most, error),
    0,
  );
  expect(worst).toBeLessThan(6);
});

it('a pasted picture arrives in the colours of the profile', async () => {
  const photo = await inProfile(makePhoto({ width: 96, height: 96 }), 'p3');
  const after = makePicture(64, 64, (c) => [0.9, 0.2, 0.1][c]!);
  const frame = { x: 0, y: 0, ...photo.extent };
  const { photo: result } = await compositeEdit({ photo, frame, before: after, after, weight: fullMask(photo.extent), mode: 'decoded' });
  const seen = await sharp(await encodePhoto(result, { format: 'png', quality: 90 }))
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  [0.9, 0.2, 0.1].forEach((value, c) => {
    expect(Math.abs(seen[c]! - value * 255)).toBeLessThan(2.5);
  });
});

describe('the seam', () => {
  /** Mean step over the border of the painted square, against the picture on either side. */
  async function seamStep(match: boolean): Promise<number> {
    const photo = makePhoto({ width: 192, height: 192 });
    const values = Uint8Array.from({ length: 192 * 192 }, (_, i) =>
      i % 192 >= 64 && i % 192 < 128 && i / 192 >= 64 && i / 192 < 128 ? 255 : 0,
    );
    const frame = { x: 0, y: 0, ...photo.extent };
    const before = await workingCopy(photo, frame, size);
    const after = edited(before, (value) => value + 0.15);
    const weight = { extent: photo.extent, values };
    const { photo: result } = await compositeEdit({ photo, frame, before, after, weight, mode: 'decoded', matchSurroundings: match });
    let total = 0;
    for (let y = 70; y < 122; y++) total += result.samples[(y * 192 + 64) * 3]! - result.samples[(y * 192 + 63) * 3]!;
    return Math.abs(total / 52);
  }

  it('shows no step in tone when the surroundings are matched', async () => {
    const [matched, plain] = [await seamStep(true), await seamStep(false)];
    expect(plain).toBeGreaterThan(25);
    expect(matched).toBeLessThan(6);
  });

  it.each([0, 8])(
    'of a larger canvas keeps the old picture and shows no step, with a soft edge of %i on the new side',
    async (softEdge) => {
      const source = makePhoto({ width: 120, height: 100 });
      const margins = { left: 0, right: 60, top: 0, bottom: 0 };
      const canvas = extendPhoto(source, margins);
      const kept = keptPart(source, margins);
      const frame = frameWhole(canvas.extent, 1);
      const before = await workingCopy(canvas, frame, size);
      const { photo, changedOutside } = await compositeEdit({
        photo: canvas,
        frame,
        before,
        after: makePicture(64, 64, () => 0.3),
        weight: outside(kept, canvas.extent, softEdge),
        mode: 'decoded',
        kept,
      });
      expect(changedOutside).toBe(0);
      expect(compareOutside(canvas, photo, outside(kept, canvas.extent))).toBe(0);
      const step = (x: number) => {
        let total = 0;
        for (let y = 0; y < 100; y++) total += Math.abs(photo.samples[(y * 180 + x) * 3]! - photo.samples[(y * 180 + x - 1) * 3]!);
        return total;
      };
      const interior = Array.from({ length: 119 }, (_, x) => step(x + 1)).sort((a, b) => a - b);
      expect(step(120)).toBeLessThanOrEqual(interior[Math.floor(0.95 * interior.length)]!);
      expect(step(121)).toBeLessThanOrEqual(interior.at(-1)!);
    },
  );
});

describe('maps of what changed', () => {
  const before = makePicture(64, 64, () => 0.5);
  const after = makePicture(64, 64, (_, x, y) => (x >= 20 && x < 40 && y >= 20 && y < 40 ? 0.9 : 0.5));

  it('are 1 where the decoded pictures differ and 0 far from it', () => {
    const { data } = changedRegion({ before, after }, {});
    expect(data[30 * 64 + 30]).toBeCloseTo(1, 5);
    expect(data[5 * 64 + 5]).toBe(0);
    expect(changedRegion({ before, after: before }, {}).data.every((value) => value === 0)).toBe(true);
    expect(changedRegion({ before, after }, { threshold: 0.5 }).data.every((value) => value === 0)).toBe(true);
  });

  it('spread over the frame only', () => {
    const mask = upsampleMap(
      floats([1, 2, 2], Float32Array.of(1, 1, 1, 1)),
      { x: 10, y: 10, width: 20, height: 20 },
      { width: 40, height: 40 },
    );
    expect(mask.values[9 * 40 + 15]).toBe(0);
    expect(mask.values.filter((value) => value === 255).length).toBe(400);
  });

  it('keep their values, where the soft mask of a region bends them', () => {
    const quarter = floats([1, 1, 1], Float32Array.of(0.25));
    const extent = { width: 2, height: 2 };
    const frame = { x: 0, y: 0, ...extent };
    expect(new Set(upsampleMap(quarter, frame, extent).values)).toEqual(new Set([64]));
    expect(new Set(upsampleRegion(quarter, frame, extent).values)).toEqual(new Set([40]));
  });
});

it('a frame that reaches beyond the photo lands where it belongs', async () => {
  const photo = makePhoto({ width: 100, height: 50 });
  const frame = frameWhole(photo.extent, 1);
  const before = await workingCopy(photo, frame, size);
  const after = makePicture(64, 64, (_, x) => (x < 32 ? 0 : 1));
  const { photo: result } = await compositeEdit({ photo, frame, before, after, weight: fullMask(photo.extent), mode: 'decoded' });
  expect(result.samples[(25 * 100 + 40) * 3]).toBeLessThan(10);
  expect(result.samples[(25 * 100 + 60) * 3]).toBeGreaterThan(245);
});

it('what is drawn covers what was transparent, softly at its edge, and nothing hidden shines through', async () => {
  const photo = makePhoto({ width: 64, height: 64, channels: 4 });
  for (let i = 0; i < 64 * 64; i++) photo.samples.set(i % 64 < 32 ? [0, 0, 0, 0] : [90, 90, 90, 255], i * 4);
  const weight = {
    extent: photo.extent,
    values: Uint8Array.from({ length: 4096 }, (_, i) => (i % 64 < 40 ? Math.max(0, 255 - 10 * Math.abs(20 - (i % 64))) : 0)),
  };
  const white = makePicture(32, 32, () => 1);
  const frame = { x: 0, y: 0, width: 64, height: 64 };
  const job = { photo, frame, before: white, after: white, weight, mode: 'decoded' as const, matchSurroundings: false };
  const drawn = (await compositeEdit({ ...job, opaque: true })).photo.samples;
  const kept = (await compositeEdit(job)).photo.samples;
  for (let x = 0; x < 64; x++) {
    const at = (30 * 64 + x) * 4;
    const share = weight.values[30 * 64 + x]!;
    expect(kept[at + 3]).toBe(photo.samples[at + 3]);
    expect(drawn[at + 3]).toBe(x < 32 ? share : 255);
    // White over nothing is white, however thin; over gray it is mixed as ever.
    if (share > 0) expect(drawn[at]).toBe(x < 32 ? 255 : kept[at]);
  }
});
