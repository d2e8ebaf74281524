import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compositeEdit } from '#engine/image/compositing/composite.js';
import { fullMask } from '#engine/image/working/mask.js';
import type { Photo } from '#engine/image/files/photo.js';
import { fitTransfer, type TransferMap } from '#engine/image/compositing/transfer.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { bytesOf, makePicture, tensorOf } from '../pictures.js';

interface TransferCase {
  readonly name: string;
  readonly source: string;
  readonly before: string;
  readonly after: string;
  readonly result: string;
  readonly share: string;
}

/** Made by models/training/make_transfer_fixture.py on recipe scenes. Planar bytes. */
const recipe = JSON.parse(readFileSync(new URL('../../../../fixtures/transfer/recipe.json', import.meta.url), 'utf8')) as {
  side: number;
  cases: TransferCase[];
  twice: TransferCase;
};

function photoOf(planar: string, side: number): Photo {
  const planes = bytesOf(planar);
  const samples = Uint8Array.from({ length: planes.length }, (_, i) => planes[(i % 3) * side * side + Math.trunc(i / 3)]!);
  return { extent: { width: side, height: side }, channels: 3, samples, format: 'png', notices: [] };
}

async function transferred(made: TransferCase, side: number): Promise<{ worst: number; mean: number }> {
  const dims = [1, 3, recipe.side, recipe.side];
  const photo = photoOf(made.source, side);
  const result = await compositeEdit({
    photo,
    frame: { x: 0, y: 0, ...photo.extent },
    before: tensorOf(made.before, dims),
    after: tensorOf(made.after, dims),
    weight: fullMask(photo.extent),
    mode: 'transfer',
  });
  const errors = Array.from(photoOf(made.result, side).samples, (value, i) => Math.abs(value - result.photo.samples[i]!));
  return { worst: Math.max(...errors), mean: errors.reduce((sum, value) => sum + value, 0) / errors.length };
}

describe('edit transfer', () => {
  it.each(recipe.cases.map((made) => [made.name, made] as const))('gives PyTorch’s numbers: %s', async (_, made) => {
    const dims = [1, 3, recipe.side, recipe.side];
    const map = fitTransfer({ before: tensorOf(made.before, dims), after: tensorOf(made.after, dims) });
    const shares = Array.from(bytesOf(made.share), (value, i) => Math.abs(value / 255 - map.decodedShare.data[i]!));
    expect(Math.max(...shares)).toBeLessThan(0.004);
    expect((await transferred(made, recipe.side)).worst).toBeLessThanOrEqual(1);
  });

  it('gives PyTorch’s numbers at twice the resolution', async () => {
    expect((await transferred(recipe.twice, recipe.side * 2)).worst).toBeLessThanOrEqual(1);
  });

  it('fits the identity where nothing was edited', () => {
    const picture = makePicture(24, 24, (c, x, y) => 0.5 + 0.3 * Math.sin(x / 3 + c) * Math.cos(y / 4));
    const map = fitTransfer({ before: picture, after: picture });
    const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    map.matrix.data.forEach((value, i) => {
      expect(Math.abs(value - identity[Math.trunc(i / 576)]!)).toBeLessThan(1e-4);
    });
    expect(Math.max(...map.decodedShare.data)).toBe(0);
  });

  it('uses decoded pixels in the whole of an edited region that no colour map explains', () => {
    const before = makePicture(32, 32, (c, x, y) => 0.4 + 0.2 * Math.sin(x / 2 + c) * Math.cos(y / 2));
    const inside = (x: number, y: number) => x >= 8 && x < 20 && y >= 8 && y < 20;
    const after = makePicture(32, 32, (c, x, y) => {
      const kept = 0.4 + 0.2 * Math.sin(x / 2 + c) * Math.cos(y / 2);
      return inside(x, y) ? 0.4 + 0.2 * Math.cos(x * 1.3 + y * 0.9 + c) : kept;
    });
    const editMap = floats([1, 8, 8]);
    for (let y = 2; y < 5; y++) editMap.data.fill(1, y * 8 + 2, y * 8 + 5);
    const told = fitTransfer({ before, after, editMap }).decodedShare.data;
    for (let y = 10; y < 18; y++) for (let x = 10; x < 18; x++) expect(told[y * 32 + x]).toBeGreaterThan(0.95);
    expect(told[28 * 32 + 28]).toBeLessThan(0.05);
  });

  it('says the same from windows a standard deviation apart as from one around every pixel', () => {
    const [width, height] = [150, 131];
    const before = makePicture(width, height, (c, x, y) => 0.5 + 0.2 * Math.sin(x / 9 + c) * Math.cos(y / 7) + 0.2 * noise(c, x, y));
    const value = (c: number, x: number, y: number) => before.data[(c * height + y) * width + x]!;
    const light = (x: number, y: number) => 0.75 + 0.2 * Math.sin(x / 30) * Math.cos(y / 23);
    const after = makePicture(width, height, (c, x, y) =>
      c === 2 ? 0.8 * light(x, y) * value(2, x, y) : light(x, y) * (0.9 * value(c, x, y) + 0.05) + 0.01 * noise(c + 3, x, y),
    );
    const [plain, coarse] = [{ step: 1 }, { step: 4 }].map((options) => resultOf(fitTransfer({ before, after }, options), before));
    const levels = plain!.map((level, i) => Math.abs(level - coarse![i]!));
    expect(Math.max(...levels)).toBeLessThanOrEqual(1);
  });

  it('finds the same new content from either', () => {
    const before = makePicture(160, 128, (c, x, y) => 0.4 + 0.2 * Math.sin(x / 5 + c) * Math.cos(y / 6));
    const after = makePicture(160, 128, (c, x, y) => {
      const isNew = Math.hypot(x - 70, y - 60) < 26;
      return isNew ? 0.5 + 0.4 * Math.cos(x * 0.9 + c) * Math.sin(y * 0.7) : 0.4 + 0.2 * Math.sin(x / 5 + c) * Math.cos(y / 6);
    });
    const [plain, coarse] = [1, 4].map((step) => fitTransfer({ before, after }, { step }).decodedShare.data);
    expect(plain![60 * 160 + 70]).toBeGreaterThan(0.99);
    const differing = plain!.filter((value, i) => Math.abs(value - coarse![i]!) > 0.1);
    expect(differing.length / plain!.length).toBeLessThan(0.01);
  });
});

/** Grain that repeats nowhere, -0.5 to 0.5. */
function noise(c: number, x: number, y: number): number {
  const value = Math.sin(x * 12.9898 + y * 78.233 + c * 37.719) * 43758.5453;
  return value - Math.floor(value) - 0.5;
}

/** The map on the picture that it was fitted to, in levels. */
function resultOf({ matrix, offset }: TransferMap, { data }: FloatTensor): Float32Array {
  const pixels = data.length / 3;
  return data.map((_, i) => {
    const [c, pixel] = [Math.trunc(i / pixels), i % pixels];
    const parts = [0, 1, 2].map((k) => matrix.data[(c * 3 + k) * pixels + pixel]! * data[k * pixels + pixel]!);
    return 255 * parts.reduce((sum, part) => sum + part, offset.data[i]!);
  });
}
