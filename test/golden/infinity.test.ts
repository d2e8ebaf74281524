import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { cellCount, type Extent, type Grid } from '#base/geometry.js';
import { TransformerConfig } from '#contract/pack-card.js';
import { openInfinity, type InfinityPredictor } from '#engine/networks/infinity/predictor.js';
import { nearestRatio, oneMegapixelSchedule } from '#engine/networks/infinity/ratios.js';
import { BitwiseQuantiser } from '#engine/sampling/bitwise-quantiser.js';
import { guide } from '#engine/sampling/guidance.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { recognise } from '#engine/families/recognise.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { Fixture, maxDifference } from '../support/fixtures.js';
import { OnnxRunner } from '../support/onnx-runner.js';

// Infinity (words alone) and VAREdit (a source) in every published shape, against reference/infinity.py: PyTorch, written
// apart from ours and held against the published code's own numbers.

interface Case {
  readonly name: string;
  readonly task: 'edit' | 'generate';
  readonly ratio: string;
  readonly guidance: number;
  readonly scales: [number, number][];
  /** Per scale, the tokens whose logits were kept. */
  readonly rows: readonly (readonly number[])[];
}

interface Mini {
  readonly config: {
    width: number;
    heads: number;
    depth: number;
    text: number;
    words: number;
    tokenBits: number;
    bits: number;
    patch: 1 | 2;
  };
  readonly cases: readonly Case[];
}

const LOGIT_LIMIT = 5e-4;
/** Below this a bit may fall either way in single precision. */
const MARGIN = 1e-3;

