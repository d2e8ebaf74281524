import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TransformerConfig } from '#contract/pack-card.js';
import * as v from 'valibot';
import { describe as describeArchitecture, type Architecture } from '#engine/networks/infinity/architecture.js';
import { conditionFeeds, conditionGraph } from '#engine/networks/infinity/condition-graph.js';
import { KvCache } from '#engine/networks/kv-cache.js';
import { openInfinity } from '#engine/networks/infinity/predictor.js';
import { rotaryTables } from '#engine/networks/infinity/rotary-positions.js';
import { stepGraph } from '#engine/networks/infinity/step-graph.js';
import { embedGraph, sourceGraph } from '#engine/networks/infinity/embed-graph.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import { patchify } from '#engine/sampling/patchify.js';
import { BitwiseQuantiser } from '#engine/sampling/bitwise-quantiser.js';
import { resizeArea } from '#engine/tensor/resample.js';
import type { Conditioning, PictureCoder, ScalePredictor, TextInput } from '#engine/tensor/predictor.js';
import { output, type Feeds, type Values } from '#engine/tensor/runner.js';
import { floatData, floats, int64s, type FloatTensor, type Tensor } from '#engine/tensor/tensor.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { Fixture, fixturesFolder, maxDifference } from '../support/fixtures.js';
import { OnnxRunner } from '../support/onnx-runner.js';

interface Manifest {
  config: { C: number; H: number; depth: number; Ct5: number; d: number; patchify: 0 | 1; scale_schedule: [number, number][] };
  inference: Record<string, { hidden_rows: Record<string, number[]> }>;
  rotary: { slices: Record<string, { sampled_rows: number[] }> };
}

const LOGIT_LIMIT = 5e-4;
const SETTINGS = [
  { name: 'cfg3', guidance: 3, batch: 2 },
  { name: 'nocfg', guidance: 1, batch: 1 },
] as const;

