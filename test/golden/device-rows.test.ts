import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { afterAll, describe, expect, test } from 'vitest';
import { cellCount } from '#base/geometry.js';
import { TransformerConfig, type VarConfig } from '#contract/pack-card.js';
import { recognise } from '#engine/families/recognise.js';
import type { VarShape } from '#engine/families/var/networks.js';
import { openInfinity } from '#engine/networks/infinity/predictor.js';
import { openVar } from '#engine/networks/var/predictor.js';
import { createRunner } from '#engine/runtime/ort-runner.js';
import type { Conditioning, ScalePredictor } from '#engine/tensor/predictor.js';
import type { Runner } from '#engine/tensor/runner.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { Weights } from '#engine/weights/handle.js';
import type { Checkpoint } from '#engine/weights/checkpoint.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { writeWeights } from '#engine/weights/write-weights.js';
import { Fixture, maxDifference } from '../support/fixtures.js';
import { WatchedRunner } from '../support/watched-runner.js';
import { webGpuWorks } from '../support/webgpu.js';

// Keys and values that stay on a WebGPU device against those in the CPU's memory, with small weights of true shapes.

const hasWebGpu = await webGpuWorks();
const LOGIT_LIMIT = 1e-4;
const tiny = new Fixture('test/golden/tiny');
const mini = new Fixture('test/golden', 'var-mini');

const folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-device-'));

afterAll(() => rm(folder, { recursive: true }));

/** As `packs import` writes it: not every device computes with the halves that the fixtures hold. */
async function imported(file: string): Promise<Checkpoint> {
  const target = path.join(folder, `${path.basename(file)}.${String(Math.random())}`);
  const writing = writeWeights(await openCheckpoint(file), { target, precision: 'float32' });
  while (!(await writing.next()).done);
  return openCheckpoint(target);
}

interface Tiny {
  readonly config: { readonly scales: readonly number[]; readonly maxWords: number; readonly controlLayers: readonly number[] };
}

interface Network {
  readonly codeWidth: number;
  readonly conditioning: Conditioning;
  open(runner: Runner): Promise<ScalePredictor>;
}

function wave(dims: readonly number[], phase: number): FloatTensor {
  const tensor = floats(dims);
  tensor.data.forEach((_, i) => (tensor.data[i] = Math.sin(i * 12.9898 + phase)));
  return tensor;
}

const NETWORKS: Readonly<Record<string, Network>> = {
  'the built-in transformer, which reads its source': {
    codeWidth: 64,
    conditioning: {
      text: { kind: 'words', ids: [3, 5, 1, 9] },
      guided: true,
      source: { tokens: wave([16, 64], 1), mask: floats([16, 4]) },
    },
    open: async (runner) => {
      const { config } = tiny.json('runs.json') as Tiny;
      const card = v.parse(TransformerConfig, {
        ...config,
        tokenBits: 64,
        scales: config.scales.map((side) => [side, side]),
        patchify: 2,
        rotary: { kind: 'normalised', base: 100 },
        text: { kind: 'words', maxWords: config.maxWords, vocabulary: Array.from({ length: 12 }, (_, i) => `word${i}`) },
        sourceFusion: true,
        copyGate: true,
        maskEmbedding: true,
        control: { channels: ['canny', 'cannyFlag', 'depth', 'depthFlag'], layers: config.controlLayers },
      });
      return openInfinity(runner, Weights.of(await imported(tiny.file('transformer.safetensors'))), card);
    },
  },
  VAR: {
    codeWidth: 8,
    conditioning: { text: { kind: 'class', index: 1 }, guided: true },
    open: async (runner) => {
      const [, file = ''] = readdirSync(mini.folder)
        .filter((name) => name.endsWith('.pth'))
        .sort();
      const checkpoint = await imported(mini.file(file));
      const { patch_nums: sides } = mini.json('fx/generate.json') as { patch_nums: readonly number[] };
      const scales = sides.map((side): [number, number] => [side, side]);
      const config: VarConfig = {
        ...(recognise(checkpoint).model as VarShape),
        scales,
        text: { kind: 'classes', names: [] },
        lateScales: 0,
      };
      return openVar(runner, Weights.of(checkpoint), config);
    },
  },
};

/** Guidance ends before the third scale, and the last runs a part of the layers. */
async function* logitsOf(predictor: ScalePredictor, { codeWidth, conditioning }: Network): AsyncGenerator<FloatTensor> {
  const run = await predictor.begin(conditioning);
  try {
    for (const [scale, grid] of predictor.schedule.entries()) {
      if (scale === 2) await run.endGuidance();
      const every = Array.from({ length: predictor.depth }, (_, layer) => layer);
      const layers = scale === predictor.schedule.length - 1 ? every.filter((layer) => layer !== 1) : every;
      const input = scale === 0 ? {} : { codes: wave([cellCount(grid), codeWidth], scale) };
      yield (await run.predict(scale, input, layers)).logits;
    }
  } finally {
    run.end();
  }
}

describe.skipIf(!hasWebGpu).each(Object.entries(NETWORKS))('keys and values on the device of %s', (_, network) => {
  test('give the logits that they give on the CPU, never go there, and go when the run is over', { timeout: 120_000 }, async () => {
    const onCpu: FloatTensor[] = [];
    const plain = await network.open(await createRunner({ provider: 'cpu' }));
    for await (const logits of logitsOf(plain, network)) onCpu.push(logits);
    await plain.release();
    const runner = new WatchedRunner(await createRunner({ provider: 'webgpu' }));
    const predictor = await network.open(runner);
    const onDevice: FloatTensor[] = [];
    for await (const logits of logitsOf(predictor, network)) {
      onDevice.push(logits);
      expect(runner.onDevice.size > 0, `scale ${onDevice.length}`).toBe(onDevice.length < predictor.schedule.length);
    }
    expect(onDevice.map(({ dims }) => dims)).toEqual(onCpu.map(({ dims }) => dims));
    onDevice.forEach(({ data }, scale) => {
      expect(maxDifference(data, onCpu[scale]!.data), `scale ${scale}`).toBeLessThan(LOGIT_LIMIT);
    });
    expect(runner.hostRowBytes).toBe(0);
    expect(runner.onDevice.size).toBe(0);
    expect(runner.mostDeviceBytes).toBeGreaterThan(0);

    for await (const logits of logitsOf(predictor, network)) if (logits.dims[0] === 1) break;
    expect(runner.onDevice.size).toBe(0);
    await predictor.release();
  });
});
