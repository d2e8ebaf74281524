import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vectorQuantiser } from '#engine/families/codes.js';
import { swittiTransformer } from '#engine/families/switti/networks.js';
import { cropFeatures, rotaryOfScale } from '#engine/networks/switti/positions.js';
import { openSwitti } from '#engine/networks/switti/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import { layersPerScale } from '#engine/sampling/depth-presets.js';
import { guidancePerScale } from '#engine/sampling/guidance.js';
import type { ScalePlan, ScaleStep } from '#engine/sampling/scale-loop.js';
import type { VectorQuantiser } from '#engine/sampling/vector-quantiser.js';
import type { PictureCoder, ScalePredictor, TextFeatures } from '#engine/tensor/predictor.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { Fixture, fixturesFolder, maxDifference } from '../support/fixtures.js';
import { OnnxRunner } from '../support/onnx-runner.js';
import { run } from '../support/scale-steps.js';

interface Generated {
  readonly patch_nums: readonly number[];
  readonly guidance: readonly number[];
  /** Of the batch, at every scale. */
  readonly rows: readonly number[];
  readonly tokens: readonly (readonly number[])[];
  readonly margin: readonly (readonly number[])[];
}

const LOGIT_LIMIT = 5e-4;
const SUM_LIMIT = 1e-4;
/** Phases of thousands of radians, each a float32. */
const CROP_LIMIT = 2e-5;
const PIXEL_LIMIT = 1 / 255;
const SURE_MARGIN = 1e-3;

/** The published code's own numbers with var-tiny's tokenizer, and a small set of reference/switti.py with var-mini's. */
const SETS = [
  { name: 'switti-tiny', tokenizer: 'var-tiny/vae_ch32v4096z32.pth', folder: fixturesFolder() },
  { name: 'switti-mini', tokenizer: 'var-mini/vae_ch32v64z8.pth', folder: 'test/golden' },
];

