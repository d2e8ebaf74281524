import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import * as v from 'valibot';
import { TransformerConfig } from '#contract/pack-card.js';
import { openDepthPyramid } from '#engine/networks/depth-pyramid.js';
import { openObjectFinder } from '#engine/networks/object-finder.js';
import { describe as describeArchitecture } from '#engine/networks/infinity/architecture.js';
import { InfinityPredictor, openInfinity } from '#engine/networks/infinity/predictor.js';
import { InfinitySessions } from '#engine/networks/infinity/sessions.js';
import { openResidualCoder } from '#engine/networks/residual-coder.js';
import { SessionCache } from '#engine/networks/session-cache.js';
import { layersPerScale } from '#engine/sampling/depth-presets.js';
import { patchify } from '#engine/sampling/patchify.js';
import { BitwiseQuantiser } from '#engine/sampling/bitwise-quantiser.js';
import { residualAt, sumOfTokens } from '#engine/sampling/quantiser.js';
import type { Conditioning, DepthEstimator, PictureCoder, ScaleInput, ScalePrediction, ScalePredictor } from '#engine/tensor/predictor.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { Fixture, maxDifference } from '../support/fixtures.js';
import { OnnxRunner } from '../support/onnx-runner.js';
import { WatchedRunner } from '../support/watched-runner.js';

// The built-in networks against their own PyTorch code: see tiny/make.py.

interface Run {
  guidance?: number;
  preset?: number;
  strength?: number;
  masked?: boolean;
  control?: boolean;
}

interface Tiny {
  config: {
    depth: number;
    width: number;
    heads: number;
    normEps: number;
    lateScales: number;
    scales: number[];
    controlLayers: number[];
    words: number[];
    maxWords: number;
  };
  runs: Record<string, Run>;
}

const fixture = new Fixture('test/golden/tiny');
const tiny = fixture.json('runs.json') as Tiny;
const runner = new OnnxRunner();
const TOKEN_BITS = 64;
const LOGIT_LIMIT = 1e-4;

let tokenizerWeights: Weights;
let coder: PictureCoder;
let depth: DepthEstimator;
let predictor: ScalePredictor;
let quantiser: BitwiseQuantiser;

beforeAll(async () => {
  const config = transformerConfig();
  tokenizerWeights = await openWeights('tokenizer');
  coder = await openResidualCoder(runner, tokenizerWeights);
  depth = await openDepthPyramid(runner, await openWeights('depth'), 64);
  predictor = await openInfinity(runner, await openWeights('transformer'), config);
  quantiser = new BitwiseQuantiser({
    codeBits: 16,
    schedule: config.scales,
    patchify: 2,
    gains: [...tokenizerWeights.readFloats('gains')],
  });
});

afterAll(async () => {
  await Promise.all([coder, depth, predictor].map((network) => network.release()));
});

describe('the built-in tokenizer', () => {
  it('gives the features that PyTorch gives', async () => {
    const features = await coder.encode(fixture.array('picture.npy'));
    expect(features.dims).toEqual([1, 16, 8, 8]);
    expect(maxDifference(features.data, fixture.array('features.npy').data)).toBeLessThan(1e-5);
  });

  it.each([
    ['a whole grid', 'decoded.npy', [8, 8]],
    ['a grid of any size', 'small.npy', [2, 3]],
  ] as const)('decodes %s as PyTorch does', async (_, file, [rows, columns]) => {
    const picture = await coder.decode(crop(fixture.array('features.npy'), rows, columns));
    const expected = fixture.array(file);
    expect(picture.dims).toEqual(expected.dims);
    expect(maxDifference(picture.data, expected.data)).toBeLessThan(1e-5);
  });
});

describe('the built-in depth estimator', () => {
  it('gives the disparity that PyTorch gives', async () => {
    const expected = fixture.array('depth.npy');
    const disparity = await depth.estimate(fixture.array('picture.npy'));
    expect(disparity.dims).toEqual(expected.dims);
    expect(maxDifference(disparity.data, expected.data)).toBeLessThan(1e-5);
  });

  it('refuses sides that its pyramid cannot halve', async () => {
    await expect(depth.estimate(floats([1, 3, 48, 64]))).rejects.toThrow('divisible by 32');
  });
});