describe.each(['varedit-2b-style', 'varedit-8b-style'])('the published code’s own numbers for %s', (name) => {
  const fixture = new Fixture(fixturesFolder(), name);

  describe.skipIf(!fixture.exists)('compared with ours (needs ../shared/fixtures)', () => {
    const runner = new OnnxRunner();
    let manifest: Manifest;
    let architecture: Architecture;
    let predictor: ScalePredictor;
    let coder: PictureCoder;
    let text: TextInput;

    beforeAll(async () => {
      manifest = fixture.json('manifest.json') as Manifest;
      const weights = Weights.of(await openCheckpoint(fixture.file('transformer.pth')));
      const config = transformerConfig(manifest);
      architecture = describeArchitecture(weights, config);
      predictor = await openInfinity(runner, weights, config);
      coder = await openVqganCoder(runner, Weights.of(await openCheckpoint(fixture.file('vae.pth'))));
      text = { kind: 'features', features: fixture.array('inputs/text.npy') };
    });

    afterAll(async () => {
      await predictor.release();
      await coder.release();
    });

    it('turns every token by the angles that the reference gave it', () => {
      const tables = rotaryTables(architecture.config, architecture.headWidth);
      const blocks = [['src', tables.source] as const, ...tables.scales.map((table, k) => [`s${k}`, table] as const)];
      for (const [slice, { cos, sin }] of blocks) {
        const rows = manifest.rotary.slices[slice]!.sampled_rows;
        const ours = [...pickRows(cos, rows), ...pickRows(sin, rows)];
        expect(maxDifference(ours, fixture.array(`rotary/cos_sin_${slice}.npy`).data), slice).toBeLessThan(1e-6);
      }
    });

    it('encodes the picture into the same features', async () => {
      const features = await coder.encode(fixture.picture('inputs/source.png'));
      const expected = fixture.array('tokenizer/features.npy');
      expect(features.dims).toEqual([1, ...expected.dims]);
      expect(maxDifference(features.data, expected.data)).toBeLessThan(1e-4);
    });

    it('decodes the codes into the same picture', async () => {
      const summed = fixture.array('tokenizer/summed.npy');
      const picture = await coder.decode({ ...summed, dims: [1, ...summed.dims] });
      const expected = fixture.array('tokenizer/recon.npy').data.map((value) => (value + 1) / 2);
      expect(maxDifference(picture.data, expected)).toBeLessThan(1e-3);
    });

    it('decodes a preview smaller than the picture', async () => {
      const picture = await coder.decode(floats([1, manifest.config.d, 2, 3]));
      const pixels = manifest.config.patchify ? 8 : 16;
      expect(picture.dims).toEqual([1, 3, 2 * pixels, 3 * pixels]);
    });

    describe.each(SETTINGS)('under $name', ({ name: setting, guidance, batch }) => {
      const guided = batch === 2;
      const expected = (array: string): FloatTensor => fixture.array(`${setting}/${array}.npy`);

      it('gives the same condition, text memory and adaptive parameters', async () => {
        const outputs = await condition(runner, architecture, { text, guided });
        for (const [ours, theirs] of [
          ['cond', 'cond'],
          ['text_memory', 'text_memory'],
          ['gss', 'gss'],
        ] as const) {
          expectRelative(floatData(output(outputs, ours)), expected(theirs).data, 1e-4);
        }
      });

      it('gives the same source keys, values and hidden states', async () => {
        const { outputs, cache } = await sourcePrefix({ runner, architecture, fixture, text, guided });
        const sampled = [0, 1, architecture.sourceTokens / 2, architecture.sourceTokens - 1];
        for (const kind of ['k', 'v'] as const) {
          const rows = floatData(output(outputs, `${kind}_0`));
          expect(maxDifference(headsFirst(rows, { architecture, batch, rows: sampled }), expected(`block0_src_${kind}`).data)).toBeLessThan(
            1e-4,
          );
          for (let scale = 0; scale < 4; scale++) {
            const past = cache.pastInputs(scale, [0])[`past_${kind}_0`]!;
            const all = Array.from({ length: past.dims[0]! }, (_, row) => row);
            const pooled = headsFirst(floatData(past), { architecture, batch, rows: all });
            expect(maxDifference(pooled, expected(`sar_${kind}_s${scale}`).data), `scale ${scale}`).toBeLessThan(1e-4);
          }
        }
        expectHidden(outputs, { architecture, rows: manifest.inference[setting]!.hidden_rows['src']!, expected: expected('hidden_src') });
      });

      it('gives the same hidden states at every scale', async () => {
        await forEachProbedScale({ runner, architecture, fixture, text, guided, setting }, (scale, outputs) => {
          const rows = manifest.inference[setting]!.hidden_rows[`s${scale}`]!;
          expectHidden(outputs, { architecture, rows, expected: expected(`hidden_s${scale}`) });
        });
      });

      it('makes the same picture from the source alone, bit by bit', async () => {
        const layers = architecture.blocks.map((_, layer) => layer);
        const { scales, patchify: patch } = architecture.config;
        const quantiser = new BitwiseQuantiser({ codeBits: manifest.config.d, schedule: scales, patchify: patch });
        const source = await coder.encode(fixture.picture('inputs/source.png'));
        const tokens = patchify(resizeArea({ ...source, dims: source.dims.slice(1) }, quantiser.finest), patch);
        expect(maxDifference(tokens.data, fixture.array('source_prefix.npy').data)).toBeLessThan(1e-4);
        const run = await predictor.begin({ text, guided, source: { tokens } });
        let sum = quantiser.emptySum();
        for (let scale = 0; scale < scales.length; scale++) {
          const codes = scale === 0 ? {} : { codes: quantiser.nextInput(sum, scale) };
          const { logits } = await run.predict(scale, codes, layers);
          const bits = Uint8Array.from(guide(logits, guidance), (value) => (value > 0 ? 1 : 0));
          expect([...bits], `scale ${scale}`).toEqual([...expected(`bits_tok_s${scale}`).data]);
          sum = quantiser.add(sum, bits, scale);
          expect(maxDifference(sum.data, expected(`summed_s${scale}`).data), `scale ${scale}`).toBeLessThan(1e-5);
        }
        const picture = await coder.decode({ ...sum, dims: [1, ...sum.dims] });
        const theirs = expected('image').data.map((value) => (value + 1) / 2);
        expect(maxDifference(picture.data, theirs)).toBeLessThan(1e-3);
      });

      it('gives the same logits and arg-max bits at every scale', async () => {
        const layers = architecture.blocks.map((_, layer) => layer);
        // Twice: the second run goes on from the cached source.
        for (let round = 0; round < 2; round++) {
          const run = await predictor.begin(conditioning(fixture, text, guided));
          for (let scale = 0; scale < predictor.schedule.length; scale++) {
            const input = scale === 0 ? {} : { codes: expected(`input_s${scale}`) };
            const { logits } = await run.predict(scale, input, layers);
            const ours = guide(logits, guidance);
            const theirs = differences(expected(`logits_s${scale}`).data);
            expect(maxDifference(ours, theirs), `scale ${scale}`).toBeLessThan(LOGIT_LIMIT);
            const bits = expected(`bits_tok_s${scale}`).data;
            ours.forEach((value, i) => {
              if (Math.abs(theirs[i]!) > 1e-3) expect(value > 0 ? 1 : 0).toBe(bits[i]);
            });
          }
        }
      });
    });
  });
});

