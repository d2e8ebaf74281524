import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { PRECISIONS, type Precision, type VarConfig } from '#contract/pack-card.js';
import { staysMapped } from '#engine/door/cost-model.js';
import { vectorQuantiser } from '#engine/families/codes.js';
import { openVar } from '#engine/networks/var/predictor.js';
import { createRunner } from '#engine/runtime/ort-runner.js';
import { layersPerScale } from '#engine/sampling/depth-presets.js';
import { guidancePerScale } from '#engine/sampling/guidance.js';
import { runScales } from '#engine/sampling/scale-loop.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { recognise } from '#engine/families/recognise.js';
import type { VarShape } from '#engine/families/var/networks.js';
import { writeWeights } from '#engine/weights/write-weights.js';
import { Fixture, maxDifference } from '../support/fixtures.js';
import { tinyCard } from '../support/tiny-card.js';

// The same weights give the same numbers whatever the machine has: mapped or repacked, on one thread or two.

const fixture = new Fixture('test/golden/var-mini');
const SCHEDULE: VarConfig['scales'] = [
  [1, 1],
  [2, 2],
  [3, 3],
  [4, 4],
];
let folder: string;
beforeAll(async () => (folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-arithmetic-'))));
afterAll(() => rm(folder, { recursive: true }));

/** Logits of all scales of one picture. */
async function logitsOf(file: string, { prepack, threads }: { prepack: boolean; threads: number }): Promise<Float32Array[]> {
  const published = await openCheckpoint(fixture.file('var_d3.pth'));
  const tokenizer = Weights.of(await openCheckpoint(fixture.file('vae_ch32v64z8.pth')));
  const config: VarConfig = {
    ...(recognise(published).model as VarShape),
    scales: SCHEDULE,
    text: { kind: 'classes', names: [] },
    lateScales: 0,
  };
  const predictor = await openVar(
    await createRunner({ provider: 'cpu', prepack, threads }),
    Weights.of(await openCheckpoint(file)),
    config,
  );
  const quantiser = vectorQuantiser(SCHEDULE, tokenizer.at('quantize'));
  const logits: Float32Array[] = [];
  const plan = {
    predictor,
    quantiser,
    conditioning: { text: { kind: 'class' as const, index: 1 }, guided: true },
    sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 },
    guidance: guidancePerScale(2, quantiser.scales, 'linear'),
    layers: layersPerScale({ depth: predictor.depth, scales: quantiser.scales, lateScales: 0, lateLayers: predictor.depth }),
    lockedScales: 0,
    given: [],
    until: quantiser.scales,
  };
  for await (const step of runScales(plan, NEVER_CANCELLED)) logits.push(step.logits.data.slice());
  await predictor.release();
  return logits;
}

/** What a pack of this precision may be opened as: see `staysMapped`. */
const WAYS: Readonly<Record<Precision, readonly boolean[]>> = { float32: [true, false], half: [true, false], int8: [true], int4: [true] };

describe.each(PRECISIONS)('%s', (precision: Precision) => {
  let file: string;
  beforeAll(async () => {
    file = path.join(folder, `${precision}.safetensors`);
    const writing = writeWeights(await openCheckpoint(fixture.file('var_d3.pth')), { target: file, precision });
    while (!(await writing.next()).done);
  });

  test.each(WAYS[precision].flatMap((prepack) => [1, 2].map((threads) => ({ prepack, threads }))))(
    'gives the bytes of repacked weights on one thread: %o',
    async (way) => {
      const [one, other] = [await logitsOf(file, { prepack: true, threads: 1 }), await logitsOf(file, way)];
      expect(other.map((logits, scale) => maxDifference(logits, one[scale]!))).toEqual(SCHEDULE.map(() => 0));
    },
  );

  test('is opened in no other way, however small the machine is', () => {
    expect(staysMapped({ ...tinyCard, precision }, 1)).toBe(WAYS[precision].includes(false));
  });
});