test('the built-in finder of objects gives the strongest place of every kind that PyTorch gives', async () => {
  const finder = await openObjectFinder(runner, await openWeights('objects'));
  const { dims, data } = await finder.maps(fixture.array('picture.npy'));
  const cells = data.length / dims[0]!;
  const found = Float32Array.from({ length: dims[0]! }, (_, kind) => Math.max(...data.subarray(kind * cells, (kind + 1) * cells)));
  expect(maxDifference(found, fixture.array('objects.npy').data)).toBeLessThan(1e-5);
  await finder.release();
});

describe('the built-in transformer', () => {
  it.each(Object.entries(tiny.runs))('gives the logits and gates that PyTorch gives: %s', async (name, run) => {
    const predictions = await replay(name, run);
    const logits = predictions.flatMap(({ logits: scale }) => guide(scale, run.guidance ?? 1));
    const gates = predictions.flatMap(({ gate }) => [...gate!.data]);
    expect(maxDifference(logits, fixture.array(`${name}-logits.npy`).data)).toBeLessThan(LOGIT_LIMIT);
    expect(maxDifference(gates, fixture.array(`${name}-gates.npy`).data)).toBeLessThan(LOGIT_LIMIT);
  });

  it('gives the same numbers again while another run is half done', async () => {
    const conditioning = conditions({});
    const half = await predictor.begin(conditioning);
    const first = await half.predict(0, inputs('plain', {}, 0), allLayers());
    const between = await replay('guided', tiny.runs['guided']!);
    const second = await half.predict(1, inputs('plain', {}, 1), allLayers());
    const expected = await replay('plain', {});
    expect([...first.logits.data, ...second.logits.data]).toEqual([...expected[0]!.logits.data, ...expected[1]!.logits.data]);
    expect(between).toHaveLength(predictor.schedule.length);
  });

  it('gives bit-equal numbers when it goes on from a source that it has read before', async () => {
    const [fresh, again] = [await replay('guided', tiny.runs['guided']!), await replay('guided', tiny.runs['guided']!)];
    expect(again.map(({ logits }) => logits.data)).toEqual(fresh.map(({ logits }) => logits.data));
  });

  it('does not mistake another source for the one that it has read before', async () => {
    await replay('plain', {});
    const conditioning = conditions({});
    conditioning.source!.tokens.data[5]! += 1;
    const run = await predictor.begin(conditioning);
    const { logits } = await run.predict(0, inputs('plain', {}, 0), allLayers());
    expect(maxDifference(logits.data, fixture.array('plain-logits.npy').data.subarray(0, TOKEN_BITS))).toBeGreaterThan(LOGIT_LIMIT);
  });

  it('is exactly the uncontrolled model where control has no strength, no flag or no scale', async () => {
    const map = fixture.array('control.npy');
    const unflagged = floats(map.dims, map.data.slice());
    unflagged.data.fill(0, map.data.length / 4);
    const plain = await replay('plain', {});
    for (const control of [
      { map, strength: 0, fromScale: 0, toScale: 3 },
      { map: unflagged, strength: 1, fromScale: 0, toScale: 3 },
      { map, strength: 1, fromScale: 4, toScale: 9 },
    ]) {
      const predictions = await predictAll('plain', {}, { conditioning: { ...conditions({}), control } });
      expect(predictions.map(({ logits }) => logits.data)).toEqual(plain.map(({ logits }) => logits.data));
    }
  });

  it('holds only the scales that control names', async () => {
    const control = { map: fixture.array('control.npy'), strength: 1, fromScale: 2, toScale: 2 };
    const [plain, held] = [await replay('plain', {}), await predictAll('plain', {}, { conditioning: { ...conditions({}), control } })];
    const changed = held.map(({ logits }, scale) => maxDifference(logits.data, plain[scale]!.logits.data) > 0);
    expect(changed.slice(0, 3)).toEqual([false, false, true]);
  });

  it('predicts without any source', async () => {
    const run = await predictor.begin({ text: { kind: 'words', ids: tiny.config.words }, guided: true });
    for (const [scale, [rows, columns]] of predictor.schedule.entries()) {
      const codes = scale === 0 ? {} : { codes: floats([rows * columns, TOKEN_BITS]) };
      const { logits } = await run.predict(scale, codes, allLayers());
      expect(logits.dims).toEqual([2, rows * columns, TOKEN_BITS]);
      expect(logits.data.every(Number.isFinite)).toBe(true);
    }
  });

  it('goes on with the instructed row alone once guidance has ended, and finds its source again afterwards', async () => {
    const guided = await replay('guided', tiny.runs['guided']!);
    const running = await predictor.begin(conditions(tiny.runs['guided']!));
    for (let scale = 0; scale < predictor.schedule.length; scale++) {
      if (scale === 2) await running.endGuidance();
      const { logits } = await running.predict(scale, inputs('guided', tiny.runs['guided']!, scale), allLayers());
      expect(logits.dims[0]).toBe(scale < 2 ? 2 : 1);
      const instructed = guided[scale]!.logits.data.subarray(0, logits.data.length / logits.dims[0]!);
      expect(maxDifference(logits.data.subarray(0, instructed.length), instructed)).toBeLessThan(LOGIT_LIMIT);
    }
    expect((await replay('guided', tiny.runs['guided']!)).map(({ logits }) => logits.data)).toEqual(
      guided.map(({ logits }) => logits.data),
    );
  });

  it('gives nearly the same logits where keys and values are kept as halves', async () => {
    const architecture = describeArchitecture(await openWeights('transformer'), transformerConfig());
    const cacheTypes = architecture.cacheTypes.map((_, layer) => (layer === 0 ? 'float32' : 'float16'));
    const halves = new InfinityPredictor(new InfinitySessions(new SessionCache(runner), { ...architecture, cacheTypes }));
    const [exact, rounded] = [
      await replay('guided', tiny.runs['guided']!),
      await predictAll('guided', tiny.runs['guided']!, { on: halves }),
    ];
    await halves.release();
    const differences = rounded.map(({ logits }, scale) => maxDifference(logits.data, exact[scale]!.logits.data));
    expect(Math.max(...differences)).toBeLessThan(5e-3);
    expect(Math.max(...differences)).toBeGreaterThan(0);
  });

  it('opens the graphs of thinned and held scales before the first, each once', async () => {
    const watched = new WatchedRunner(runner);
    const on = await openInfinity(watched, await openWeights('transformer'), transformerConfig());
    const run = tiny.runs['control']!;
    const layers = layersPerScale({ depth: 4, scales: quantiser.scales, lateScales: 2, lateLayers: run.preset! });
    expect(watched.opened.filter((name) => name.startsWith('step'))).toEqual(['step-4-of-4']);
    const running = await on.begin(conditions(run), layers);
    expect(watched.opened.filter((name) => name.startsWith('step'))).toEqual(['step-4-of-4', 'step-4-of-4-controlled', 'step-2-of-4-controlled']); // prettier-ignore
    const before = watched.opened.length;
    for (const [scale, subset] of layers.entries()) await running.predict(scale, inputs('control', run, scale), subset);
    await on.begin(conditions(run), layers);
    expect(watched.opened).toHaveLength(before);
    await on.release();
  });

  it('takes scales in order only', async () => {
    const run = await predictor.begin(conditions({}));
    await expect(run.predict(1, inputs('plain', {}, 1), allLayers())).rejects.toThrow('Expected scale 0');
  });

  it('refuses weights that are not those of its card', async () => {
    const other = { ...transformerConfig(), depth: 5 };
    await expect(openInfinity(runner, await openWeights('transformer'), other)).rejects.toMatchObject({ code: 'weights.refused' });
  });
});

