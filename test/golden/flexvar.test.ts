import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cellCount, type Grid } from '#base/geometry.js';
import { codesIn } from '#engine/families/codes.js';
import type { FlexVarShape } from '#engine/families/flexvar/networks.js';
import { gridsFor, isCertain } from '#engine/families/flexvar/schedules.js';
import { recognise } from '#engine/families/recognise.js';
import { openFlexVar, type FlexVar } from '#engine/networks/flexvar/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import { Codebook } from '#engine/sampling/codebook.js';
import { layersPerScale } from '#engine/sampling/depth-presets.js';
import { guidanceOn } from '#engine/sampling/guidance.js';
import { PictureQuantiser } from '#engine/sampling/picture-quantiser.js';
import { encodeTokens } from '#engine/sampling/quantiser.js';
import type { ScalePlan, ScaleStep } from '#engine/sampling/scale-loop.js';
import type { PictureCoder } from '#engine/tensor/predictor.js';
import { resizeCubic } from '#engine/tensor/resample.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { Fixture, fixturesFolder, maxDifference } from '../support/fixtures.js';
import { OnnxRunner } from '../support/onnx-runner.js';
import { run } from '../support/scale-steps.js';

interface Generated {
  readonly class_: number;
  readonly cfg: number;
  readonly ramp?: string;
  readonly patch_nums?: readonly number[];
  readonly grids?: readonly Grid[];
  readonly guidance: readonly number[];
  readonly top_k_per_scale?: readonly number[];
  readonly tokens: readonly (readonly number[])[];
  readonly margin: readonly (readonly number[])[];
}

interface Taught {
  readonly patch_nums: readonly number[];
  readonly rows: readonly number[];
  readonly argmax: readonly number[];
}

const LOGIT_LIMIT = 5e-4;
const FEATURE_LIMIT = 1e-4;
/** One step of 255. */
const PIXEL_LIMIT = 1 / 255;
const SURE_MARGIN = 1e-3;

/** The published code's own numbers, and a small set of reference/flexvar.py, which agrees with the published code. */
const SETS = [
  { name: 'flexvar-tiny', folder: fixturesFolder() },
  { name: 'flexvar-mini', folder: 'test/golden' },
];

