import { initializeCanvas, readPsd, type Layer as PsdLayer } from 'ag-psd';
import { expect, it } from 'vitest';
import { encodeMask, encodePhoto } from '#engine/image/files/encode.js';
import { encodeLayers, type Layer } from '#engine/image/compositing/layers.js';
import { SRGB_PRIMARIES } from '#engine/image/files/code-points.js';
import { readMatrixProfile } from '#engine/image/files/icc-profile.js';
import { makeProfile as makeGrayProfile } from '#engine/image/files/make-profile.js';
import type { Photo } from '#engine/image/files/photo.js';
import { builtInProfile, discMask, makePhoto } from '../pictures.js';

// Reading it back is all that needs a canvas, and only for its pixels.
initializeCanvas(
  () => {
    throw new Error('Expected no canvas to be drawn on.');
  },
  (width, height) => ({ width, height, data: new Uint8ClampedArray(width * height * 4) }) as ImageData,
);

const PNG = { format: 'png' as const, quality: 90 };
const EXTENT = { width: 60, height: 40 };

async function layer(photo: Photo, more: Partial<Layer> = {}): Promise<Layer> {
  return { name: 'a layer', picture: await encodePhoto(photo, PNG), left: 0, top: 0, hidden: false, ...more };
}

function withSpot(photo: Photo, { x, y, side }: { x: number; y: number; side: number }): Photo {
  const samples = photo.samples.slice();
  for (let row = y; row < y + side; row++) {
    for (let column = x; column < x + side; column++) samples.fill(200, (row * 60 + column) * 3, (row * 60 + column) * 3 + 3);
  }
  return { ...photo, samples };
}

/** Colours of a layer or of the whole, without alpha. */
function colours({ data }: { readonly data: ArrayLike<number> }): number[] {
  return Array.from(data).filter((_, i) => i % 4 !== 3);
}

function open(bytes: Uint8Array) {
  return readPsd(bytes, { useImageData: true });
}

it('holds the photograph, every step as a named patch, and masks that are switched off', async () => {
  const photo = { ...makePhoto(EXTENT), icc: await builtInProfile('p3') };
  const edited = withSpot(photo, { x: 10, y: 6, side: 8 });
  const mask = await encodeMask(discMask(EXTENT, { x: 14, y: 10, radius: 6 }));
  const bytes = await encodeLayers([await layer(photo, { name: 'Foto 東京.jpg' }), await layer(edited, { name: 'make it red 🚗', mask })]);
  const psd = open(bytes);
  expect([psd.width, psd.height, psd.bitsPerChannel]).toEqual([60, 40, 8]);
  const [below, patch] = psd.children as [PsdLayer, PsdLayer];
  expect([below.name, patch.name]).toEqual(['Foto 東京.jpg', 'make it red 🚗']);
  expect(colours(below.imageData!)).toEqual(Array.from(photo.samples));
  expect([patch.left, patch.top, patch.imageData!.width, patch.imageData!.height]).toEqual([10, 6, 8, 8]);
  expect(colours(patch.imageData!).every((value) => value === 200)).toBe(true);
  expect(patch.mask?.disabled).toBe(true);
  expect(patch.mask?.imageData?.data[(10 * 60 + 14) * 4]).toBe(255);
  expect(patch.mask?.imageData?.data[0]).toBe(0);
  expect(colours(psd.imageData!)).toEqual(Array.from(edited.samples));
  expect(Buffer.from(bytes).includes(Buffer.from(photo.icc))).toBe(true);
});

it('grows with a picture that was expanded, leaves hidden steps out of what is seen, and rounds 16 bits', async () => {
  const photo = makePhoto({ ...EXTENT, deep: true });
  const hidden = withSpot(makePhoto(EXTENT), { x: 0, y: 0, side: 4 });
  const wide = makePhoto({ width: 80, height: 40 });
  const layers = [await layer(photo, { left: 5 }), await layer(hidden, { left: 5, hidden: true }), await layer(wide)];
  const psd = open(await encodeLayers(layers));
  expect([psd.width, psd.height]).toEqual([80, 40]);
  expect(psd.children?.map(({ hidden: isHidden = false }) => isHidden)).toEqual([false, true, false]);
  expect(psd.children?.[0]?.left).toBe(5);
  expect(colours(psd.imageData!)).toEqual(Array.from(wide.samples));
});