describe.each(SETS)('PyTorch’s numbers for $name', ({ name: set, tokenizer: tokenizerFile, folder }) => {
  const fixture = new Fixture(folder, set);
  const json = (name: string) => fixture.json(`fx/${name}.json`);
  const array = (name: string) => fixture.array(`fx/${name}.npy`);

  describe.skipIf(!fixture.exists)('compared with ours (switti-tiny needs the reference fixtures)', () => {
    const runner = new OnnxRunner();
    const opened: ScalePredictor[] = [];
    let weights: Weights;
    let tokenizer: Weights;
    let coder: PictureCoder;
    let text: TextFeatures;

    beforeAll(async () => {
      weights = Weights.of(await openCheckpoint(fixture.file('model.safetensors')));
      tokenizer = Weights.of(await openCheckpoint(new Fixture(folder, tokenizerFile).folder));
      coder = await openVqganCoder(runner, tokenizer, { attention: true });
      text = textOf();
    });

    afterAll(async () => {
      for (const predictor of opened) await predictor.release();
      await coder.release();
    });

    /** Padding is left out: the reference hides it from all rows. */
    function textOf(): TextFeatures {
      const { valid } = json('text') as { valid: readonly [number, number] };
      const [context, pooled] = [array('text_context'), array('text_pooled')];
      const [, stored = 0, width = 0] = context.dims;
      const row = (index: 0 | 1) => ({
        features: floats([valid[index], width], context.data.slice(index * stored * width, (index * stored + valid[index]) * width)),
        pooled: floats([1, pooled.dims[1]!], pooled.data.slice(index * pooled.dims[1]!, (index + 1) * pooled.dims[1]!)),
      });
      return { kind: 'features', ...row(0), none: row(1) };
    }

    async function predictorOn(sides: readonly number[], autoregressive: boolean): Promise<ScalePredictor> {
      const shape = swittiTransformer.read(weights);
      const scales = squares(sides);
      const config = { ...shape, scales, autoregressive, text: { width: shape.textWidth, pooled: shape.pooledWidth } };
      const predictor = await openSwitti(runner, weights, config);
      opened.push(predictor);
      return predictor;
    }

    function planOf(predictor: ScalePredictor, guidance: readonly number[]): ScalePlan & { quantiser: VectorQuantiser } {
      const scales = predictor.schedule.length;
      return {
        predictor,
        quantiser: vectorQuantiser(predictor.schedule, tokenizer.at('quantize')),
        conditioning: { text, guided: guidance.some((value) => value !== 1) },
        sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 },
        guidance,
        layers: layersPerScale({ depth: predictor.depth, scales, lateScales: 0, lateLayers: predictor.depth }),
        lockedScales: 0,
        given: [],
        until: scales,
      };
    }

    it('turns tokens by the same angles, every scale stretched to one span', () => {
      const { rows, patch_nums: sides } = json('rotary_512_rows') as { rows: readonly number[]; patch_nums: readonly number[] };
      const theirs = array('rotary_512_rows'); // (rows, c/2, 2)
      const pairs = theirs.dims[1]!;
      const tables = squares(sides).map((grid) => rotaryOfScale(grid, 2 * pairs));
      rows.forEach((row, i) => {
        let [scale, token] = [0, row];
        for (; token >= sides[scale]! ** 2; scale++) token -= sides[scale]! ** 2;
        const at = ({ data }: FloatTensor) => [...data.subarray(token * pairs, (token + 1) * pairs)];
        const [cos, sin] = [at(tables[scale]!.cos), at(tables[scale]!.sin)];
        const ours = cos.flatMap((value, pair) => [value, sin[pair]!]);
        expect(maxDifference(ours, theirs.data.subarray(i * 2 * pairs, (i + 1) * 2 * pairs)), `row ${row}`).toBeLessThan(1e-5);
      });
    });

    it('describes a whole picture by the same phases', () => {
      expect(maxDifference(cropFeatures(weights).data, array('crop_embed').data)).toBeLessThan(CROP_LIMIT);
    });

    it.each([
      ['teacher', false],
      ['teacher_ar', true],
    ])('gives the same logits along the picture’s own tokens: %s', async (name, autoregressive) => {
      const { patch_nums: sides, tokens } = json('tokens_input') as Generated;
      const { rows } = json(name) as { rows: readonly number[] };
      const predictor = await predictorOn(sides, autoregressive);
      const given = tokens.map((scale) => Uint16Array.from(scale));
      const steps = await run({ ...planOf(predictor, sides.map(() => 1)), given }); // prettier-ignore
      const entries = swittiTransformer.read(weights).entries;
      const logits = steps.flatMap((step) => Array.from({ length: step.tokens.length }, (_, i) => step.logits.data.subarray(i * entries, (i + 1) * entries))); // prettier-ignore
      const theirs = array(`${name}_rows`).data;
      rows.forEach((row, i) => {
        expect(maxDifference(logits[row]!, theirs.subarray(i * entries, (i + 1) * entries)), `row ${row}`).toBeLessThan(LOGIT_LIMIT);
      });
    });

    it.each([
      ['generate', false],
      ['generate_cfg_off', false],
      ['generate_ar', true],
      ['generate_512', false],
    ])('draws the same tokens, sum and picture: %s', async (name, autoregressive) => {
      if (!fixture.has(`fx/${name}.json`)) return;
      const expected = json(name) as Generated;
      const predictor = await predictorOn(expected.patch_nums, autoregressive);
      const plan = planOf(predictor, expected.guidance);
      const steps = await run(plan);
      expect(steps.map(({ logits }) => logits.dims[0])).toEqual(expected.rows);
      steps.forEach(({ tokens, scale }) => {
        tokens.forEach((token, i) => {
          if (expected.margin[scale]![i]! > SURE_MARGIN) expect(token, `scale ${scale}, token ${i}`).toBe(expected.tokens[scale]![i]);
        });
      });
      const { sum } = steps.at(-1)!;
      expect(maxDifference(sum.data, array(`${name}_f_hat`).data)).toBeLessThan(SUM_LIMIT);
      if (name !== 'generate') return;
      expect(maxDifference(guidancePerScale(expected.guidance.at(-1)!, steps.length, 'linear'), expected.guidance)).toBeLessThan(1e-9);
      expectLogits(steps, plan.quantiser.entries);
      const picture = await coder.decode({ ...sum, dims: [1, ...sum.dims] });
      expect(maxDifference(everyFourth(picture), array('generate_image_sub').data)).toBeLessThan(PIXEL_LIMIT);
    });

    function expectLogits(steps: readonly ScaleStep[], entries: number): void {
      const { rows } = json('generate_logits_rows') as { rows: readonly (readonly [scale: number, token: number])[] };
      const theirs = array('generate_logits').data;
      rows.forEach(([scale, token], i) => {
        const ours = steps[scale]!.logits.data.subarray(token * entries, (token + 1) * entries);
        expect(maxDifference(ours, theirs.subarray(i * entries, (i + 1) * entries)), `${scale}, ${token}`).toBeLessThan(LOGIT_LIMIT);
      });
    }
  });
});

function squares(sides: readonly number[]): [number, number][] {
  return sides.map((side) => [side, side]);
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
