import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blurredPicture, canny, modelCanny } from '#engine/control/canny.js';
import { bytesOf, differingSamples, tensorOf } from '../image/pictures.js';

interface CannyCase {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly samples: string;
  readonly low: number;
  readonly high: number;
  readonly edges: string;
}

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../../fixtures/canny/${name}`, import.meta.url), 'utf8')) as unknown;
const opencv = read('opencv.json') as { cases: CannyCase[] };
const model = read('model.json') as { side: number; cases: { picture: string; edges: string }[] };

describe('canny', () => {
  it.each(opencv.cases.map((made) => [`${made.width}×${made.height}×${made.channels} at ${made.low} and ${made.high}`, made] as const))(
    'equals OpenCV bit for bit: %s',
    (_, made) => {
      const edges = canny({ ...made, samples: bytesOf(made.samples) }, made.low, made.high);
      expect(differingSamples(edges, bytesOf(made.edges))).toBe(0);
    },
  );

  it('finds no edge of a checkerboard that a blur has levelled', () => {
    const [width, height] = [32, 32];
    const samples = Uint8Array.from({ length: width * height }, (_, i) => (((i % width) + Math.floor(i / width)) % 2) * 255);
    const count = (sigma: number) =>
      canny(blurredPicture({ width, height, channels: 1, samples }, sigma), 100, 200).filter((v) => v > 0).length;
    expect([count(0) > 0, count(2)]).toEqual([true, 0]);
  });

  it('finds nothing in a flat picture', () => {
    expect(canny({ width: 8, height: 8, channels: 3, samples: new Uint8Array(192).fill(90) }, 1, 2).every((value) => value === 0)).toBe(
      true,
    );
  });
});

describe('the edge detector of the packs', () => {
  it.each(model.cases.map((made, i) => [i, made] as const))('equals the one of their training data: picture %i', (_, made) => {
    const edges = modelCanny(tensorOf(made.picture, [1, 3, model.side, model.side]));
    const wanted = bytesOf(made.edges);
    const found = Uint8Array.from(edges.data, (value) => value * 255);
    // Two neighbours of equal strength are told apart by the last bit of a float.
    expect(differingSamples(found, wanted)).toBeLessThanOrEqual(4);
    expect(wanted.filter((value) => value > 0).length).toBeGreaterThan(100);
  });

  it('finds fewer edges in a blurred picture, and the same ones without a blur', () => {
    const picture = tensorOf(model.cases[0]!.picture, [1, 3, model.side, model.side]);
    const count = (blur: number) => modelCanny(picture, { blur }).data.reduce((sum, value) => sum + value, 0);
    expect(modelCanny(picture, { blur: 0 }).data).toEqual(modelCanny(picture).data);
    expect(count(3)).toBeLessThan(count(0));
  });

  it('finds fewer edges with higher thresholds', () => {
    const picture = tensorOf(model.cases[0]!.picture, [1, 3, model.side, model.side]);
    const count = (thresholds: { low: number; high: number }) =>
      modelCanny(picture, thresholds).data.reduce((sum, value) => sum + value, 0);
    expect(count({ low: 400, high: 800 })).toBeLessThan(count({ low: 50, high: 100 }));
  });
});