function transformerConfig({ config }: Manifest): TransformerConfig {
  return v.parse(TransformerConfig, {
    depth: config.depth,
    width: config.C,
    heads: config.H,
    tokenBits: config.patchify ? config.d * 4 : config.d,
    scales: config.scale_schedule,
    patchify: config.patchify ? 2 : 1,
    rotary: { kind: 'published', ratio: '1.000' },
    text: { kind: 'features', width: config.Ct5, maxTokens: 512 },
  });
}

function conditioning(fixture: Fixture, text: TextInput, guided: boolean): Conditioning {
  return { text, guided, source: { tokens: fixture.array('source_prefix.npy') } };
}

async function condition(
  runner: OnnxRunner,
  architecture: Architecture,
  { text, guided }: { text: TextInput; guided: boolean },
): Promise<Feeds> {
  const session = await runner.open(conditionGraph(architecture));
  const feeds = conditionFeeds(architecture, text, guided);
  const outputs = await session.run(feeds);
  await session.release();
  return { ...outputs, text_bias: feeds['text_bias']! };
}

interface Probing {
  readonly runner: OnnxRunner;
  readonly architecture: Architecture;
  readonly fixture: Fixture;
  readonly text: TextInput;
  readonly guided: boolean;
}

interface Prefixed {
  readonly outputs: Values;
  readonly cache: KvCache;
  /** What every block is told. */
  readonly shared: Feeds;
}

async function sourcePrefix(probing: Probing): Promise<Prefixed> {
  const { runner, architecture, fixture, guided } = probing;
  const told = await condition(runner, architecture, probing);
  const tables = rotaryTables(architecture.config, architecture.headWidth);
  const { cond, ...shared }: Record<string, Tensor> = told;
  delete shared['text_memory'];
  const cache = new KvCache(architecture.config, { batch: guided ? 2 : 1, hasSource: true, lastScale: 'kept' });
  const embed = await runner.open(sourceGraph(architecture));
  const { x } = await embed.run({ source: fixture.array('source_prefix.npy'), cond: cond! });
  const step = await runner.open(stepGraph(architecture, { layers: [...architecture.blocks.keys()], controlled: false, probe: true }));
  const outputs = await step.run({ ...shared, x: x!, ...tables.source, ...cache.nothingBefore() }, cache.sourceOutputs());
  await Promise.all([embed, step].map((session) => session.release()));
  return { outputs, cache, shared: { ...told } };
}

