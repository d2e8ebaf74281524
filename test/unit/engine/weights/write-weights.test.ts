import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Precision } from '#contract/pack-card.js';
import { readStored, Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { writeWeights } from '#engine/weights/write-weights.js';
import { maxDifference } from '../../../support/fixtures.js';
import { safetensors } from './support/safetensors-writer.js';
import { TemporaryFiles } from './support/temporary-files.js';

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
  const { written, steps } = await write(half, { target, precision: 'float32' });
  expect(steps).toBe(written.bytes);
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
    await write(half, { target, precision });
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
  await write(half, { target, precision: 'float32' });
  await rm(`${target}.journal`);
  await expect(write(half, { target, precision: 'float32' })).rejects.toThrow('EEXIST');
});

test('every head that tokens come from stays exact, whatever its family calls it', async () => {
  const names = ['head', 'ns_head', 'mask_head', 'output', 'medusa_output', 'blocks.0.fc1'].map((name) => `${name}.weight`);
  const header = Object.fromEntries(
    names.map((name, i) => [name, { dtype: 'F32', shape: [64, 64], data_offsets: [16_384 * i, 16_384 * (i + 1)] }]),
  );
  await writeFile(
    path.join(folder, 'heads.safetensors'),
    Buffer.concat([safetensors(JSON.stringify(header)), Buffer.alloc(16_384 * names.length)]),
  );
  const target = path.join(folder, 'heads-int8.safetensors');
  await write(await openCheckpoint(path.join(folder, 'heads.safetensors')), { target, precision: 'int8' });
  const { tensors } = await openCheckpoint(target);
  expect(names.filter((name) => tensors.get(name)?.dtype === 'float32')).toEqual(names.slice(0, -1));
});

describe('half', () => {
  test('keeps what is stored in two bytes as it is, rounds other linear layers, and leaves the rest exact', async () => {
    const stored = await openCheckpoint('test/golden/var-mini/var_d3.pth');
    const wide = path.join(folder, 'for-half.safetensors');
    await write(stored, { target: wide, precision: 'float32' });
    for (const [name, source] of [
      ['as-stored', stored],
      ['rounded', await openCheckpoint(wide)],
    ] as const) {
      const target = path.join(folder, `${name}.safetensors`);
      await write(source, { target, precision: 'half' });
      const written = await openCheckpoint(target);
      expect(written.tensors.get('blocks.0.ffn.fc1.weight')!.dtype).toBe('float16');
      expect(written.tensors.get('head.weight')!.dtype).toBe('float32');
      for (const tensor of stored.tensors.keys()) {
        expect(maxDifference(Weights.of(written).readFloats(tensor), Weights.of(stored).readFloats(tensor)), tensor).toBe(0);
        expect(written.tensors.get(tensor)!.offsetBytes % 2).toBe(0);
      }
    }
  });
});

const files = new TemporaryFiles();

/** A file with one linear layer of 64×64 whose first weight is given. */
function layerWith(value: number): string {
  const bytes = safetensors('{"a.weight":{"dtype":"F32","shape":[64,64],"data_offsets":[0,16384]}}', 16_384);
  const start = bytes.length - 16_384;
  bytes.fill(0, start);
  bytes.writeFloatLE(value, start);
  return files.write(bytes, 'layer');
}

test.each([
  ['NaN', Number.NaN, 'int8', 'weights.damaged', /Expected finite weights in a\.weight but they are damaged/],
  ['infinity', Number.NEGATIVE_INFINITY, 'int4', 'weights.damaged', /finite weights in a\.weight/],
  ['a number beyond half precision', 70_000, 'half', 'weights.refused', /at most 65504 for half precision in a\.weight/],
] as const)('%s is not rounded away but refused by name', async (what, value, precision, code, message) => {
  const target = path.join(folder, `${what}.safetensors`);
  const writing = write(await openCheckpoint(layerWith(value)), { target, precision });
  await expect(writing).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
});

test('only what is asked for is written', async () => {
  const source = await openCheckpoint('test/golden/t5-mini/t5.pth');
  const target = path.join(folder, 'encoder.safetensors');
  await write(source, { target, precision: 'float32', only: ['shared'] });
  expect([...(await openCheckpoint(target)).tensors.keys()]).toEqual(['shared.weight']);
});

describe('a write that was killed', () => {
  /** Leaves after some steps, as a process that is killed does: only the files are closed. */
  async function killedAfter(steps: number, target: string, precision: Precision = 'int8') {
    const writing = writeWeights(await openCheckpoint('test/golden/var-mini/var_d3.pth'), { target, precision });
    for (let i = 0; i < steps; i++) await writing.next();
    await writing.return({ bytes: 0, sha256: '' });
  }

  async function whole(precision: Precision = 'int8') {
    const target = path.join(folder, `whole-${precision}.safetensors`);
    await rm(target, { force: true });
    await rm(`${target}.journal`, { force: true });
    const { written } = await write(await openCheckpoint('test/golden/var-mini/var_d3.pth'), { target, precision });
    return { written, content: await readFile(target) };
  }

  const inode = async (target: string) => (await stat(target)).ino;
  const partsOf = async (target: string) => (await readFile(`${target}.journal`, 'utf8')).split('\n').length - 2;

  test('goes on behind the last tensor that was finished, to the same bytes', async () => {
    const target = path.join(folder, 'killed.safetensors');
    await killedAfter(20, target);
    const [before, finished] = [await inode(target), await partsOf(target)];
    expect(finished).toBeGreaterThan(5);
    const { written, steps } = await write(await openCheckpoint('test/golden/var-mini/var_d3.pth'), { target, precision: 'int8' });
    const { written: expected, content } = await whole();
    expect(written).toEqual(expected);
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(await inode(target)).toBe(before);
    // What was there is counted, too.
    expect(steps).toBe(written.bytes);
  });

  test.each([
    ['bytes that never reached the disk', async (target: string) => (await open(target, 'r+')).truncate(3000)],
    [
      'bytes that are others by now',
      async (target: string) => {
        const file = await open(target, 'r+');
        await file.write(Buffer.from('damage'), 0, 6, 4000);
        await file.close();
      },
    ],
    ['a journal that was cut', (target: string) => appendFile(`${target}.journal`, '{"bytes":12')],
  ])('trusts no part with %s', async (what, harm) => {
    const target = path.join(folder, `${what}.safetensors`);
    await killedAfter(20, target);
    await harm(target);
    const { written } = await write(await openCheckpoint('test/golden/var-mini/var_d3.pth'), { target, precision: 'int8' });
    expect(written).toEqual((await whole()).written);
  });

  test.each(['target', 'journal'] as const)('ends whole where the %s was lost', async (lost) => {
    const target = path.join(folder, `no-${lost}.safetensors`);
    await killedAfter(20, target);
    if (lost === 'target') await rm(target);
    else await writeFile(`${target}.journal`, '');
    const { written } = await write(await openCheckpoint('test/golden/var-mini/var_d3.pth'), { target, precision: 'int8' });
    expect(written).toEqual((await whole()).written);
  });

  test('begins anew where something else was being written', async () => {
    const target = path.join(folder, 'other.safetensors');
    await killedAfter(20, target, 'int8');
    const { written } = await write(await openCheckpoint('test/golden/var-mini/var_d3.pth'), { target, precision: 'int4' });
    expect(written).toEqual((await whole('int4')).written);
  });
});
