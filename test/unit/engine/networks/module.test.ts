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
/** Weights in halves of so many channels fill more than the megabyte from which on they are mapped. */
const LARGE = 728;
const valuesOf = (width: number) => Float32Array.from({ length: width * width }, (_, i) => Math.sin(i));
const values = valuesOf(WIDTH);
let folder: string;

/** The weights by the type that they are stored as. */
const STORED = {
  F32: (floats: Float32Array) => floats,
  F16: (floats: Float32Array) => narrowToHalf(floats)!,
  BF16: (floats: Float32Array) => new Uint16Array(floats.buffer.slice(0)).filter((_, i) => i % 2 === 1),
};

/** What halves are exactly. */
const WIDENED = { F16: widenHalf, BF16: widenBfloat };

interface LayerFile {
  readonly shift: number;
  readonly dtype?: keyof typeof STORED;
  readonly width?: number;
}

/** A safetensors file with one layer; `shift` bytes of padding move its data. */
async function layerFile(name: string, { shift, dtype = 'F32', width = WIDTH }: LayerFile): Promise<Weights> {
  const stored = STORED[dtype](valuesOf(width));
  const weightBytes = stored.byteLength;
  const header = JSON.stringify({
    'layer.weight': { dtype, shape: [width, width], data_offsets: [0, weightBytes] },
    'layer.bias': { dtype: 'F32', shape: [width], data_offsets: [weightBytes, weightBytes + width * 4] },
  });
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8 + shift);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const data = [Buffer.from(stored.buffer), Buffer.from(new Float32Array(width).fill(0.5).buffer)];
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
    const module = new Module(graph, await layerFile(`shift-${shift}.safetensors`, { shift }));
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
    ['maps large F16 weights and widens them exactly while it computes', 'F16', LARGE],
    ['maps large BF16 weights and widens them exactly while it computes', 'BF16', LARGE],
    // Also for devices that have no halves.
    ['widens small F16 weights exactly when the graph is made', 'F16', WIDTH],
    ['widens small BF16 weights exactly when the graph is made', 'BF16', WIDTH],
  ] as const)('%s', async (_, dtype, width) => {
    const graph = new GraphBuilder('layer');
    const module = new Module(graph, await layerFile(`${dtype}-${width}.safetensors`, { shift: 2, dtype, width }));
    graph.output('y', linear(module.at('layer'), graph.input('x', ['R', width])), ['R', width]);
    const model = graph.finish();
    const exact = WIDENED[dtype](STORED[dtype](valuesOf(width)));
    const isMapped = width === LARGE;
    // A weight that was widened into the graph would be in its bytes.
    expect(model.bytes.length < exact.byteLength / 2).toBe(isMapped);
    expect(Buffer.from(model.bytes).includes('Cast')).toBe(isMapped);
    const session = await new OnnxRunner().open(model);
    for (const row of [0, 7]) {
      const x = floats([1, width]);
      x.data[row] = 1;
      const y = output(await session.run({ x }), 'y');
      expect([...(y.data as Float32Array)]).toEqual(Array.from({ length: width }, (__, n) => Math.fround(exact[n * width + row]! + 0.5)));
    }
    await session.release();
  });

  it('refuses to read a weight in a shape that it does not have', async () => {
    const module = new Module(new GraphBuilder('layer'), await layerFile('shape.safetensors', { shift: 0 }));
    expect(() => module.at('layer').parameter('weight', [3, 3])).toThrow('Expected [3, 3] for "layer.weight" but received [40, 40].');
  });
});
