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

// The built-in pack against PyTorch (models/training/make_fixtures.py): the whole chain from a picture to its tokens.

interface Case {
  readonly instruction: string;
  readonly settings: { readonly guidance?: number; readonly keep_outside?: boolean; readonly preset?: number };
  readonly tokens: readonly (readonly string[])[];
  readonly smallestMargin: number;
}

const SIDE = 128;
const folder = path.resolve('models/sketch');
const fixtures = path.resolve('test/fixtures/sketch');
const card = v.parse(PackCard, JSON.parse(await readFile(path.join(folder, 'card.json'), 'utf8')));

const hasWebGpu = await webGpuWorks();

let pack: OpenPack;

/** `[1, 3, 128, 128]` */
async function picture(name: string): Promise<FloatTensor> {
  const photo = await openPhoto(new Uint8Array(await readFile(path.join(fixtures, name))));
  return workingCopy(photo, { x: 0, y: 0, width: SIDE, height: SIDE }, { width: SIDE, height: SIDE });
}

/** First channel, `[1, 128, 128]`. */
async function plane(name: string): Promise<FloatTensor> {
  return floats([1, SIDE, SIDE], (await picture(name)).data.slice(0, SIDE * SIDE));
}

async function controlMap(name: string): Promise<FloatTensor | undefined> {
  const channel = { canny: 0, depth: 2 }[name];
  if (channel === undefined) return undefined;
  const map = floats([1, 4, SIDE, SIDE]);
  map.data.set((await plane(`case-${name}-control.png`)).data, channel * SIDE * SIDE);
  map.data.fill(1, (channel + 1) * SIDE * SIDE, (channel + 2) * SIDE * SIDE);
  return map;
}

async function planOf(name: string, { instruction, settings }: Case): Promise<ScalePlan> {
  const { model } = pack;
  const { quantiser, predictor } = model;
  if ('beginRaster' in predictor) throw new Error('Expected a pack of scales.');
  const encoded = await model.coder.encode(await picture(`case-${name}-source.png`));
  const features = floats(encoded.dims.slice(1), encoded.data);
  const mask = resizeArea(await plane(`case-${name}-mask.png`), quantiser.finest);
  const control = await controlMap(name);
  const guidance = settings.guidance ?? 1;
  return {
    predictor,
    quantiser,
    conditioning: {
      text: (await model.encodeText(instruction)).text,
      guided: guidance !== 1,
      source: { tokens: patchify(features, quantiser.patch), mask: patchify(mask, quantiser.patch) },
      ...(control && { control: { map: control, strength: 1, fromScale: 0, toScale: 5 } }),
    },
    sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 },
    guidance: guidancePerScale(guidance, quantiser.scales, 'constant'),
    layers: layersPerScale({ depth: 6, scales: 6, lateScales: 2, lateLayers: settings.preset ?? 6 }),
    features,
    modelMask: mask,
    ...(settings.keep_outside && { keepMask: mask }),
    lockedScales: 0,
    given: [],
    until: quantiser.scales,
  };
}

async function caseOf(name: string): Promise<Case> {
  return JSON.parse(await readFile(path.join(fixtures, `case-${name}.json`), 'utf8')) as Case;
}

async function drawn(plan: ScalePlan): Promise<ScaleStep[]> {
  const steps: ScaleStep[] = [];
  for await (const step of runScales(plan, NEVER_CANCELLED)) steps.push(step);
  return steps;
}

describe.each(['cpu', 'webgpu'] as const)('every arg-max token of the built-in pack equals PyTorch’s on %s', (provider) => {
  const absent = provider === 'webgpu' && !hasWebGpu;

  let runner: WatchedRunner;

  beforeAll(async () => {
    if (absent) return;
    runner = new WatchedRunner(await createRunner({ provider }));
    pack = await openPack({ card, folder }, runner);
  });

  afterAll(async () => {
    if (!absent) await pack.release();
  });

  test.skipIf(absent).each(['edit', 'guided', 'fill', 'canny', 'depth'])('%s', { timeout: 120_000 }, async (name) => {
    const fixture = await caseOf(name);
    const tokens = (await drawn(await planOf(name, fixture))).map((step) => step.tokens);
    expect(packTokens('sketch', pack.model.quantiser, tokens).tokens).toEqual(fixture.tokens);
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
  pack = await openPack({ card, folder }, counting);
  const fixture = JSON.parse(await readFile(path.join(fixtures, 'case-edit.json'), 'utf8')) as Case;
  const plan = await planOf('edit', fixture);
  const { predictor } = plan;
  if (!(predictor instanceof InfinityPredictor) || 'traits' in card || card.family !== 'infinity')
    throw new Error('Expected the built-in pack.');
  const runs: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    const tokens = [];
    for await (const step of runScales({ ...plan, predictor: predictor.fitted(card.config.transformer) }, NEVER_CANCELLED))
      tokens.push(step.tokens);
    runs.push(packTokens('sketch', pack.model.quantiser, tokens).tokens);
  }
  expect(runs).toEqual([fixture.tokens, fixture.tokens]);
  expect(read.filter((name) => name === 'embed-source')).toHaveLength(1);
  await pack.release();
});
