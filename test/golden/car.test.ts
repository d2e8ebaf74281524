import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vectorQuantiser } from '#engine/families/codes.js';
import type { VarShape } from '#engine/families/var/networks.js';
import { recognise } from '#engine/families/recognise.js';
import { controlPicture, openCar, type CarPredictor } from '#engine/networks/car/predictor.js';
import { openVar } from '#engine/networks/var/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import { layersPerScale } from '#engine/sampling/depth-presets.js';
import { guidancePerScale } from '#engine/sampling/guidance.js';
import type { ScalePlan, ScaleStep } from '#engine/sampling/scale-loop.js';
import type { VectorQuantiser } from '#engine/sampling/vector-quantiser.js';
import type { Conditioning, PictureCoder, ScalePredictor } from '#engine/tensor/predictor.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { Fixture, fixturesFolder, maxDifference } from '../support/fixtures.js';
import { OnnxRunner } from '../support/onnx-runner.js';
import { run } from '../support/scale-steps.js';

interface Generated {
  readonly class_: number;
  readonly patch_nums: readonly number[];
  readonly guidance: readonly number[];
  readonly tokens: readonly (readonly number[])[];
  readonly margin: readonly (readonly number[])[];
}

const LOGIT_LIMIT = 5e-4;
const SUM_LIMIT = 1e-4;
/** Features of the control picture are about 8. */
const FEATURE_LIMIT = 2e-3;
const PIXEL_LIMIT = 1 / 255;
const SURE_MARGIN = 1e-3;

/** The published code's own numbers with var-tiny's tokenizer, and a small set of reference/car.py with var-mini's. */
const SETS = [
  { name: 'car-tiny', tokenizer: 'var-tiny', folder: fixturesFolder() },
  { name: 'car-mini', tokenizer: 'var-mini', folder: 'test/golden' },
];

