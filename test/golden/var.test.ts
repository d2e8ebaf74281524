import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VarConfig } from '#contract/pack-card.js';
import { vectorQuantiser } from '#engine/families/codes.js';
import { openVar } from '#engine/networks/var/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import { layersPerScale } from '#engine/sampling/depth-presets.js';
import { guidancePerScale } from '#engine/sampling/guidance.js';
import { encodeTokens, sumOfTokens } from '#engine/sampling/quantiser.js';
import type { ScalePlan } from '#engine/sampling/scale-loop.js';
import type { VectorQuantiser } from '#engine/sampling/vector-quantiser.js';
import type { PictureCoder, ScalePredictor } from '#engine/tensor/predictor.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { recognise } from '#engine/families/recognise.js';
import type { VarShape } from '#engine/families/var/networks.js';
import { Fixture, fixturesFolder, maxDifference } from '../support/fixtures.js';
import { OnnxRunner } from '../support/onnx-runner.js';
import { run } from '../support/scale-steps.js';

interface Generated {
  readonly class_: number;
  readonly cfg: number;
  readonly patch_nums: readonly number[];
  readonly tokens: readonly (readonly number[])[];
  readonly margin: readonly (readonly number[])[];
}

interface Masked {
  readonly edit_mask: readonly (readonly number[])[];
  readonly keep_per_scale: readonly (readonly number[])[];
}

const LOGIT_LIMIT = 1e-4;
const SUM_LIMIT = 1e-5;
/** One step of 255. */
const PIXEL_LIMIT = 1 / 255;

/** The published code's own numbers, and two small sets of reference/var.py, which agrees with the published code. */
const SETS = [
  { name: 'var-tiny', folder: fixturesFolder() },
  { name: 'var-mini', folder: 'test/golden' },
  { name: 'var-mini-shared', folder: 'test/golden' },
];

