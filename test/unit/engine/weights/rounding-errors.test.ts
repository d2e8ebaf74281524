import { rm, writeFile } from 'node:fs/promises';
import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chances } from '#base/chances.js';
import { GraphBuilder } from '#engine/graph/builder.js';
import { Module } from '#engine/networks/module.js';
import { linear } from '#engine/networks/nn.js';
import { productsSaturate } from '#engine/runtime/integer-instructions.js';
import { createRunner } from '#engine/runtime/ort-runner.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { roundingErrors } from '#engine/weights/rounding-errors.js';
import { writeWeights } from '#engine/weights/write-weights.js';
import { headerLength } from './support/safetensors-writer.js';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-rounding-'))));
afterAll(() => rm(folder, { recursive: true }));

const [OUTPUTS, INPUTS, TOKENS] = [96, 256, 64];
/** Of the outputs so many in the middle. */
const LOOKED_AT = 16;

function gaussian(count: number, seed: number): Float32Array {
  const chance = chances(seed);
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance()));
}

/** A checkpoint of one layer. */
async function written(name: string, weight: Float32Array | Uint16Array, shape = [OUTPUTS, INPUTS]): Promise<string> {
  const dtype = weight instanceof Float32Array ? 'F32' : 'BF16';
  const header = Buffer.from(JSON.stringify({ 'fc.weight': { dtype, shape, data_offsets: [0, weight.byteLength] } }));
  const file = path.join(folder, `${name}.safetensors`);
  await writeFile(file, Buffer.concat([headerLength(BigInt(header.length)), header, Buffer.from(weight.buffer)]));
  return file;
}

const errorsIn = async (file: string, saturates = false) => roundingErrors(await openCheckpoint(file), saturates);

/** `rows` `[R, K]` by the layer, as the runtime multiplies it. */
async function multiplied(file: string, rows: FloatTensor): Promise<Float32Array> {
  const graph = new GraphBuilder('layer');
  const out = linear(new Module(graph, Weights.of(await openCheckpoint(file))).at('fc'), graph.input('rows', ['R', INPUTS]));
  graph.output('out', out, ['R', OUTPUTS]);
  const session = await (await createRunner({ provider: 'cpu' })).open(graph.finish());
  const { out: result } = await session.run({ rows });
  await session.release();
  return (result as FloatTensor).data;
}

describe('what rounding changes', () => {
  test.each(['int8', 'int4', 'half'] as const)('at %s is what the runtime’s own products change', async (precision) => {
    const exact = await written(`exact-${precision}`, gaussian(OUTPUTS * INPUTS, 2));
    const target = path.join(folder, `${precision}-written.safetensors`);
    for await (const _ of writeWeights(await openCheckpoint(exact), { target, precision })) continue;
    const rows = floats([TOKENS, INPUTS], gaussian(TOKENS * INPUTS, 1));
    const lookedAt = (all: Float32Array) => all.filter((_, i) => Math.abs((i % OUTPUTS) - OUTPUTS / 2 + 0.5) < LOOKED_AT / 2);
    const [before, after] = [lookedAt(await multiplied(exact, rows)), lookedAt(await multiplied(target, rows))];
    const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
    const measured = Math.sqrt(squares(after.map((value, i) => value - before[i]!)) / squares(before));
    const told = (await errorsIn(exact, productsSaturate()))![precision];
    expect(told / measured).toBeCloseTo(1, 3);
  });

  test('is nothing at half where weights are stored so, and nothing at float32', async () => {
    const halves = Uint16Array.from(gaussian(OUTPUTS * INPUTS, 4), (value) => new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16);
    expect(await errorsIn(await written('halves', halves))).toMatchObject({ float32: 0, half: 0 });
  });

  test('grows with one large weight in each row, which takes the steps of all others', async () => {
    const even = gaussian(OUTPUTS * INPUTS, 5);
    const spread = even.map((value, i) => (i % INPUTS === 7 ? 40 : value));
    const [a, b] = [(await errorsIn(await written('even', even)))!, (await errorsIn(await written('spread', spread)))!];
    expect(b.int8).toBeGreaterThan(a.int8);
    expect(a.int8).toBeGreaterThan(0.005);
    expect(a.int8).toBeLessThan(0.02);
    expect(a.int4).toBeGreaterThan(0.05);
  });

  test('is not said of a file without layers to round, or whose weights are none', async () => {
    expect(await errorsIn(await written('small', gaussian(32 * 32, 6), [32, 32]))).toBeUndefined();
    expect(await errorsIn(await written('damaged', new Float32Array(OUTPUTS * INPUTS).fill(NaN)))).toBeUndefined();
  });
});