async function openWeights(name: string): Promise<Weights> {
  return Weights.of(await openCheckpoint(fixture.file(`${name}.safetensors`)));
}

function transformerConfig(): TransformerConfig {
  const { config } = tiny;
  return v.parse(TransformerConfig, {
    depth: config.depth,
    width: config.width,
    heads: config.heads,
    tokenBits: TOKEN_BITS,
    scales: config.scales.map((side) => [side, side]),
    patchify: 2,
    rotary: { kind: 'normalised', base: 100 },
    text: { kind: 'words', maxWords: config.maxWords, vocabulary: Array.from({ length: 12 }, (_, i) => `word${i}`) },
    sourceFusion: true,
    copyGate: true,
    maskEmbedding: true,
    control: { channels: ['canny', 'cannyFlag', 'depth', 'depthFlag'], layers: config.controlLayers },
    lateScales: config.lateScales,
    normEps: config.normEps,
  });
}

function allLayers(): readonly number[] {
  return Array.from({ length: tiny.config.depth }, (_, layer) => layer);
}

/** The run as the fixture took it: every scale sees the fixture's own bits of the scales before. */
function replay(name: string, run: Run): Promise<ScalePrediction[]> {
  return predictAll(name, run);
}

interface Otherwise {
  readonly conditioning?: Conditioning;
  readonly on?: ScalePredictor;
}

