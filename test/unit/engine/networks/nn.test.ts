import { describe, expect, it } from 'vitest';
import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import {
  attention,
  attentionInSteps,
  biasedAttention,
  exactAttention,
  geluErf,
  geluTanh,
  plainLayerNorm,
  rmsNorm,
  pixelShuffle,
  pixelUnshuffle,
  rotary,
  silu,
  unitVectors,
  upsampleNearest,
} from '#engine/networks/nn.js';
import type { Module } from '#engine/networks/module.js';
import { output } from '#engine/tensor/runner.js';
import { floatData, floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { OnnxRunner } from '../../../support/onnx-runner.js';

const runner = new OnnxRunner();

/** Runs a graph of one layer that keeps the rank of its first input. */
async function compute(layer: (graph: GraphBuilder, ...inputs: Value[]) => Value, ...inputs: FloatTensor[]): Promise<FloatTensor> {
  const graph = new GraphBuilder('layer');
  const names = inputs.map(({ dims }, i) => graph.input(`x${i}`, dims));
  graph.output(
    'y',
    layer(graph, ...names),
    inputs[0]!.dims.map((_, axis) => `d${axis}`),
  );
  const session = await runner.open(graph.finish());
  const y = output(await session.run(Object.fromEntries(inputs.map((input, i) => [`x${i}`, input]))), 'y');
  await session.release();
  return floats(y.dims, floatData(y));
}

function count(...dims: number[]): FloatTensor {
  const tensor = floats(dims);
  tensor.data.forEach((_, i) => (tensor.data[i] = i));
  return tensor;
}

function expectClose(actual: FloatTensor, expected: readonly number[]): void {
  expect(actual.data).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(actual.data[i]).toBeCloseTo(value, 5);
  });
}

/** torch.nn.functional.rms_norm(x, (4,), weight, 1e-6) of PyTorch 2.13. */
const RMS_NORMED = [0.3651484, -0.3651484, -2.1908903, 4.3817806, 0.6324555, 0.6324555, 0, -1.8973665];

it('root-mean-square normalisation scales each row by its weight, with the eps under the root', async () => {
  const x = floats([2, 4], Float32Array.of(1, -2, 3, 4, 0.001, 0.002, 0, -0.001));
  const normed = (graph: GraphBuilder, value: Value) => {
    const module = { graph, parameter: (name: string) => graph.inline(name, [4], Float32Array.of(1, 0.5, -2, 3)) };
    return rmsNorm(module as unknown as Module, value, 1e-6);
  };
  expectClose(await compute(normed, x), RMS_NORMED);
});

describe('activations', () => {
  const x = [-3, -1, -0.1, 0, 0.5, 2];

  it('SiLU is x times its sigmoid', async () => {
    expectClose(
      await compute(silu, floats([6], Float32Array.from(x))),
      x.map((value) => value / (1 + Math.exp(-value))),
    );
  });

  it('the tanh GELU follows its formula', async () => {
    const gelu = (value: number): number => 0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3)));
    expectClose(await compute(geluTanh, floats([6], Float32Array.from(x))), x.map(gelu));
  });

  it('the exact GELU differs from it', async () => {
    expectClose(await compute(geluErf, floats([2], Float32Array.of(1, -2))), [0.841345, -0.0455]);
  });
});

describe('unit vectors', () => {
  it('have length one, however long they were', async () => {
    const y = await compute((graph, value) => unitVectors(graph, value, 2), floats([3, 2], Float32Array.of(3, 4, 1e-4, 0, -500, 0)));
    expectClose(y, [0.6, 0.8, 1, 0, -1, 0]);
  });
});

describe('layer normalisation', () => {
  it('without weights takes the mean away and divides by the deviation', async () => {
    const rows = floats([1, 2, 4], Float32Array.of(1, 2, 3, 4, -5, 0, 5, 10));
    const eps = 1e-6;
    const expected = [0, 1].flatMap((row) => {
      const own = [...rows.data.subarray(4 * row, 4 * row + 4)];
      const mean = own.reduce((sum, value) => sum + value, 0) / 4;
      const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 4;
      return own.map((value) => (value - mean) / Math.sqrt(variance + eps));
    });
    expectClose(await compute((graph, x = '') => plainLayerNorm(graph, x, { width: 4, eps }), rows), expected);
  });
});

