import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '#engine/graph/builder.js';
import { Module } from '#engine/networks/module.js';
import { linear } from '#engine/networks/nn.js';
import { output } from '#engine/tensor/runner.js';
import { floats } from '#engine/tensor/tensor.js';
import { narrowToHalf, widenBfloat, widenHalf } from '#engine/weights/floats.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { OnnxRunner } from '../../../support/onnx-runner.js';

const WIDTH = 40;
const values = Float32Array.from({ length: WIDTH * WIDTH }, (_, i) => Math.sin(i));
let folder: string;

/** The weights by the type that they are stored as. */
const STORED = {
  F32: values,
  F16: narrowToHalf(values)!,
  BF16: new Uint16Array(values.buffer.slice(0)).filter((_, i) => i % 2 === 1),
};

/** A safetensors file with one layer; `shift` bytes of padding move its data. */
async function layerFile(name: string, shift: number, dtype: keyof typeof STORED = 'F32'): Promise<Weights> {
  const stored = STORED[dtype];
  const weightBytes = stored.byteLength;
  const header = JSON.stringify({
    'layer.weight': { dtype, shape: [WIDTH, WIDTH], data_offsets: [0, weightBytes] },
    'layer.bias': { dtype: 'F32', shape: [WIDTH], data_offsets: [weightBytes, weightBytes + WIDTH * 4] },
  });
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8 + shift);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const data = [Buffer.from(stored.buffer), Buffer.from(new Float32Array(WIDTH).fill(0.5).buffer)];
  const file = path.join(folder, name);
  await writeFile(file, Buffer.concat([length, Buffer.from(padded), ...data]));
  return Weights.of(await openCheckpoint(file));
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-module-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('Module', () => {
  it.each([
    ['maps', 0, true],
    ['copies misaligned', 2, false],
  ] as const)('%s weights and computes with them', async (_, shift, mapped) => {
    const graph = new GraphBuilder('layer');
    const module = new Module(graph, await layerFile(`shift-${shift}.safetensors`, shift));
    graph.output('y', linear(module.at('layer'), graph.input('x', ['R', WIDTH])), ['R', WIDTH]);
    const model = graph.finish();
    expect(model.externalFolder !== undefined).toBe(mapped);
    expect(model.bytes.length < values.byteLength).toBe(mapped);
    const session = await new OnnxRunner().open(model);
    const x = floats([2, WIDTH]);
    x.data[3] = 1;
    x.data[WIDTH] = 2;
    const y = output(await session.run({ x }), 'y');
    const expected = Array.from(
      { length: 2 * WIDTH },
      (_, i) => (i < WIDTH ? values[i * WIDTH + 3]! : 2 * values[(i - WIDTH) * WIDTH]!) + 0.5,
    );
    expected.forEach((value, i) => {
      expect(y.data[i]).toBeCloseTo(value, 6);
    });
    await session.release();
  });

  it.each([
    ['F16', widenHalf(STORED.F16)],
    ['BF16', widenBfloat(STORED.BF16)],
  ] as const)('maps %s weights and widens them exactly while it computes', async (dtype, exact) => {
    const graph = new GraphBuilder('layer');
    const module = new Module(graph, await layerFile(`${dtype}.safetensors`, 2, dtype));
    const model = ((x) => {
      graph.output('y', linear(module.at('layer'), x), ['R', WIDTH]);
      return graph.finish();
    })(graph.input('x', ['R', WIDTH]));
    // A weight that was widened into the graph would be in its bytes.
    expect(model.bytes.length).toBeLessThan(STORED[dtype].byteLength);
    const session = await new OnnxRunner().open(model);
    for (const row of [0, 7]) {
      const x = floats([1, WIDTH]);
      x.data[row] = 1;
      const y = output(await session.run({ x }), 'y');
      expect([...(y.data as Float32Array)]).toEqual(Array.from({ length: WIDTH }, (_, n) => Math.fround(exact[n * WIDTH + row]! + 0.5)));
    }
    await session.release();
  });

  it('refuses to read a weight in a shape that it does not have', async () => {
    const module = new Module(new GraphBuilder('layer'), await layerFile('shape.safetensors', 0));
    expect(() => module.at('layer').parameter('weight', [3, 3])).toThrow('Expected [3, 3] for "layer.weight" but received [40, 40].');
  });
});
