import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readStored, Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { writeWeights } from '#engine/weights/write-weights.js';
import { maxDifference } from '../../../support/fixtures.js';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-widen-'))));
afterAll(() => rm(folder, { recursive: true }));

/** Writes to the end; how many bytes the steps said, and what was written. */
async function write(...args: Parameters<typeof writeWeights>) {
  const writing = writeWeights(...args);
  let steps = 0;
  for (let step = await writing.next(); ; step = await writing.next()) {
    if (step.done) return { written: step.value, steps };
    steps += step.value;
  }
}

test('half precision is widened exactly, tensor by tensor, and mapped from then on', async () => {
  const half = await openCheckpoint('test/golden/var-mini/var_d3.pth');
  const target = path.join(folder, 'wide.safetensors');
  const { written, steps } = await write(half, target, 'float32');
  expect(steps).toBeLessThan(written.bytes);
  expect(steps).toBeGreaterThan(0.9 * written.bytes);
  const content = await readFile(target);
  expect(written).toEqual({ bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') });
  const wide = await openCheckpoint(target);
  expect([...wide.tensors.keys()].sort()).toEqual([...half.tensors.keys()].sort());
  for (const name of half.tensors.keys()) {
    expect(wide.tensors.get(name)).toMatchObject({ dtype: 'float32', shape: half.tensors.get(name)!.shape });
    expect(wide.tensors.get(name)!.offsetBytes % 4, name).toBe(0);
    expect(Weights.of(wide).readFloats(name)).toEqual(Weights.of(half).readFloats(name));
  }
});

describe.each([
  ['int8', 1 / 254],
  // The end that reaches less far is cut by up to a whole step.
  ['int4', 1 / 8],
] as const)('%s', (precision, share) => {
  let exact: Weights;
  let written: Weights;

  beforeAll(async () => {
    const half = await openCheckpoint('test/golden/var-mini/var_d3.pth');
    const target = path.join(folder, `${precision}.safetensors`);
    await write(half, target, precision);
    exact = Weights.of(half);
    written = Weights.of(await openCheckpoint(target));
  });

  test('stores the weights of linear layers as integers, as near as their steps allow', () => {
    const layer = 'blocks.0.attn.mat_qkv.weight';
    const [outputs = 0, inputs = 0] = exact.shape(layer);
    expect(written.shape(layer)).toEqual([outputs, inputs]);
    const weight = exact.readFloats(layer);
    const restored = restore(written, layer);
    for (let n = 0; n < outputs; n++) {
      const row = weight.subarray(n * inputs, (n + 1) * inputs);
      const most = Math.max(...row.map(Math.abs));
      expect(maxDifference(row, restored.subarray(n * inputs, (n + 1) * inputs))).toBeLessThanOrEqual(most * share + 1e-7);
    }
  });

  test('stores everything else exactly, and says which tensor has another shape', () => {
    for (const name of ['head.weight', 'word_embed.weight', 'class_emb.weight', 'pos_1LC', 'blocks.0.attn.q_bias']) {
      expect(written.readFloats(name), name).toEqual(exact.readFloats(name));
    }
    expect(() => {
      written.expectShape('blocks.0.ffn.fc1.weight', [1, 1]);
    }).toThrow(/Expected \[1, 1\] for "?blocks\.0\.ffn\.fc1\.weight/);
  });
});

/** Integers times their scales, `[N, K]`. */
function restore(weights: Weights, name: string): Float32Array {
  const { precision, values, scales } = weights.quantised(name)!;
  const [outputs = 0, inputs = 0] = weights.shape(name);
  const bytes = readStored(weights.checkpoint, values);
  const scale = new Float32Array(Uint8Array.from(readStored(weights.checkpoint, scales)).buffer);
  return Float32Array.from({ length: outputs * inputs }, (_, i) => {
    const [n, k] = [Math.floor(i / inputs), i % inputs];
    if (precision === 'int8') return bytes.readInt8(k * outputs + n) * scale[n]!;
    return (((bytes[i >> 1]! >> (4 * (i & 1))) & 15) - 8) * scale[Math.floor(i / 32)]!;
  });
}

test('nothing is written over', async () => {
  const half = await openCheckpoint('test/golden/var-mini/var_d3.pth');
  const target = path.join(folder, 'twice.safetensors');
  await write(half, target, 'float32');
  await expect(write(half, target, 'float32')).rejects.toThrow('EEXIST');
});