describe('rotary', () => {
  it('turns neighbouring pairs of every head by its row’s angles', async () => {
    const x = floats([1, 2, 4], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)); // 2 heads of 2
    const cos = floats([2, 1], Float32Array.of(1, 0));
    const sin = floats([2, 1], Float32Array.of(0, 1));
    const y = await compute((graph, value, c = '', s = '') => rotary(graph, value, { cos: c, sin: s }), x, cos, sin);
    expectClose(y, [1, 2, 3, 4, -6, 5, -8, 7]);
  });
});

describe('attention', () => {
  const q = floats([1, 1, 2], Float32Array.of(1, 2)); // 2 heads of 1
  const k = floats([1, 2, 2], Float32Array.of(0, 1, 1, 0));
  const v = floats([1, 2, 2], Float32Array.of(10, 20, 30, 40));

  it('mixes values by unscaled softmax scores, head by head', async () => {
    const share = (score: number): number => 1 / (1 + Math.exp(-score));
    const y = await compute((graph, a = '', b = '', c = '') => attention(graph, { q: a, k: b, v: c }, 2), q, k, v);
    expectClose(y, [10 + 20 * share(1), 40 - 20 * share(2)]);
  });

  const many = (seed: number, ...dims: number[]): FloatTensor => {
    const tensor = floats(dims);
    tensor.data.forEach((_, i) => (tensor.data[i] = 2 * Math.sin(seed + 7.3 * i)));
    return tensor;
  };

  it.each([false, true])('in steps equals the fused operator, hidden rows: %s', async (hides) => {
    const [queries, keys, values] = [many(1, 2, 3, 8), many(2, 2, 5, 8), many(3, 2, 5, 8)]; // (B, L, C), (B, T, C)
    const bias = floats([1, 1, 3, 5]);
    if (hides) bias.data.forEach((_, i) => (bias.data[i] = i % 5 > 2 ? -1e4 : 0));
    const by = (layer: typeof exactAttention, fused: boolean) =>
      compute(
        (graph, q = '', k = '', v = '', hidden = '') => layer(graph, { q, k, v, bias: hidden }, { fused, count: 2, width: 4 }),
        ...[queries, keys, values, bias],
      );
    const fused = [...(await by(exactAttention, true)).data];
    expectClose(await by(exactAttention, false), fused);
    expectClose(
      await by((graph, inputs, { count: heads, width }) => attentionInSteps(graph, inputs, { count: heads, width }), false),
      fused,
    );
    expectClose(
      await compute((graph, q = '', k = '', v = '') => attentionInSteps(graph, { q, k, v }, { count: 2, width: 4 }), queries, keys, values),
      [...(await compute((graph, q = '', k = '', v = '') => attention(graph, { q, k, v }, 2), queries, keys, values)).data],
    );
  });

  it('does not see what its bias hides', async () => {
    const heads = floats([1, 2, 1, 1], q.data);
    const kt = floats([1, 2, 1, 2], Float32Array.of(0, 1, 1, 0));
    const values = floats([1, 2, 2, 1], Float32Array.of(10, 30, 20, 40));
    const bias = floats([1, 1, 1, 2], Float32Array.of(0, -1e4));
    const y = await compute(
      (graph, a = '', b = '', c = '', d = '') => biasedAttention(graph, { q: a, kt: b, v: c }, d),
      heads,
      kt,
      values,
      bias,
    );
    expectClose(y, [10, 20]);
  });
});

describe('pixels and channels', () => {
  it('unshuffles in the order channel, row, column', async () => {
    const y = await compute((graph, x) => pixelUnshuffle(graph, x, { channels: 2, factor: 2 }), count(1, 2, 2, 4));
    expect(y.dims).toEqual([1, 8, 1, 2]);
    expect([...y.data]).toEqual([0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15]);
  });

  it.each([2, 4])('shuffling by %i undoes it', async (factor) => {
    const x = count(1, 3, 2 * factor, 3 * factor);
    const y = await compute((graph, value) => pixelShuffle(graph, pixelUnshuffle(graph, value, { channels: 3, factor }), factor), x);
    expect(y.dims).toEqual(x.dims);
    expect(y.data).toEqual(x.data);
  });

  it('doubles a picture by repeating', async () => {
    const y = await compute(upsampleNearest, count(1, 1, 1, 2));
    expect([...y.data]).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
  });
});
