import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { PackCard } from '#contract/pack-card.js';
import { openPack, type OpenPack } from '#engine/door/open-pack.js';
import { InfinityPredictor } from '#engine/networks/infinity/predictor.js';
import { openPhoto } from '#engine/image/files/decode.js';
import { workingCopy } from '#engine/image/working/working-copy.js';
import { createRunner } from '#engine/runtime/ort-runner.js';
import { layersPerScale } from '#engine/sampling/depth-presets.js';
import { guidancePerScale } from '#engine/sampling/guidance.js';
import { patchify } from '#engine/sampling/patchify.js';
import { resizeArea } from '#engine/tensor/resample.js';
import { runScales, type ScalePlan, type ScaleStep } from '#engine/sampling/scale-loop.js';
import { packTokens } from '#engine/sampling/tokens.js';
import type { Runner } from '#engine/tensor/runner.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { WatchedRunner } from '../support/watched-runner.js';
import { webGpuWorks } from '../support/webgpu.js';

// The built-in packs against PyTorch (models/training/make_fixtures.py): the whole chain from a picture to its tokens.

interface Case {
  readonly instruction: string;
  readonly settings: {
    readonly guidance?: number;
    readonly control_guidance?: number;
    readonly keep_outside?: boolean;
    readonly preset?: number;
  };
  readonly tokens: readonly (readonly string[])[];
  readonly smallestMargin: number;
}

type Shipped = Awaited<ReturnType<typeof shipped>>;

async function shipped(name: string) {
  const folder = path.resolve('models', name);
  const card = v.parse(PackCard, JSON.parse(await readFile(path.join(folder, 'card.json'), 'utf8')));
  if ('traits' in card || card.family !== 'infinity') throw new Error('Expected a built-in pack.');
  return { name, card, folder, fixtures: path.resolve('test/fixtures', name) };
}

const sketch = await shipped('sketch');
const hasWebGpu = await webGpuWorks();

/** `[1, 3, S, S]`, S the pack's side. */
async function picture({ card, fixtures }: Shipped, name: string): Promise<FloatTensor> {
  const photo = await openPhoto(new Uint8Array(await readFile(path.join(fixtures, name))));
  const size = { width: card.imageSize, height: card.imageSize };
  return workingCopy(photo, { x: 0, y: 0, ...size }, size);
}

/** First channel, `[1, S, S]`. */
async function plane(of: Shipped, name: string): Promise<FloatTensor> {
  const { imageSize: side } = of.card;
  return floats([1, side, side], (await picture(of, name)).data.slice(0, side * side));
}

async function controlMap(of: Shipped, name: string): Promise<FloatTensor | undefined> {
  const channel = { canny: 0, depth: 2, held: 0 }[name];
  if (channel === undefined) return undefined;
  const { imageSize: side } = of.card;
  const map = floats([1, 4, side, side]);
  map.data.set((await plane(of, `case-${name}-control.png`)).data, channel * side * side);
  map.data.fill(1, (channel + 1) * side * side, (channel + 2) * side * side);
  return map;
}

async function planOf(of: Shipped, { model }: OpenPack, name: string, { instruction, settings }: Case): Promise<ScalePlan> {
  const { depth, lateScales } = of.card.config.transformer;
  const { quantiser, predictor } = model;
  if ('beginRaster' in predictor) throw new Error('Expected a pack of scales.');
  const encoded = await model.coder.encode(await picture(of, `case-${name}-source.png`));
  const features = floats(encoded.dims.slice(1), encoded.data);
  const mask = resizeArea(await plane(of, `case-${name}-mask.png`), quantiser.finest);
  const control = await controlMap(of, name);
  const isByControl = settings.control_guidance !== undefined;
  const guidance = settings.control_guidance ?? settings.guidance ?? 1;
  return {
    predictor,
    quantiser,
    conditioning: {
      text: (await model.encodeText(instruction)).text,
      guided: settings.guidance !== undefined,
      source: { tokens: patchify(features, quantiser.patch), mask: patchify(mask, quantiser.patch) },
      ...(control && { control: { map: control, strength: 1, fromScale: 0, toScale: quantiser.scales - 1, guided: isByControl } }),
    },
    sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 },
    guidance: guidancePerScale(guidance, quantiser.scales, 'constant'),
    layers: layersPerScale({ depth, scales: quantiser.scales, lateScales, lateLayers: settings.preset ?? depth }),
    features,
    modelMask: mask,
    ...(of.card.config.transformer.holes === 'smooth' && { smoothHoles: true }),
    ...(settings.keep_outside && { keepMask: mask }),
    lockedScales: 0,
    given: [],
    until: quantiser.scales,
  };
}

async function caseOf({ fixtures }: Shipped, name: string): Promise<Case> {
  return JSON.parse(await readFile(path.join(fixtures, `case-${name}.json`), 'utf8')) as Case;
}

async function drawn(plan: ScalePlan): Promise<ScaleStep[]> {
  const steps: ScaleStep[] = [];
  for await (const step of runScales(plan, NEVER_CANCELLED)) steps.push(step);
  return steps;
}

/** WebGPU draws on the processor here, and slowly: one pack shows that it draws the same. */
const RUNS = [
  { of: sketch, provider: 'cpu' },
  { of: sketch, provider: 'webgpu' },
  { of: await shipped('studio'), provider: 'cpu' },
] as const;

describe.each(RUNS)('every arg-max token of $of.name equals PyTorch’s on $provider', ({ of, provider }) => {
  const absent = provider === 'webgpu' && !hasWebGpu;

  let runner: WatchedRunner;
  let pack: OpenPack;

  beforeAll(async () => {
    if (absent) return;
    runner = new WatchedRunner(await createRunner({ provider }));
    pack = await openPack(of, runner);
  });

  afterAll(async () => {
    if (!absent) await pack.release();
  });

  test.skipIf(absent).each(['edit', 'guided', 'fill', 'canny', 'depth', 'held'])('%s', { timeout: 120_000 }, async (name) => {
    const fixture = await caseOf(of, name);
    const tokens = (await drawn(await planOf(of, pack, name, fixture))).map((step) => step.tokens);
    expect(packTokens(of.name, pack.model.quantiser, tokens).tokens).toEqual(fixture.tokens);
    expect(runner.onDevice.size).toBe(0);
  });
});

test('a source that was just read is not read again by a model that was fitted to the same shape anew', async () => {
  const read: string[] = [];
  const runner = await createRunner({ provider: 'cpu' });
  const counting: Runner = {
    provider: 'cpu',
    fusedAttention: true,
    open: async (graph) => {
      const session = await runner.open(graph);
      return {
        run: (...feeds) => {
          read.push(graph.name);
          return session.run(...feeds);
        },
        release: () => session.release(),
      };
    },
  };
  const pack = await openPack(sketch, counting);
  const fixture = await caseOf(sketch, 'edit');
  const plan = await planOf(sketch, pack, 'edit', fixture);
  const { predictor } = plan;
  if (!(predictor instanceof InfinityPredictor)) throw new Error('Expected the built-in pack.');
  const runs: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    const tokens = [];
    for await (const step of runScales({ ...plan, predictor: predictor.fitted(sketch.card.config.transformer) }, NEVER_CANCELLED))
      tokens.push(step.tokens);
    runs.push(packTokens(sketch.name, pack.model.quantiser, tokens).tokens);
  }
  expect(runs).toEqual([fixture.tokens, fixture.tokens]);
  expect(read.filter((name) => name === 'embed-source')).toHaveLength(1);
  await pack.release();
});