describe.each(SETS)('PyTorch’s numbers for $name', ({ name: set, tokenizer: tokenizerSet, folder }) => {
  const fixture = new Fixture(folder, set);
  const tokens = new Fixture(folder, tokenizerSet);
  const json = (name: string) => fixture.json(`fx/${name}.json`);
  const array = (name: string) => fixture.array(`fx/${name}.npy`);

  describe.skipIf(!fixture.exists)('compared with ours (car-tiny needs the reference fixtures)', () => {
    const runner = new OnnxRunner();
    let predictor: CarPredictor;
    let plain: ScalePredictor;
    let coder: PictureCoder;
    let quantiser: VectorQuantiser;
    let expected: Generated;
    let scales: [number, number][];

    beforeAll(async () => {
      expected = json('generate') as Generated;
      scales = expected.patch_nums.map((side) => [side, side]);
      const weightsIn = async (from: Fixture, start: string) =>
        Weights.of(await openCheckpoint(from.file(readdirSync(from.folder).find((name) => name.startsWith(start) && name.endsWith('.pth')) ?? start))); // prettier-ignore
      const own = readdirSync(fixture.folder).some((name) => name.startsWith('var_'));
      const transformer = await weightsIn(own ? fixture : tokens, 'var_');
      const tokenizer = await weightsIn(tokens, 'vae_');
      const config = { ...(recognise(transformer.checkpoint).model as VarShape), scales };
      predictor = await openCar(runner, { transformer, adapter: await weightsIn(fixture, 'car_') }, config);
      plain = await openVar(runner, transformer, config);
      coder = await openVqganCoder(runner, tokenizer, { attention: true });
      quantiser = vectorQuantiser(scales, tokenizer.at('quantize'));
    });

    afterAll(async () => {
      await Promise.all([predictor.release(), plain.release(), coder.release()]);
    });

    function controlled(strength = 1, toScale = scales.length - 1): Pick<Conditioning, 'control'> {
      return { control: { map: fixture.picture('fx/control.png'), strength, fromScale: 0, toScale } };
    }

    function planOf(guidance: readonly number[], control: Pick<Conditioning, 'control'> = {}, by: ScalePredictor = predictor): ScalePlan {
      return {
        predictor: by,
        quantiser,
        conditioning: { text: { kind: 'class', index: expected.class_ }, guided: guidance.some((value) => value !== 1), ...control },
        sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 },
        guidance,
        layers: layersPerScale({ depth: by.depth, scales: scales.length, lateScales: 0, lateLayers: by.depth }),
        lockedScales: 0,
        given: [],
        until: scales.length,
      };
    }

    const controlSizes = readdirSync(fixture.exists ? fixture.file('fx') : '.').flatMap(
      (name) => /^control_(\d+)\.png$/u.exec(name)?.[1] ?? [],
    );
    it.each(controlSizes.map(Number))('resizes the control picture to %i pixels as Pillow does', (side) => {
      const ours = controlPicture(fixture.picture('fx/control.png'), [side / 16, side / 16]);
      const theirs = fixture.picture(`fx/control_${side}.png`);
      expect(maxDifference(ours.data, theirs.data.map((value) => value * 2 - 1))).toBeLessThan(2 * PIXEL_LIMIT + 1e-6); // prettier-ignore
    });

    it('sees the same in the control picture, at every scale by itself', async () => {
      const features = array('control_features'); // (L, C)
      const width = features.dims[1] ?? 0;
      let first = 0;
      for (const grid of scales) {
        const map = await predictor.control(controlled().control!, grid); // (1, C, h, w)
        const cells = grid[0] * grid[1];
        const rows = floats([cells, width], map.data.map((_, i) => map.data[(i % width) * cells + Math.floor(i / width)]!)); // prettier-ignore
        expect(maxDifference(rows.data, features.data.subarray(first * width, (first + cells) * width)), String(grid)).toBeLessThan(FEATURE_LIMIT); // prettier-ignore
        first += cells;
      }
    });

    it('gives the same logits along the picture’s own tokens', async () => {
      const { rows } = json('teacher') as { rows: readonly number[] };
      const given = (json('tokens_input') as Generated).tokens.map((scale) => Uint16Array.from(scale));
      const steps = await run({ ...planOf(scales.map(() => 1), controlled()), given }); // prettier-ignore
      const all = Float32Array.from(steps.flatMap(({ logits }) => [...logits.data]));
      const theirs = array('teacher_rows').data;
      const entries = quantiser.entries;
      rows.forEach((row, i) => {
        const ours = all.subarray(row * entries, (row + 1) * entries);
        expect(maxDifference(ours, theirs.subarray(i * entries, (i + 1) * entries)), `row ${row}`).toBeLessThan(LOGIT_LIMIT);
      });
    });

    it('generates the same logits, tokens, sum and picture', async () => {
      expect(maxDifference(guidancePerScale(expected.guidance.at(-1)!, scales.length, 'linear'), expected.guidance)).toBeLessThan(1e-9);
      const steps = await run(planOf(expected.guidance, controlled()));
      expectTokens(steps, expected);
      const { rows } = json('generate_logits_rows') as { rows: readonly (readonly [scale: number, token: number])[] };
      const theirs = array('generate_logits').data; // (rows, 2, V)
      const entries = quantiser.entries;
      rows.forEach(([scale, token], i) => {
        const { data, dims } = steps[scale]!.logits;
        for (const batch of [0, 1]) {
          const start = (batch * dims[1]! + token) * entries;
          const row = theirs.subarray((2 * i + batch) * entries, (2 * i + batch + 1) * entries);
          expect(maxDifference(data.subarray(start, start + entries), row), `scale ${scale}, token ${token}`).toBeLessThan(LOGIT_LIMIT);
        }
      });
      const { sum } = steps.at(-1)!;
      expect(maxDifference(sum.data, array('generate_f_hat').data)).toBeLessThan(SUM_LIMIT);
      const picture = await coder.decode({ ...sum, dims: [1, ...sum.dims] });
      expect(maxDifference(everyFourth(picture), array('generate_image_sub').data)).toBeLessThan(PIXEL_LIMIT);
    });

    it('generates the same tokens without guidance', async () => {
      const unguided = json('generate_unguided') as Generated;
      expectTokens(await run(planOf(unguided.guidance, controlled())), unguided);
    });

    it('is the VAR where nothing is held, to the last bit, and where the strength is 0 at every scale', async () => {
      const without = json('generate_no_control') as Generated;
      const steps = await run(planOf(without.guidance));
      expectTokens(steps, without);
      const own = await run(planOf(without.guidance, {}, plain));
      steps.forEach(({ logits }, scale) => { expect(maxDifference(logits.data, own[scale]!.logits.data)).toBe(0); }); // prettier-ignore
      const unheld = await run(planOf(without.guidance, controlled(0)));
      expect(unheld.map(({ tokens: drawn }) => [...drawn])).toEqual(own.map(({ tokens: drawn }) => [...drawn]));
    });

    it('holds the scales that it is told to, as strongly as it is told', async () => {
      const [held, half, early] = [
        await run(planOf(expected.guidance, controlled())),
        await run(planOf(expected.guidance, controlled(0.5))),
        await run(planOf(expected.guidance, controlled(1, 0))),
      ];
      const own = await run(planOf(expected.guidance));
      const logitsOf = (steps: readonly ScaleStep[], scale: number) => steps[scale]!.logits.data;
      expect(maxDifference(logitsOf(early, 0), logitsOf(held, 0))).toBe(0);
      const [strong, weak] = [held, half].map((steps) => maxDifference(logitsOf(steps, 0), logitsOf(own, 0))) as [number, number];
      expect(weak).toBeGreaterThan(0);
      expect(weak).toBeLessThan(strong);
    });
  });
});

function expectTokens(steps: readonly ScaleStep[], { tokens: expected, margin }: Pick<Generated, 'tokens' | 'margin'>): void {
  steps.forEach(({ tokens, scale }) => {
    tokens.forEach((token, i) => {
      if (margin[scale]![i]! > SURE_MARGIN) expect(token, `scale ${scale}, token ${i}`).toBe(expected[scale]![i]);
    });
  });
}

/** `[1, 3, H, W]` → every fourth pixel from the third row and column on. */
function everyFourth({ dims, data }: FloatTensor): Float32Array {
  const [, channels = 0, height = 0, width = 0] = dims;
  const values: number[] = [];
  for (let row = 0; row < channels * height; row++) {
    if ((row % height) % 4 === 2) for (let x = 2; x < width; x += 4) values.push(data[row * width + x]!);
  }
  return Float32Array.from(values);
}
