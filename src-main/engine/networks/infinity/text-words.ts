import { ExpectedError } from '#contract/errors.js';
import type { GraphBuilder, Value } from '#engine/graph/builder.js';
import { floats, int64s, type Tensor } from '#engine/tensor/tensor.js';
import type { Module } from '../module.js';
import { biasedAttention, flatten, geluErf, layerNorm, linear } from '../nn.js';
import type { EncodedText } from './encoded-text.js';

// B rows: the instruction, then under guidance none · T text slots · C width · H heads · c head width

const PAD = 0;
/** Added to the scores of empty slots: nothing is left of them after the softmax. */
const HIDDEN = -1e4;

interface Sizes {
  readonly width: number;
  readonly heads: number;
  readonly eps: number; // of every layer norm
}

/** Packs with a vocabulary of their own: embedding, one pre-norm encoder layer, attention pooling. */
export function encodeWords(root: Module, sizes: Sizes): EncodedText {
  const { graph } = root;
  const encoder = root.at('text_encoder');
  const slots = slotCount(encoder, sizes.width);
  const words = graph.input('text', ['B', slots], 'int64');
  const bias = graph.input('text_bias', ['B', 1, 1, slots]);
  const embedded = graph.op('Gather', [encoder.parameter('embedding.weight'), words], { axis: 0 }); // (B, T, C)
  const placed = graph.op('Add', [embedded, encoder.parameter('position', [1, slots, sizes.width])]);
  const layer = encoder.at('layer');
  const attended = graph.op('Add', [placed, selfAttention(layer, placed, { ...sizes, slots, bias })]);
  const fed = graph.op('Add', [attended, feedForward(layer, attended, { ...sizes, slots })]);
  const memory = layerNorm(encoder.at('norm'), fed, sizes);
  return { memory, pooled: pool(encoder, memory, { ...sizes, slots, bias }), bias };
}

function selfAttention(layer: Module, x: Value, { width, heads, eps, slots, bias }: Sizes & { slots: number; bias: Value }): Value {
  const { graph } = layer;
  const rows = flatten(graph, layerNorm(layer.at('norm1'), x, { width, eps }), width);
  const qkv = linear(layer.at('attention', 'in_proj'), rows);
  const split = graph.op('Reshape', [qkv, graph.integers([-1, slots, 3, heads, width / heads])]);
  const perHead = graph.op('Transpose', [split], { perm: [2, 0, 3, 1, 4] }); // (3, B, H, T, c)
  const [q = '', k = '', v = ''] = graph
    .ops('Split', [perHead], { attributes: { axis: 0, num_outputs: 3 }, outputs: 3 })
    .map((part) => graph.op('Squeeze', [part, graph.integers([0])]));
  const scaled = graph.op('Mul', [q, graph.scalar(1 / Math.sqrt(width / heads))]);
  const seen = biasedAttention(graph, { q: scaled, kt: graph.op('Transpose', [k], { perm: [0, 1, 3, 2] }), v }, bias);
  const merged = flatten(graph, graph.op('Transpose', [seen], { perm: [0, 2, 1, 3] }), width);
  return inSlots(graph, linear(layer.at('attention', 'out_proj'), merged), { slots, width });
}

function feedForward(layer: Module, x: Value, { width, eps, slots }: Sizes & { slots: number }): Value {
  const { graph } = layer;
  const rows = flatten(graph, layerNorm(layer.at('norm2'), x, { width, eps }), width);
  return inSlots(graph, linear(layer.at('fc2'), geluErf(graph, linear(layer.at('fc1'), rows))), { slots, width });
}

/** A learned share of every word: `[B, T, C]` → `[B, C]`. */
function pool(encoder: Module, memory: Value, { width, slots, bias }: Sizes & { slots: number; bias: Value }): Value {
  const { graph } = encoder;
  const scores = linear(encoder.at('pool_query'), flatten(graph, memory, width)); // (B·T, 1)
  const perRow = graph.op('Reshape', [scores, graph.integers([-1, 1, slots])]);
  const shares = graph.op('Softmax', [graph.op('Add', [perRow, graph.op('Squeeze', [bias, graph.integers([1])])])], { axis: -1 });
  return linear(encoder.at('pool_proj'), flatten(graph, graph.op('MatMul', [shares, memory]), width));
}

function inSlots(graph: GraphBuilder, rows: Value, { slots, width }: { slots: number; width: number }): Value {
  return graph.op('Reshape', [rows, graph.integers([-1, slots, width])]);
}

function slotCount(encoder: Module, width: number): number {
  return encoder.shape('position').reduce((product, dim) => product * dim, 1) / width;
}

/** Feeds of the condition graph; without an instruction the model was shown empty slots, of which it sees the first. */
export function wordFeeds(ids: readonly number[], slots: number, guided: boolean): Readonly<Record<string, Tensor>> {
  if (ids.length > slots) throw new ExpectedError('request.invalid', `Expected at most ${slots} words but received ${ids.length}.`);
  const rows = guided ? [ids, []] : [ids];
  const padded = rows.map((row) => Array.from({ length: slots }, (_, slot) => row[slot] ?? PAD));
  const bias = padded.flatMap((row) => {
    const empty = row.every((id) => id === PAD);
    return row.map((id, slot) => (id === PAD && !(empty && slot === 0) ? HIDDEN : 0));
  });
  return { text: int64s([rows.length, slots], padded.flat()), text_bias: floats([rows.length, 1, 1, slots], Float32Array.from(bias)) };
}
