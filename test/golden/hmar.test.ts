import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vectorQuantiser } from '#engine/families/codes.js';
import type { HmarShape } from '#engine/families/hmar/networks.js';
import { anew, maskedPasses } from '#engine/families/hmar/passes.js';
import { recognise } from '#engine/families/recognise.js';
import { openHmar, type HmarPredictor } from '#engine/networks/hmar/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import { layersPerScale } from '#engine/sampling/depth-presets.js';
import { guidancePerScale } from '#engine/sampling/guidance.js';
import { leastCertain } from '#engine/sampling/masked-passes.js';
import { patchify } from '#engine/sampling/patchify.js';
import { encodeTokens } from '#engine/sampling/quantiser.js';
import type { ScalePlan, ScaleStep } from '#engine/sampling/scale-loop.js';
import type { VectorQuantiser } from '#engine/sampling/vector-quantiser.js';
import type { PictureCoder, ScalePrediction } from '#engine/tensor/predictor.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { Fixture, fixturesFolder, maxDifference } from '../support/fixtures.js';
import { OnnxRunner } from '../support/onnx-runner.js';
import { run } from '../support/scale-steps.js';

interface Pass {
  readonly tokens: readonly number[];
  readonly margin: readonly number[];
  /** Of masked passes, in order of falling doubt. */
  readonly masked?: readonly number[];
  /** Between the last that is masked and the first that is kept; none where all are masked. */
  readonly cut_gap?: number | null;
}

interface Generated {
  readonly class_: number;
  readonly cfg: number;
  readonly patch_nums: readonly number[];
  readonly mask_schedule: readonly (readonly number[])[] | null;
  readonly guidance: readonly number[];
  readonly tokens: readonly (readonly number[])[];
  /** The passes of every scale. */
  readonly steps: readonly (readonly Pass[])[];
}

interface Taught {
  readonly class_: number;
  readonly rows: readonly number[];
  /** Positions over all scales. */
  readonly masked: readonly number[];
  readonly ns_argmax: readonly number[];
  readonly mask_argmax: readonly number[];
}

const LOGIT_LIMIT = 5e-4;
const SUM_LIMIT = 1e-5;
/** One step of 255. */
const PIXEL_LIMIT = 1 / 255;
const SURE_MARGIN = 1e-3;
const SURE_CUT = 1e-4;

/** The published code's own numbers, and a small set of reference/hmar.py, which agrees with the published code. */
const SETS = [
  { name: 'hmar-tiny', folder: fixturesFolder(), tokenizer: 'var-tiny/vae_ch32v4096z32.pth', keptIsSure: false },
  { name: 'hmar-mini', folder: 'test/golden', tokenizer: 'var-mini/vae_ch32v64z8.pth', keptIsSure: true },
];