describe.each(['infinity-mini-2b', 'infinity-mini-8b'])('PyTorch’s numbers for %s', (name) => {
  const fixture = new Fixture('test/golden', name);
  const { config, cases } = fixture.json('cases.json') as Mini;
  const runner = new OnnxRunner(2);
  const predictors = new Map<string, Promise<InfinityPredictor>>();
  let weights: Weights;

  beforeAll(async () => {
    weights = Weights.of(await openCheckpoint(fixture.file('transformer.pth')));
  });

  afterAll(async () => {
    for (const predictor of predictors.values()) await (await predictor).release();
  });

  /** One for each task and resolution, which any shape is then fitted to. */
  function predictorOf(one: Case): Promise<InfinityPredictor> {
    const key = `${one.task} ${one.scales.length}`;
    const opened = predictors.get(key) ?? openInfinity(runner, weights, configOf(config, one));
    predictors.set(key, opened);
    return opened;
  }

  it.each(cases.map((one) => [one.name, one] as const))(
    'equal ours: %s',
    async (_, one) => {
      const { scales, ratio, guidance, task } = one;
      expect(oneMegapixelSchedule(nearestRatio(shapeOf(scales))).slice(0, scales.length)).toEqual(scales);
      const predictor = (await predictorOf(one)).fitted({ scales, rotary: { kind: 'published', ratio: nearestRatio(shapeOf(scales)) } });
      expect(Number(ratio)).toBeCloseTo(Number(nearestRatio(shapeOf(scales))), 2);
      const quantiser = new BitwiseQuantiser({ codeBits: config.bits, schedule: scales, patchify: config.patch });
      const source = task === 'edit' ? { source: { tokens: wave(cellCount(scales.at(-1)!), config.tokenBits) } } : {};
      const run = await predictor.begin({
        text: { kind: 'features', features: wave(config.words, config.text) },
        guided: guidance !== 1,
        ...source,
      });
      const [logitsKept, bits] = [fixture.array(`${one.name}-logits.npy`), unpacked(fixture.array(`${one.name}-bits.npy`).data)];
      const layers = Array.from({ length: config.depth }, (__, layer) => layer);
      let [sum, firstRow, firstBit] = [quantiser.emptySum(), 0, 0];
      for (const [scale, grid] of scales.entries()) {
        const { logits } = await run.predict(scale, scale === 0 ? {} : { codes: quantiser.nextInput(sum, scale) }, layers);
        const ours = guide(logits, guidance);
        const rows = one.rows[scale]!;
        const theirs = logitsKept.data.subarray(firstRow * config.tokenBits, (firstRow + rows.length) * config.tokenBits);
        const kept = rows.flatMap((row) => [...ours.subarray(row * config.tokenBits, (row + 1) * config.tokenBits)]);
        expect(maxDifference(kept, theirs), `scale ${scale}`).toBeLessThan(LOGIT_LIMIT);
        const given = bits.subarray(firstBit, firstBit + cellCount(grid) * config.tokenBits);
        const flipped = ours.filter((value, i) => Math.abs(value) > MARGIN && (value > 0 ? 1 : 0) !== given[i]);
        expect([...flipped], `scale ${scale}`).toEqual([]);
        sum = quantiser.add(sum, given, scale);
        firstRow += rows.length;
        firstBit += given.length;
      }
    },
    120_000,
  );

  it('are the same bytes where the blocks lie in one row, as models that were trained in one piece keep them', async () => {
    const checkpoint = await openCheckpoint(fixture.file('transformer.pth'));
    const inChunks = /^block_chunks\.(\d+)\.module\.(\d+)\./u;
    const chunks = new Set([...checkpoint.tensors.keys()].flatMap((key) => inChunks.exec(key)?.slice(1, 3).join('.') ?? []));
    const order = [...chunks].sort(
      (x, y) => Number(x.split('.')[0]) - Number(y.split('.')[0]) || Number(x.split('.')[1]) - Number(y.split('.')[1]),
    );
    const plain = (key: string) =>
      key.replace(inChunks, (_, chunk, index) => `blocks.${String(order.indexOf(`${String(chunk)}.${String(index)}`))}.`);
    const tensors = new Map([...checkpoint.tensors].map(([key, tensor]) => [plain(key), { ...tensor, name: plain(key) }]));
    const renamed = { ...checkpoint, tensors };
    const inOneRow = Weights.of(renamed);
    expect(recognise(renamed)).toEqual(recognise(checkpoint));
    expect(recognise(renamed).model?.family).toBe('infinity');
    const one = cases[0]!;
    const setting = configOf(config, one);
    const first = async (of: Weights) => {
      const predictor = await openInfinity(runner, of, setting);
      const source = one.task === 'edit' ? { source: { tokens: wave(cellCount(one.scales.at(-1)!), config.tokenBits) } } : {};
      const text = { kind: 'features' as const, features: wave(config.words, config.text) };
      const run = await predictor.begin({ text, guided: false, ...source });
      const { logits } = await run.predict(
        0,
        {},
        Array.from({ length: config.depth }, (_, layer) => layer),
      );
      await predictor.release();
      return logits;
    };
    expect(await first(inOneRow)).toEqual(await first(weights));
  }, 120_000);
});

function configOf({ width, heads, depth, text, tokenBits, patch }: Mini['config'], { task, scales, ratio }: Case): TransformerConfig {
  return v.parse(TransformerConfig, {
    ...{ depth, width, heads, tokenBits, scales, patchify: patch, source: task === 'edit' },
    rotary: { kind: 'published', ratio },
    text: { kind: 'features', width: text, maxTokens: 512 },
  });
}

function shapeOf(scales: readonly Grid[]): Extent {
  const [height, width] = scales.at(-1)!;
  return { width, height };
}

/** The same numbers as reference/infinity.py makes, without a file. */
function wave(rows: number, columns: number): FloatTensor {
  const values = floats([rows, columns]);
  values.data.forEach((_, i) => (values.data[i] = ((i * 7919) % 2003) / 1001.5 - 1));
  return values;
}

/** Bits from bytes, lowest first. */
function unpacked(bytes: Float32Array): Uint8Array {
  return Uint8Array.from({ length: bytes.length * 8 }, (_, i) => (bytes[i >> 3]! >> (i & 7)) & 1);
}