async function forEachProbedScale(probing: Probing & { setting: string }, visit: (scale: number, outputs: Values) => void): Promise<void> {
  const { runner, architecture, fixture, setting } = probing;
  const { cache, shared } = await sourcePrefix(probing);
  const layers = architecture.blocks.map((_, layer) => layer);
  const step = await runner.open(stepGraph(architecture, { layers, controlled: false, probe: true }));
  const embeds = [await runner.open(embedGraph(architecture, true)), await runner.open(embedGraph(architecture, false))] as const;
  const tables = rotaryTables(architecture.config, architecture.headWidth);
  const { cond, ...told }: Record<string, Tensor> = shared;
  delete told['text_memory'];
  for (const [scale, [rows, columns]] of architecture.config.scales.entries()) {
    const feeds: Record<string, Tensor> = { cond: cond!, level: int64s([], [scale]) };
    if (scale > 0) feeds['codes'] = fixture.array(`${setting}/input_s${scale}.npy`);
    const x = output(await embeds[scale === 0 ? 0 : 1].run(feeds), 'x');
    const { cos, sin } = tables.scales[scale]!;
    const past = cache.pastInputs(scale, layers);
    visit(scale, await step.run({ ...told, ...past, x, cos, sin }, cache.freshOutputs(rows * columns, layers)));
  }
  await Promise.all([step, ...embeds].map((session) => session.release()));
}

/** `hidden_i` `[B, L, C]` at some rows against `[depth, B, rows, C]`. */
function expectHidden(
  outputs: Values,
  { architecture, rows, expected }: { architecture: Architecture; rows: number[]; expected: FloatTensor },
): void {
  const ours = architecture.blocks.flatMap((_, layer) => {
    const hidden = output(outputs, `hidden_${layer}`);
    const [batch = 0, length = 0, width = 0] = hidden.dims;
    const flat = floats([batch * length, width], floatData(hidden));
    return Array.from({ length: batch }, (_, row) =>
      pickRows(
        flat,
        rows.map((token) => row * length + token),
      ),
    ).flat();
  });
  expectRelative(ours, expected.data, 1e-4);
}

/** `[rows, B, H·c]` at some rows → `[B, H, rows, c]`, as the reference keeps them. */
function headsFirst(
  data: Float32Array,
  { architecture, batch, rows }: { architecture: Architecture; batch: number; rows: readonly number[] },
): number[] {
  const { heads, width } = architecture.config;
  const result: number[] = [];
  for (let b = 0; b < batch; b++) {
    for (let head = 0; head < heads; head++) {
      for (const row of rows) {
        const start = (row * batch + b) * width + head * architecture.headWidth;
        result.push(...data.subarray(start, start + architecture.headWidth));
      }
    }
  }
  return result;
}

function pickRows({ dims, data }: FloatTensor, rows: readonly number[]): number[] {
  const width = dims.at(-1)!;
  return rows.flatMap((row) => [...data.subarray(row * width, (row + 1) * width)]);
}

function expectRelative(ours: ArrayLike<number>, theirs: Float32Array, limit: number): void {
  const largest = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(maxDifference(ours, theirs) / largest).toBeLessThan(limit);
}

/** `[…, 2]` → logit(1) − logit(0). */
function differences(logits: Float32Array): number[] {
  return Array.from({ length: logits.length / 2 }, (_, i) => logits[2 * i + 1]! - logits[2 * i]!);
}

function guide({ dims, data }: FloatTensor, guidance: number): number[] {
  const count = data.length / dims[0]!;
  if (dims[0] === 1) return [...data];
  return Array.from({ length: count }, (_, i) => guidance * data[i]! + (1 - guidance) * data[count + i]!);
}