it('a step that changes nothing is an empty layer', async () => {
  const photo = makePhoto(EXTENT);
  const psd = open(await encodeLayers([await layer(photo), await layer(photo)]));
  expect(psd.children).toHaveLength(2);
  expect(colours(psd.imageData!)).toEqual(Array.from(photo.samples));
});

it('more than Photoshop opens is refused before it is made', async () => {
  const flat = { ...makePhoto({ width: 31_000, height: 1 }) };
  await expect(encodeLayers([await layer(flat)])).rejects.toMatchObject({ code: 'output.too-large' });
});

/** Layers laid over each other as every reader does it: Porter and Duff's "over", masks that are on obeyed. */
function flattened(bytes: Uint8Array): number[] {
  const { width, height, children = [] } = open(bytes);
  const canvas = Array<number>(width * height * 4).fill(0);
  const shownLayers = children.filter(({ hidden }) => !hidden);
  for (const { left = 0, top = 0, imageData, mask } of shownLayers) {
    if (!imageData) continue;
    const on = mask?.disabled === true ? undefined : mask?.imageData;
    for (let i = 0; i < imageData.width * imageData.height; i++) {
      const [x, y] = [left + (i % imageData.width), top + Math.trunc(i / imageData.width)];
      const shown = on ? on.data[(y * on.width + x) * 4]! / 255 : 1;
      layOver(canvas, (y * width + x) * 4, { colours: imageData.data.subarray(i * 4, i * 4 + 4), shown });
    }
  }
  return canvas;
}

/** One pixel of four samples over another. */
function layOver(canvas: number[], at: number, { colours, shown }: { colours: ArrayLike<number>; shown: number }): void {
  const above = (colours[3]! / 255) * shown;
  const alpha = above + (canvas[at + 3]! / 255) * (1 - above);
  for (let c = 0; c < 3 && alpha > 0; c++) {
    canvas[at + c] = Math.round((colours[c]! * above + canvas[at + c]! * (alpha - above)) / alpha);
  }
  canvas[at + 3] = Math.round(alpha * 255);
}

it('together equals the result at every pixel, where the picture and its steps are half transparent', async () => {
  const photo = makePhoto({ ...EXTENT, channels: 4 });
  const steps = [1, 2].map((step) => {
    const samples = photo.samples.map((value, i) =>
      Math.trunc(i / 4) % 60 < 30 + step * 8 && Math.trunc(i / 240) > 10 * step ? (value * 3 + step * 40) % 256 : value,
    );
    return { ...photo, samples };
  });
  const layers = await Promise.all([photo, ...steps].map((one) => layer(one)));
  const expected = Array.from(steps[1]!.samples);
  const together = flattened(await encodeLayers(layers));
  // What is not seen at all has no colour.
  const visible = (samples: readonly number[], i: number) => (samples[i - (i % 4) + 3] === 0 ? 0 : samples[i]!);
  const worst = expected.reduce((most, _, i) => Math.max(most, Math.abs(visible(expected, i) - visible(together, i))), 0);
  expect(worst).toBe(0);
});

it('a gray photograph with a profile is shown in the same tones', async () => {
  const icc = makeGrayProfile({ name: 'gray', primaries: SRGB_PRIMARIES, tone: [1.8] }, 'GRAY');
  const photo: Photo = { ...makePhoto({ ...EXTENT, channels: 1 }), icc };
  const bytes = await encodeLayers([await layer(photo)]);
  const profile = Buffer.from(bytes).indexOf('acsp', 0, 'latin1') - 36;
  const rgb = readMatrixProfile(
    new Uint8Array(bytes).subarray(profile, profile + new DataView(bytes.buffer, bytes.byteOffset).getUint32(profile)),
  );
  expect(rgb?.kind).toBe('rgb');
  for (const value of [0.1, 0.5, 0.9]) expect(Math.abs(rgb!.curves[0]!(value) - value ** 1.8)).toBeLessThan(1e-3);
});