async function predictAll(
  name: string,
  run: Run,
  { conditioning = conditions(run), on = predictor }: Otherwise = {},
): Promise<ScalePrediction[]> {
  const layers = layersPerScale({
    depth: tiny.config.depth,
    scales: quantiser.scales,
    lateScales: tiny.config.lateScales,
    lateLayers: run.preset ?? tiny.config.depth,
  });
  const running = await on.begin(conditioning);
  const predictions: ScalePrediction[] = [];
  for (const [scale, subset] of layers.entries()) predictions.push(await running.predict(scale, inputs(name, run, scale), subset));
  return predictions;
}

function conditions(run: Run): Conditioning {
  const control = { map: fixture.array('control.npy'), strength: run.strength ?? 1, fromScale: 0, toScale: 3 };
  return {
    text: { kind: 'words', ids: tiny.config.words },
    guided: run.guidance !== undefined && run.guidance !== 1,
    source: { tokens: patchify(unbatched('features.npy'), 2), mask: patchify(holes(run), 2) },
    ...(run.control && { control }),
  };
}

function inputs(name: string, run: Run, scale: number): ScaleInput {
  const sum = sumOfTokens(quantiser, fixtureBits(name).slice(0, scale));
  const mask = quantiser.down(holes(run), scale);
  const residual = residualAt(quantiser, { features: unbatched('features.npy'), sum, k: scale });
  const visible = { ...residual, data: residual.data.map((value, i) => value * (1 - mask.data[i % mask.data.length]!)) };
  return {
    residual: patchify(visible, 2),
    mask: patchify(mask, 2),
    ...(scale > 0 && { codes: quantiser.nextInput(sum, scale) }),
  };
}

function fixtureBits(name: string): Uint8Array[] {
  const all = Uint8Array.from(fixture.array(`${name}-bits.npy`).data);
  let start = 0;
  return quantiser.schedule.map((_, scale) => all.slice(start, (start += quantiser.tokens(scale) * TOKEN_BITS)));
}

function holes({ masked }: Run): FloatTensor {
  return masked ? unbatched('mask.npy') : floats([1, 8, 8]);
}

function unbatched(file: string): FloatTensor {
  const { dims, data } = fixture.array(file);
  return floats(dims.slice(1), data);
}

function crop({ dims, data }: FloatTensor, rows: number, columns: number): FloatTensor {
  const [, channels = 0, height = 0, width = 0] = dims;
  const result = floats([1, channels, rows, columns]);
  result.data.forEach((_, i) => {
    const [channel, row, column] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
    result.data[i] = data[(channel * height + row) * width + column]!;
  });
  return result;
}

function guide({ dims, data }: FloatTensor, guidance: number): number[] {
  if (dims[0] === 1) return [...data];
  const count = data.length / 2;
  return Array.from({ length: count }, (_, i) => guidance * data[i]! + (1 - guidance) * data[count + i]!);
}
