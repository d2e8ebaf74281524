import { ExpectedError } from '#contract/errors.js';
import type { Value } from '#engine/graph/builder.js';
import { floats, type FloatTensor, type Tensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import type { Module } from '../module.js';
import { flatten, geluTanh, linear, linearWith, rmsNorm } from '../nn.js';
import type { EncodedText } from './encoded-text.js';

// B rows: the instruction, then under guidance none · T text tokens · W text width · C model width · p pooling heads · e their width

const EPS = 1e-6;

/** Published packs: hidden states of a text encoder (flan-t5-xl) → memory and pooled condition. */
export function encodeFeatures(root: Module): EncodedText {
  const { graph } = root;
  const [width = 0] = root.shape('text_norm.weight');
  const features = graph.input('text', ['B', 'T', width]);
  const bias = graph.input('text_bias', ['B', 1, 1, 'T']);
  const normed = rmsNorm(root.at('text_norm'), features, EPS); // (B, T, W)
  const batchAndLength = graph.op('Shape', [normed], { start: 0, end: 2 });
  const rows = flatten(graph, normed, width);
  const memory = linear(root.at('text_proj_for_ca', 2), geluTanh(graph, linear(root.at('text_proj_for_ca', 0), rows)));
  const pooled = pool(root.at('text_proj_for_sos', 'ca'), { rows, batchAndLength, bias });
  const [channels = 0] = root.shape('text_proj_for_ca.2.weight');
  return {
    memory: graph.op('Reshape', [memory, graph.op('Concat', [batchAndLength, graph.integers([channels])], { axis: 0 })]),
    pooled,
    bias,
  };
}

interface Pooling {
  readonly rows: Value; // (B·T, W)
  readonly batchAndLength: Value;
  readonly bias: Value;
}

/** Attentive pooling: one learned query per head looks over the text. `[B, C]` */
function pool(module: Module, { rows, batchAndLength, bias }: Pooling): Value {
  const { graph } = module;
  const [, heads = 0, width = 0] = module.shape('mat_q');
  const channels = heads * width;
  const keysAndValues = linearWith(module, rows, { weightName: 'mat_kv.weight', bias: valueBias(module, channels) });
  const split = graph.op('Concat', [batchAndLength, graph.integers([2, heads, width])], { axis: 0 });
  const perHead = graph.op('Transpose', [graph.op('Reshape', [keysAndValues, split])], { perm: [2, 0, 3, 1, 4] }); // (2, B, p, T, e)
  const [k = '', v = ''] = graph
    .ops('Split', [perHead], { attributes: { axis: 0, num_outputs: 2 }, outputs: 2 })
    .map((half) => graph.op('Squeeze', [half, graph.integers([0])]));
  const query = module.derived('query', [1, heads, 1, width], scaledQuery(module, width));
  const scores = graph.op('MatMul', [query, graph.op('Transpose', [k], { perm: [0, 1, 3, 2] })]); // (B, p, 1, T)
  const shares = graph.op('Softmax', [graph.op('Add', [scores, bias])], { axis: -1 });
  const seen = flatten(graph, graph.op('MatMul', [shares, v]), channels); // (B, C)
  return linear(module.at('proj'), seen);
}

function scaledQuery(module: Module, width: number): Float32Array {
  return module.floats('mat_q').map((value) => value / Math.sqrt(width));
}

/** Values have a bias, keys none. */
export function valueBias(module: Module, channels: number): Value {
  const bias = new Float32Array(2 * channels);
  bias.set(module.floats('v_bias'), channels);
  return module.derived('kv_bias', [2 * channels], bias);
}

/** Feeds of the condition graph; without an instruction the model was shown `cfg_uncond`, cut to the same length. */
export function featureFeeds(weights: Weights, features: FloatTensor, guided: boolean): Readonly<Record<string, Tensor>> {
  const [length = 0, width = 0] = features.dims;
  const [maxLength = 0] = weights.shape('cfg_uncond');
  weights.expectShape('cfg_uncond', [maxLength, width]);
  if (length < 1 || length > maxLength) {
    throw new ExpectedError('request.invalid', `Expected 1 to ${maxLength} text tokens but received ${length}.`);
  }
  const rows = guided ? 2 : 1;
  const text = floats([rows, length, width]);
  text.data.set(features.data);
  if (guided) text.data.set(weights.readFloats('cfg_uncond').subarray(0, length * width), length * width);
  return { text, text_bias: floats([rows, 1, 1, length]) };
}