describe.each(SETS)('PyTorch’s numbers for $name', ({ name: set, folder, tokenizer: tokenizerFile, keptIsSure }) => {
  const fixture = new Fixture(folder, set);
  const json = (name: string) => fixture.json(`fx/${name}.json`);
  const array = (name: string) => fixture.array(`fx/${name}.npy`);

  describe.skipIf(!fixture.exists)('compared with ours (hmar-tiny needs the reference fixtures)', () => {
    const runner = new OnnxRunner();
    let transformer: Weights;
    let shape: HmarShape;
    let coder: PictureCoder;
    let quantiser: VectorQuantiser;
    let predictor: HmarPredictor;

    beforeAll(async () => {
      const { patch_nums: sides } = json('generate') as Generated;
      const file = readdirSync(fixture.folder).find((name) => name.startsWith('hmar-')) ?? '';
      const checkpoint = await openCheckpoint(fixture.file(file));
      const tokenizer = Weights.of(await openCheckpoint(new Fixture(folder).file(tokenizerFile)));
      shape = recognise(checkpoint).model as HmarShape;
      transformer = Weights.of(checkpoint);
      coder = await openVqganCoder(runner, tokenizer, { attention: true });
      quantiser = vectorQuantiser(squares(sides), tokenizer.at('quantize'));
      predictor = await opened(maskedPasses(quantiser.schedule));
    });

    afterAll(async () => {
      await predictor.release();
      await coder.release();
    });

    function opened(passes: readonly (readonly number[])[]): Promise<HmarPredictor> {
      return openHmar(runner, transformer, { ...shape, scales: squares(quantiser.schedule.map(([rows]) => rows)), passes });
    }

    function planOf({ class_, cfg }: Pick<Generated, 'class_' | 'cfg'>): ScalePlan {
      const { depth } = predictor;
      return {
        predictor,
        quantiser,
        conditioning: { text: { kind: 'class', index: class_ }, guided: true },
        sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 },
        guidance: guidancePerScale(1 + cfg, quantiser.scales, 'linear'),
        layers: layersPerScale({ depth, scales: quantiser.scales, lateScales: 0, lateLayers: depth }),
        lockedScales: 0,
        given: [],
        until: quantiser.scales,
      };
    }

    async function expectPicture(sum: FloatTensor, name: string): Promise<void> {
      expect(maxDifference(sum.data, array(`${name}_f_hat`).data)).toBeLessThan(SUM_LIMIT);
      if (!fixture.has(`fx/${name}_image_sub.npy`)) return;
      const picture = await coder.decode({ ...sum, dims: [1, ...sum.dims] });
      expect(maxDifference(everyFourth(picture), array(`${name}_image_sub`).data)).toBeLessThan(PIXEL_LIMIT);
    }

    const sourceTokens = () => (json('tokens_input') as Generated).tokens.map((scale) => Uint16Array.from(scale));

    it('has the sizes that its tensors give away', () => {
      expect(shape).toMatchObject({ family: 'hmar', depth: shape.tail + transformer.at('base_blocks').children().length, classes: 10 });
    });

    it.each(['generate', 'generate_richer', 'generate_unmasked'])('generates the same tokens, sums and picture: %s', async (name) => {
      const expected = json(name) as Generated;
      const passes = expected.mask_schedule?.map(anew) ?? expected.tokens.map(() => []);
      if (name === 'generate') expect(predictor.maskedPasses).toEqual(passes);
      const other = await opened(passes);
      const steps = await run({ ...planOf(expected), predictor: other });
      await other.release();
      expectTokens(steps, expected);
      await expectPicture(steps.at(-1)!.sum, name);
    });

    it('encodes the picture into the same tokens', async () => {
      const { dims, data } = await coder.encode(fixture.picture('fx/input.png'));
      const { tokens } = encodeTokens(quantiser, floats(dims.slice(1), data));
      expect(tokens.map((scale) => [...scale])).toEqual((json('tokens_input') as Generated).tokens);
    });

    it('says the same of every token, of the next scale and of masked ones', async () => {
      const expected = json('generate') as Generated;
      const { ns, mask } = json('generate_logits_rows') as Record<'ns' | 'mask', readonly (readonly [number, number])[]>;
      const seen = await passesAlong(expected);
      const compare = (name: string, rows: readonly (readonly [number, number])[], all: readonly ScalePrediction[]) => {
        const {
          dims: [, batch = 0, entries = 0],
          data,
        } = array(`generate_${name}_logits`); // (rows, B, V)
        rows.forEach(([pass, token], i) => {
          const ours = all[pass]!.logits;
          for (let row = 0; row < Math.min(batch, ours.dims[0]!); row++) {
            const first = (row * ours.dims[1]! + token) * entries;
            const theirs = data.subarray((i * batch + row) * entries, (i * batch + row + 1) * entries);
            expect(maxDifference(ours.data.subarray(first, first + entries), theirs), `${name} ${pass}, ${token}`).toBeLessThan(
              LOGIT_LIMIT,
            );
          }
        });
      };
      compare('ns', ns, seen.map(({ next }) => next)); // prettier-ignore
      compare(
        'mask',
        mask,
        seen.flatMap(({ masked }) => masked.map(({ prediction }) => prediction)),
      );
    });

    it.each(['inpaint', 'outpaint'])('%ss with the source’s tokens put back where the mask keeps them', async (name) => {
      const { keep_mask: kept, keep_per_scale: keptPerScale } = json(`${name}_mask`) as {
        keep_mask: readonly (readonly number[])[];
        keep_per_scale: readonly (readonly number[])[];
      };
      const expected = json(name) as Generated;
      const repaint = floats([1, ...quantiser.finest], Float32Array.from(kept.flat(), (keep) => 1 - keep)); // prettier-ignore
      expect(quantiser.schedule.map((_, scale) => [...quantiser.kept(repaint, scale)])).toEqual(
        keptPerScale.map((keep) => keep.map(Number)),
      );
      if (!keptIsSure) return expectPasses(expected, keptPerScale);
      const source = { features: quantiser.emptySum(), sourceTokens: sourceTokens(), keepMask: repaint };
      const other = await opened(expected.mask_schedule?.map(anew) ?? []);
      const steps = await run({ ...planOf(expected), ...source, predictor: other });
      await other.release();
      expectTokens(steps, expected);
      return expectPicture(steps.at(-1)!.sum, name);
    });

    it.skipIf(!fixture.has('fx/teacher.json'))('gives the same logits along the picture’s own tokens, with both heads', async () => {
      const { class_, rows, masked, ns_argmax: next, mask_argmax: again } = json('teacher') as Taught;
      const run = await predictor.begin({ text: { kind: 'class', index: class_ }, guided: false });
      const layers = Array.from({ length: predictor.depth }, (_, layer) => layer);
      const [ours, redrawn]: [number[][], number[][]] = [[], []];
      let sum = quantiser.emptySum();
      let first = 0;
      for (const [scale, tokens] of sourceTokens().entries()) {
        const codes = scale > 0 ? { codes: quantiser.nextInput(sum, scale) } : {};
        ours.push(...rowsOf((await run.predict(scale, codes, layers)).logits));
        const own = patchify(quantiser.down(quantiser.add(quantiser.emptySum(), tokens, scale), scale), 1);
        const isMasked = Uint8Array.from(tokens, (_, i) => (masked.includes(first + i) ? 1 : 0));
        redrawn.push(...(scale > 0 ? rowsOf((await run.redraw!(scale, { ...codes, own, masked: isMasked }, layers)).logits) : [[]]));
        sum = quantiser.add(sum, tokens, scale);
        first += tokens.length;
      }
      const compare = (name: string, all: readonly number[][], argmax: readonly number[]) => {
        const {
          dims: [, entries = 0],
          data,
        } = array(`teacher_${name}_rows`);
        rows.forEach((row, i) => {
          if (all[row]!.length > 0) expect(maxDifference(all[row]!, data.subarray(i * entries, (i + 1) * entries)), `${name} ${row}`).toBeLessThan(LOGIT_LIMIT);
        }); // prettier-ignore
        const others = argmax.filter((entry, row) => all[row]!.length > 0 && indexOfLargest(all[row]!) !== entry);
        expect(others.length).toBeLessThan(argmax.length / 100);
      };
      compare('ns', ours, next);
      compare('mask', redrawn, again);
    });

    /** Along the tokens that were drawn, whatever ours would have been. */
    async function passesAlong({ class_, steps: scales }: Pick<Generated, 'class_' | 'steps'>) {
      const run = await predictor.begin({ text: { kind: 'class', index: class_ }, guided: true });
      const layers = Array.from({ length: predictor.depth }, (_, layer) => layer);
      const seen: { next: ScalePrediction; masked: { pass: Pass; prediction: ScalePrediction }[] }[] = [];
      let sum = quantiser.emptySum();
      for (const [scale, passes] of scales.entries()) {
        const codes = scale > 0 ? { codes: quantiser.nextInput(sum, scale) } : {};
        const next = await run.predict(scale, codes, layers);
        const masked = [];
        for (const [i, pass] of passes.entries()) {
          if (i === 0) continue;
          const own = patchify(
            quantiser.down(quantiser.add(quantiser.emptySum(), Uint16Array.from(passes[i - 1]!.tokens), scale), scale),
            1,
          );
          const isMasked = Uint8Array.from(pass.tokens, (_, token) => (pass.masked!.includes(token) ? 1 : 0));
          masked.push({ pass, prediction: await run.redraw!(scale, { ...codes, own, masked: isMasked }, layers) });
        }
        seen.push({ next, masked });
        sum = quantiser.add(sum, Uint16Array.from(passes.at(-1)!.tokens), scale);
      }
      return seen;
    }

    /** The published loop does not know that kept tokens are certain: each of its passes is looked at by itself. */
    async function expectPasses(expected: Generated, keptPerScale: readonly (readonly number[])[]): Promise<void> {
      const seen = await passesAlong(expected);
      seen.forEach(({ next, masked }, scale) => {
        const guidance = expected.guidance[scale]!;
        const [conditional, unconditional] = [next.logits.data, next.logits.data.subarray(next.logits.data.length / 2)];
        let guided = conditional
          .slice(0, next.logits.data.length / 2)
          .map((value, i) => guidance * value + (1 - guidance) * unconditional[i]!);
        let places: readonly number[] = expected.steps[scale]![0]!.tokens.map((_, token) => token);
        expectDrawn(guided, expected.steps[scale]![0]!, { places, kept: keptPerScale[scale]! });
        masked.forEach(({ pass, prediction }, i) => {
          const before = expected.steps[scale]![i]!;
          const certainty = quantiser.certainty(guided, before.tokens, { temperature: 0, topP: 1, topK: 0, seed: 0 });
          const ours = leastCertain(places.map((place) => certainty[place]!), places, pass.masked!.length); // prettier-ignore
          if ((pass.cut_gap ?? 1) > SURE_CUT) expect([...ours].sort(), `scale ${scale}, pass ${i}`).toEqual([...pass.masked!].sort());
          places = pass.masked!;
          guided = prediction.logits.data.slice();
          expectDrawn(guided, pass, { places, kept: keptPerScale[scale]! });
        });
      });
    }

    function expectDrawn(guided: Float32Array, pass: Pass, { places, kept }: { places: readonly number[]; kept: readonly number[] }): void {
      for (const place of places) {
        const row = guided.subarray(place * quantiser.entries, (place + 1) * quantiser.entries);
        if (pass.margin[place]! > SURE_MARGIN && !kept[place]) expect(indexOfLargest(row)).toBe(pass.tokens[place]);
      }
    }

    function expectTokens(steps: readonly ScaleStep[], expected: Generated): void {
      expect(steps).toHaveLength(expected.tokens.length);
      steps.forEach(({ tokens }, scale) => {
        tokens.forEach((token, i) => {
          // The last pass that drew it decides.
          const { margin } = expected.steps[scale]!.findLast(({ masked }) => masked === undefined || masked.includes(i))!;
          if (margin[i]! > SURE_MARGIN) expect(token, `scale ${scale}, token ${i}`).toBe(expected.tokens[scale]![i]);
        });
      });
    }
  });
});

function squares(sides: readonly number[]): [number, number][] {
  return sides.map((side) => [side, side]);
}

/** `[B, l, V]` → the rows of the first of the batch. */
function rowsOf({ dims: [, length = 0, entries = 0], data }: FloatTensor): number[][] {
  return Array.from({ length }, (_, i) => [...data.subarray(i * entries, (i + 1) * entries)]);
}

function indexOfLargest(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}

/** `[…, 2::4, 2::4]` */
function everyFourth({ dims, data }: FloatTensor): number[] {
  const [, , height = 0, width = 0] = dims;
  return [...data].filter((_, i) => (i % width) % 4 === 2 && (Math.floor(i / width) % height) % 4 === 2);
}
