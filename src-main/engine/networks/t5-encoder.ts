import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { TextEncoder } from '#engine/tensor/predictor.js';
import { output, type GraphModel, type Runner } from '#engine/tensor/runner.js';
import { expectFinite, floats, int64s, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { Module } from './module.js';
import { biasedAttention, geluTanh, linear, rmsNorm } from './nn.js';

// T text tokens · C width · H heads · c head width

const EPS = 1e-6;
/** Distances from here on share one bucket. */
const FARTHEST = 128;

/**
 * Opens the encoder of T5 v1.1 (Raffel et al. 2020; flan-t5), published names. Sizes are read from the tensors.
 *
 * @throws ExpectedError `weights.refused` naming the first tensor that is missing.
 */
export async function openT5Encoder(runner: Runner, weights: Weights): Promise<TextEncoder> {
  const table = weights.at('encoder', 'block', 0, 'layer', 0, 'SelfAttention', 'relative_attention_bias');
  const [buckets = 0, heads = 0] = table.shape('weight');
  const bias = table.readFloats('weight'); // (buckets, H)
  const session = await runner.open(t5EncoderGraph(weights, heads));
  return {
    async encode(ids) {
      const feeds = { ids: int64s([ids.length], ids), bias: positionBias(bias, { buckets, heads, length: ids.length }) };
      return expectFinite(output(await session.run(feeds), 'hidden') as FloatTensor, 'text features');
    },
    release: () => session.release(),
  };
}

/** `ids` `[T]`, `bias` `[1, H, T, T]` → `hidden` `[T, C]`. */
export function t5EncoderGraph(weights: Weights, heads: number): GraphModel {
  const graph = new GraphBuilder('t5-encoder');
  const root = new Module(graph, weights);
  const encoder = root.at('encoder');
  const bias = graph.input('bias', [1, heads, 'T', 'T']);
  let x = graph.op('Gather', [root.parameter('shared.weight'), graph.input('ids', ['T'], 'int64')], { axis: 0 });
  for (const name of encoder.weights.at('block').children()) {
    const layers = encoder.at('block', name, 'layer');
    x = graph.op('Add', [x, selfAttention(layers.at(0), x, { heads, bias })]);
    x = graph.op('Add', [x, gatedFeedForward(layers.at(1), x)]);
  }
  const [width = 0] = encoder.shape('final_layer_norm.weight');
  graph.output('hidden', rmsNorm(encoder.at('final_layer_norm'), x, EPS), ['T', width]);
  return graph.finish();
}

/** Scores are not scaled: training folded that into the weights. */
function selfAttention(layer: Module, x: Value, { heads, bias }: { heads: number; bias: Value }): Value {
  const { graph } = layer;
  const attention = layer.at('SelfAttention');
  const [inner = 0] = attention.shape('q.weight');
  const normed = rmsNorm(layer.at('layer_norm'), x, EPS);
  const perHead = (name: string, perm: readonly number[]) => {
    const rows = graph.op('Reshape', [linear(attention.at(name), normed), graph.integers([1, -1, heads, inner / heads])]);
    return graph.op('Transpose', [rows], { perm: [...perm] });
  };
  const states = { q: perHead('q', [0, 2, 1, 3]), kt: perHead('k', [0, 2, 3, 1]), v: perHead('v', [0, 2, 1, 3]) };
  const seen = graph.op('Transpose', [biasedAttention(graph, states, bias)], { perm: [0, 2, 1, 3] }); // (1, T, H, c)
  return linear(attention.at('o'), graph.op('Reshape', [seen, graph.integers([-1, inner])]));
}

function gatedFeedForward(layer: Module, x: Value): Value {
  const { graph } = layer;
  const feedForward = layer.at('DenseReluDense');
  const normed = rmsNorm(layer.at('layer_norm'), x, EPS);
  const gate = geluTanh(graph, linear(feedForward.at('wi_0'), normed));
  return linear(feedForward.at('wo'), graph.op('Mul', [gate, linear(feedForward.at('wi_1'), normed)]));
}

/** What attention adds for the distance between two tokens, learned per head: `[1, H, T, T]`. */
function positionBias(table: Float32Array, { buckets, heads, length }: { buckets: number; heads: number; length: number }): FloatTensor {
  const bias = floats([1, heads, length, length]);
  for (let query = 0; query < length; query++) {
    for (let key = 0; key < length; key++) {
      const bucket = bucketOf(key - query, buckets);
      for (let head = 0; head < heads; head++) bias.data[(head * length + query) * length + key] = table[bucket * heads + head]!;
    }
  }
  return bias;
}

/** Half of the buckets for what comes before, half for what comes after: exact when near, then logarithmic. */
function bucketOf(distance: number, buckets: number): number {
  const half = buckets / 2;
  const exact = half / 2;
  const after = distance > 0 ? half : 0;
  const far = Math.abs(distance);
  if (far < exact) return after + far;
  // Step by step in float32, as the weights were trained.
  const { fround } = Math;
  const share = fround(fround(Math.log(fround(far / exact))) / fround(Math.log(FARTHEST / exact)));
  return after + Math.min(half - 1, exact + Math.floor(fround(share * (half - exact))));
}