describe.each(SETS)('PyTorch’s numbers for $name', ({ name: set, folder }) => {
  const fixture = new Fixture(folder, set);
  const json = (name: string) => fixture.json(`fx/${name}.json`);
  const array = (name: string) => fixture.array(`fx/${name}.npy`);
  const has = (name: string) => fixture.exists && readdirSync(fixture.file('fx')).includes(name);

  describe.skipIf(!fixture.exists)('compared with ours (flexvar-tiny needs the reference fixtures)', () => {
    const runner = new OnnxRunner();
    let model: FlexVar;
    let coder: PictureCoder;
    let codebook: Codebook;

    beforeAll(async () => {
      const files = readdirSync(fixture.folder).filter((name) => name.endsWith('.pth'));
      const file = (start: string) => fixture.file(files.find((name) => name.startsWith(start)) ?? '');
      const transformer = await openCheckpoint(file('FlexVAR'));
      const tokenizer = Weights.of(await openCheckpoint(file('FlexVAE')));
      const shape = recognise(transformer).model as FlexVarShape;
      model = await openFlexVar(runner, Weights.of(transformer), { ...shape, scales: [[1, 1]] });
      coder = await openVqganCoder(runner, tokenizer, { attention: true });
      codebook = Codebook.ofDirections(codesIn(tokenizer.at('quantize')));
    });

    afterAll(async () => {
      await model([[1, 1]]).release();
      await coder.release();
    });

    function planOf(schedule: readonly Grid[], { class_, guidance }: Pick<Generated, 'class_' | 'guidance'>): ScalePlan {
      const predictor = model(schedule.map(([rows, columns]) => [rows, columns]));
      return {
        predictor,
        quantiser: new PictureQuantiser({ schedule, codebook, certain: schedule.map(() => false) }),
        conditioning: { text: { kind: 'class', index: class_ }, guided: guidance.some((value) => value !== 1) },
        sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 },
        guidance,
        layers: layersPerScale({ depth: predictor.depth, scales: schedule.length, lateScales: 0, lateLayers: predictor.depth }),
        lockedScales: 0,
        given: [],
        until: schedule.length,
      };
    }

    function generated(name: string): { expected: Generated; schedule: readonly Grid[] } {
      const expected = json(name) as Generated;
      return { expected, schedule: expected.grids ?? squares(expected.patch_nums ?? []) };
    }

    const sourceTokens = (name = 'tokens_input') => (json(name) as Generated).tokens.map((scale) => Uint16Array.from(scale));

    async function sourceFeatures(picture = 'input'): Promise<FloatTensor> {
      const { dims, data } = await coder.encode(fixture.picture(`fx/${picture}.png`));
      return { dims: dims.slice(1), data, dtype: 'float32' };
    }

    async function expectPicture(codes: FloatTensor, name: string): Promise<void> {
      const picture = await coder.decode({ ...codes, dims: [1, ...codes.dims] });
      expect(maxDifference(everyFourth(picture), array(`${name}_image_sub`).data)).toBeLessThan(PIXEL_LIMIT);
    }

    it('encodes the picture into the same features and tokens, whatever the grids, and back', async () => {
      const features = await sourceFeatures();
      expect(maxDifference(features.data, array('encoder_features').data)).toBeLessThan(FEATURE_LIMIT);
      const { schedule, expected } = generated('tokens_input');
      const { tokens, sum } = encodeTokens(planOf(schedule, { class_: 0, guidance: [] }).quantiser, features);
      expect(tokens.map((scale) => [...scale])).toEqual(expected.tokens);
      expect(maxDifference(sum.data, array('reconstruct_codes').data)).toBeLessThan(FEATURE_LIMIT);
      await expectPicture(sum, 'reconstruct');
    });

    it('makes a picture of every scale, which is shown larger bicubically', async () => {
      const { schedule } = generated('tokens_input');
      const scale = schedule.findIndex(([rows]) => rows === 4);
      const codes = codebook.codesOf(sourceTokens()[scale]!, schedule[scale]!);
      const small = await coder.decode({ ...codes, dims: [1, ...codes.dims] });
      expect(maxDifference(small.data, array('preview_scale_4').data)).toBeLessThan(PIXEL_LIMIT);
      const enlarged = (data: Float32Array) => {
        const [, , ...size] = fixture.picture('fx/input.png').dims;
        const large = resizeCubic(floats(small.dims.slice(1), data), size as unknown as Grid);
        return everyFourth({ ...large, dims: [1, ...large.dims] });
      };
      // The published code clamps behind the enlarging, which only pixels beside black or white ones tell.
      const beside = enlarged(small.data.map((value) => (value === 0 || value === 1 ? 1 : 0)));
      const [ours, theirs] = [enlarged(small.data), array('preview_scale_4_up_sub').data];
      const compared = [...ours.keys()].filter((i) => beside[i] === 0);
      expect(compared.length).toBeGreaterThan(ours.length / 4);
      for (const i of compared) expect(Math.abs(Math.min(1, Math.max(0, ours[i]!)) - theirs[i]!)).toBeLessThan(PIXEL_LIMIT);
    });

    it.each(['teacher_s10', 'teacher_s6', 'teacher_s13'].filter((name) => has(`${name}.json`)))(
      'gives the same logits along the picture’s own tokens: %s',
      async (name) => {
        const { patch_nums: sides, rows, argmax } = json(name) as Taught;
        const { class_ } = json('generate') as Generated;
        const plan = planOf(squares(sides), { class_, guidance: sides.map(() => 1) });
        const given = encodeTokens(plan.quantiser, await sourceFeatures()).tokens;
        const logits = (await run({ ...plan, given })).map((step) => step.logits);
        const all = Float32Array.from(logits.flatMap(({ data }) => [...data]));
        const { entries } = codebook;
        const expected = array(`${name}_rows`).data;
        rows.forEach((row, i) => {
          const [ours, theirs] = [all.subarray(row * entries, (row + 1) * entries), expected.subarray(i * entries, (i + 1) * entries)];
          expect(maxDifference(ours, theirs), `row ${row}`).toBeLessThan(LOGIT_LIMIT);
        });
        const likeliest = argmax.map((_, row) => indexOfLargest(all.subarray(row * entries, (row + 1) * entries)));
        expect(likeliest.filter((entry, row) => entry !== argmax[row]).length).toBeLessThan(argmax.length / 100);
      },
    );

    it.each(['generate', 'generate_constant', 'generate_unguided', 'generate_13', 'generate_6', 'generate_512', 'wide'].filter((name) => has(`${name}.json`)))(
      'generates the same tokens and picture: %s',
      async (name) => {
        const { expected, schedule } = generated(name);
        const ramp = expected.ramp === 'constant' ? expected.guidance : guidanceOn(schedule, 1 + expected.cfg, 'ten scales');
        expect(maxDifference(ramp, expected.guidance)).toBeLessThan(1e-9);
        const steps = await run(planOf(schedule, expected));
        expectTokens(steps, expected);
        if (has(`${name}_image_sub.npy`)) await expectPicture(steps.at(-1)!.sum, name);
        if (has(`${name}_logits.npy`)) expectLogits(steps, name);
        if (expected.top_k_per_scale) expect(schedule.map(isCertain)).toEqual(expected.top_k_per_scale.map((topK) => topK === 1));
      },
    ); // prettier-ignore

    function expectLogits(steps: readonly ScaleStep[], name: string): void {
      const { rows } = json(`${name}_logits_rows`) as { rows: readonly (readonly [scale: number, token: number])[] };
      const expected = array(`${name}_logits`).data; // (rows, 2, V)
      const { entries } = codebook;
      rows.forEach(([scale, token], i) => {
        const { data, dims } = steps[scale]!.logits;
        for (const batch of [0, 1]) {
          const first = (batch * dims[1]! + token) * entries;
          const theirs = expected.subarray((2 * i + batch) * entries, (2 * i + batch + 1) * entries);
          expect(maxDifference(data.subarray(first, first + entries), theirs), `scale ${scale}, token ${token}`).toBeLessThan(LOGIT_LIMIT);
        }
      });
    }

    it.each(['inpaint', 'outpaint'])('%ss with the source’s tokens put back where the mask keeps them', async (name) => {
      const { keep_mask: kept, keep_per_scale: keptPerScale } = json(`${name}_mask`) as {
        keep_mask: readonly (readonly number[])[];
        keep_per_scale: readonly (readonly number[])[];
      };
      const { expected, schedule } = generated(name);
      const plan = planOf(schedule, expected);
      const repaint = floats([1, ...plan.quantiser.finest], Float32Array.from(kept.flat(), (keep) => 1 - keep)); // prettier-ignore
      expect(schedule.map((_, scale) => [...plan.quantiser.kept(repaint, scale)])).toEqual(keptPerScale.map((keep) => keep.map(Number)));
      const source = { features: await sourceFeatures(), sourceTokens: sourceTokens(), keepMask: repaint };
      const steps = await run({ ...plan, ...source });
      const merged = expected.tokens.map((scale, k) =>
        scale.map((token, i) => (keptPerScale[k]![i] ? source.sourceTokens[k]![i]! : token)),
      );
      expectTokens(steps, { ...expected, tokens: merged });
      await expectPicture(steps.at(-1)!.sum, name);
    });

    it('refines a picture whose first scales are given', async () => {
      const { expected, schedule } = generated('refine');
      const tokens = sourceTokens();
      const given = expected.tokens.filter((scale, k) => scale.join() === tokens[k]!.join()).length;
      expect(given).toBeGreaterThan(1);
      const source = { features: await sourceFeatures(), sourceTokens: tokens, lockedScales: given };
      const steps = await run({ ...planOf(schedule, expected), ...source });
      expectTokens(steps, expected);
      await expectPicture(steps.at(-1)!.sum, 'refine');
    });

    it.skipIf(!has('wide_tokens_input.json'))('encodes a picture of another shape on grids of that shape', async () => {
      const { schedule } = generated('wide');
      const features = await sourceFeatures('wide_input');
      expect(maxDifference(features.data, array('wide_encoder_features').data)).toBeLessThan(FEATURE_LIMIT);
      const { tokens } = encodeTokens(planOf(schedule, { class_: 0, guidance: [] }).quantiser, features);
      expect(tokens.map((scale) => [...scale])).toEqual((json('wide_tokens_input') as Generated).tokens);
    });
  });
});