describe.each(SETS)('PyTorch’s numbers for $name', ({ name: set, folder }) => {
  const fixture = new Fixture(folder, set);
  const json = (name: string) => fixture.json(`fx/${name}.json`);
  const array = (name: string) => fixture.array(`fx/${name}.npy`);

  describe.skipIf(!fixture.exists)('compared with ours (var-tiny needs the reference fixtures)', () => {
    const runner = new OnnxRunner();
    let predictor: ScalePredictor;
    let coder: PictureCoder;
    let quantiser: VectorQuantiser;
    let generated: Generated;

    beforeAll(async () => {
      generated = json('generate') as Generated;
      const [tokenizerFile = '', transformerFile = ''] = readdirSync(fixture.folder)
        .filter((name) => name.endsWith('.pth'))
        .sort();
      const transformer = await openCheckpoint(fixture.file(transformerFile));
      const tokenizer = Weights.of(await openCheckpoint(fixture.file(tokenizerFile)));
      const scales = generated.patch_nums.map((side): [number, number] => [side, side]);
      const recognised = recognise(transformer).model as VarShape;
      const config: VarConfig = { ...recognised, scales, text: { kind: 'classes', names: [] }, lateScales: 0 };
      predictor = await openVar(runner, Weights.of(transformer), config);
      coder = await openVqganCoder(runner, tokenizer, { attention: true });
      quantiser = vectorQuantiser(scales, tokenizer.at('quantize'));
    });

    afterAll(async () => {
      await predictor.release();
      await coder.release();
    });

    function planOf(changes: Partial<ScalePlan> = {}): ScalePlan {
      return {
        predictor,
        quantiser,
        conditioning: { text: { kind: 'class', index: generated.class_ }, guided: true },
        sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 },
        guidance: guidancePerScale(1 + generated.cfg, quantiser.scales, 'linear'),
        layers: layersPerScale({ depth: predictor.depth, scales: quantiser.scales, lateScales: 0, lateLayers: predictor.depth }),
        lockedScales: 0,
        given: [],
        until: quantiser.scales,
        ...changes,
      };
    }

    async function expectPicture(sum: FloatTensor, name: string): Promise<void> {
      const picture = await coder.decode({ ...sum, dims: [1, ...sum.dims] });
      expect(maxDifference(picture.data, array(`${name}_image`).data)).toBeLessThan(PIXEL_LIMIT);
    }

    it('encodes the picture into the same features and tokens', async () => {
      const features = await coder.encode(fixture.picture('fx/input.png'));
      expect(maxDifference(features.data, array('encoder_features').data)).toBeLessThan(1e-4);
      const { tokens, sum } = encodeTokens(quantiser, { ...features, dims: features.dims.slice(1) });
      expect(tokens.map((scale) => [...scale])).toEqual((json('tokens_input') as Generated).tokens);
      expect(maxDifference(sum.data, array('reconstruct_f_hat').data)).toBeLessThan(SUM_LIMIT);
      await expectPicture(sum, 'reconstruct');
    });

    it('gives the same logits along given tokens', async () => {
      const given = (json('teacher_tokens') as Generated).tokens.map((scale) => Uint16Array.from(scale));
      const steps = await run(
        planOf({ given, guidance: guidancePerScale(1, 4, 'constant'), conditioning: { ...planOf().conditioning, guided: false } }),
      );
      const logits = steps.flatMap((step) => [...step.logits.data]);
      expect(maxDifference(logits, array('teacher_logits').data)).toBeLessThan(LOGIT_LIMIT);
    });

    it('generates the same tokens, sums, logits and picture', async () => {
      const steps = await run(planOf());
      const sums = array('generate_f_hat_scales');
      const size = sums.data.length / quantiser.scales;
      for (const { scale, tokens, logits, sum } of steps) {
        expect(maxDifference(logits.data, array(`generate_logits_${scale}`).data), `scale ${scale}`).toBeLessThan(LOGIT_LIMIT);
        tokens.forEach((token, i) => {
          if (generated.margin[scale]![i]! > 1e-3) expect(token, `scale ${scale}, token ${i}`).toBe(generated.tokens[scale]![i]);
        });
        expect(maxDifference(sum.data, sums.data.subarray(scale * size, (scale + 1) * size)), `scale ${scale}`).toBeLessThan(SUM_LIMIT);
      }
      await expectPicture(steps.at(-1)!.sum, 'generate');
    });

    it.each(['inpaint', 'outpaint'])('%ss with the source’s tokens put back where the mask keeps them', async (name) => {
      const { edit_mask: kept, keep_per_scale: keptPerScale } = json(`${name}_mask`) as Masked;
      const repaint = floats(
        [1, ...quantiser.finest],
        Float32Array.from(kept.flat(), (keep) => 1 - keep),
      );
      expect(keptPerScale.map((_, scale) => [...quantiser.kept(repaint, scale)])).toEqual(keptPerScale);
      const features = array('encoder_features');
      const sourceTokens = (json('tokens_input') as Generated).tokens.map((scale) => Uint16Array.from(scale));
      const steps = await run(planOf({ features: { ...features, dims: features.dims.slice(1) }, sourceTokens, keepMask: repaint }));
      const expected = (json(name) as Generated).tokens;
      steps.forEach(({ tokens }, scale) => {
        tokens.forEach((token, i) => {
          expect(token, `scale ${scale}, token ${i}`).toBe(keptPerScale[scale]![i] ? sourceTokens[scale]![i] : expected[scale]![i]);
        });
      });
      expect(maxDifference(steps.at(-1)!.sum.data, array(`${name}_f_hat`).data)).toBeLessThan(SUM_LIMIT);
      await expectPicture(steps.at(-1)!.sum, name);
    });

    it('runs any subset of layers on late scales, and decodes what it drew', async () => {
      const layers = layersPerScale({ depth: predictor.depth, scales: quantiser.scales, lateScales: 2, lateLayers: 1 });
      const steps = await run(planOf({ layers }));
      const full = await run(planOf());
      expect(steps.slice(0, 2).map(({ tokens }) => [...tokens])).toEqual(full.slice(0, 2).map(({ tokens }) => [...tokens]));
      expect([...steps[3]!.logits.data]).not.toEqual([...full[3]!.logits.data]);
      expect(
        sumOfTokens(
          quantiser,
          steps.map(({ tokens }) => tokens),
        ),
      ).toEqual(steps[3]!.sum);
    });
  });
});