describe('the grids of a wish', () => {
  const sides = (fit: Parameters<typeof gridsFor>[0]) => gridsFor(fit, 16).map(([rows]) => rows);

  it('are those that its authors drew on, where there are such', () => {
    expect(sides({})).toEqual([1, 2, 3, 4, 5, 6, 8, 10, 13, 16]);
    expect(sides({ scaleCount: 6 })).toEqual([1, 2, 4, 6, 10, 16]);
    expect(sides({ modelSide: 512 })).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 23, 32]);
  });

  it('grow from one token to the side that is asked for, in so many scales', () => {
    for (const modelSide of [64, 128, 240, 256, 384, 512]) {
      for (let scaleCount = 2; scaleCount <= Math.min(16, modelSide / 16); scaleCount++) {
        const list = sides({ modelSide, scaleCount });
        expect([list.length, list[0], list.at(-1)]).toEqual([scaleCount, 1, modelSide / 16]);
        expect(list.every((side, k) => k === 0 || side > list[k - 1]!)).toBe(true);
      }
    }
    expect(() => gridsFor({ modelSide: 64, scaleCount: 5 }, 16)).toThrow('Expected at most 4 scales for 64 pixels but received 5.');
  });

  it('take the shape of the picture, with about as many tokens', () => {
    const wide = gridsFor({ shape: { width: 1500, height: 1000 } }, 16);
    expect([wide[0], wide.at(-1)]).toEqual([[1, 1], [13, 20]]); // prettier-ignore
    expect(gridsFor({ shape: { width: 20_000, height: 16 } }, 16).every(([rows, columns]) => rows === 1 && columns <= 128)).toBe(true);
  });

  it('are those of given tokens, unless nothing could be drawn on them', () => {
    const schedule: Grid[] = [[1, 1], [3, 5]]; // prettier-ignore
    expect(gridsFor({ schedule, scaleCount: 6 }, 16)).toEqual(schedule);
    expect(gridsFor({ schedule: [[2, 2], [4, 4]] }, 16)).toHaveLength(10); // prettier-ignore
    expect(gridsFor({ schedule: [[1, 1], [512, 512]] }, 16)).toHaveLength(10); // prettier-ignore
  });
});

function squares(sides: readonly number[]): readonly Grid[] {
  return sides.map((side) => [side, side]);
}

function expectTokens(steps: readonly ScaleStep[], { tokens: expected, margin }: Pick<Generated, 'tokens' | 'margin'>): void {
  steps.forEach(({ tokens, scale }) => {
    expect(tokens).toHaveLength(cellCount([tokens.length, 1]));
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

function indexOfLargest(row: Float32Array): number {
  return row.reduce((best, value, i) => (value > row[best]! ? i : best), 0);
}
