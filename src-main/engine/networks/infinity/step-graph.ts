import { at } from '#base/assert.js';
import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { headRows } from '../adaptive-block.js';
import { withPast } from '../kv-rows.js';
import { Module } from '../module.js';
import { linear } from '../nn.js';
import type { Architecture } from './architecture.js';
import { declareSetting, declareText, infinityBlock } from './setting.js';

// B batch rows · L tokens of the scale · P cached rows before them · D bits per token · C width

export interface StepOptions {
  /** The layers to run, ascending (VARiant): a depth preset is one more graph over the same weights. */
  readonly layers: readonly number[];
  /** Whether control features `control_i` `[L, C]` are added before the layers that the card names. */
  readonly controlled: boolean;
  /** Also give every block's output, `hidden_i` `[B, L, C]`: for comparison with a reference. */
  readonly probe?: boolean;
}

/**
 * One scale through the transformer: `x` `[B, L, C]` and, per layer, the cached `past_k_i`, `past_v_i`
 * `[P, B, C]` → `logits` `[B, L, D]` (logit(1) − logit(0)), `gate` `[L]` where the pack has one, and the
 * new rows `k_i`, `v_i` `[L, B, C]`, to be written right behind the past.
 */
export function stepGraph(architecture: Architecture, { layers, controlled, probe = false }: StepOptions): GraphModel {
  const { width, depth } = architecture.config;
  const graph = new GraphBuilder(`step-${layers.length}-of-${depth}${controlled ? '-controlled' : ''}`);
  let x = graph.input('x', ['B', 'L', width]);
  const setting = declareSetting(graph, architecture, x);
  declareText(graph, layers, architecture);
  for (let layer = 0; layer < depth; layer++) {
    // A layer that is left out still passes its control on.
    if (controlled) x = addControl(graph, x, { architecture, layer });
    if (!layers.includes(layer)) continue;
    const block = infinityBlock(setting, architecture, layer);
    const { q, k, v } = block.attend(x);
    const rows = { width, kept: at(architecture.cacheTypes, layer), parts: architecture.pastParts };
    x = block.finish(x, {
      q,
      k: withPast(graph, k, { ...rows, name: `k_${layer}` }),
      v: withPast(graph, v, { ...rows, name: `v_${layer}` }),
    });
    if (probe) graph.output(`hidden_${layer}`, x, ['B', 'L', width]);
  }
  head(graph, x, architecture);
  return graph.finish();
}

function addControl(graph: GraphBuilder, x: Value, { architecture, layer }: { architecture: Architecture; layer: number }): Value {
  const { control, width } = architecture.config;
  const index = control?.layers.indexOf(layer) ?? -1;
  return index < 0 ? x : graph.op('Add', [x, graph.input(`control_${index}`, ['L', width])]);
}

/** AdaLN, then two logits per bit, of which only the difference counts; the copy gate pulls it towards the source. */
function head(graph: GraphBuilder, x: Value, { config, weights }: Architecture): void {
  const { tokenBits, copyGate } = config;
  const root = new Module(graph, weights);
  const rows = headRows(graph, x, config);
  const perToken = graph.op('Concat', [graph.op('Shape', [x], { start: 0, end: 2 }), graph.integers([tokenBits])], { axis: 0 });
  const difference = graph.op('Reshape', [bitDifferences(root.at('head'), rows), perToken]);
  const logits = copyGate ? pulled(root, difference, { rows, perToken, tokenBits }) : difference;
  graph.output('logits', logits, ['B', 'L', tokenBits]);
}

/** `[R, C]` → logit(1) − logit(0), `[R, D]`: the head's rows 2i and 2i + 1 are the two values of bit i. */
function bitDifferences(head: Module, rows: Value): Value {
  const [outputs = 0, width = 0] = head.shape('weight');
  const weight = head.derived('weight', [outputs / 2, width], pairDifferences(head.floats('weight'), width));
  const bias = head.derived('bias', [outputs / 2], pairDifferences(head.floats('bias'), 1));
  return head.graph.op('Gemm', [rows, weight, bias], { transB: 1 });
}

function pairDifferences(values: Float32Array, width: number): Float32Array {
  const differences = new Float32Array(values.length / 2);
  for (let i = 0; i < differences.length; i++) {
    const even = Math.floor(i / width) * 2 * width + (i % width);
    differences[i] = values[even + width]! - values[even]!;
  }
  return differences;
}

interface Pull {
  readonly rows: Value; // (B·L, C)
  readonly perToken: Value;
  readonly tokenBits: number;
}

/** Adds σ(gate) of what the source would say; the gate's mean tells which tokens are being edited. */
function pulled(root: Module, difference: Value, { rows, perToken, tokenBits }: Pull): Value {
  const { graph } = root;
  const gate = graph.op('Reshape', [linear(root.at('gate'), rows), perToken]); // (B, L, D)
  const means = graph.op('ReduceMean', [gate, graph.integers([2])], { keepdims: 0 }); // (B, L)
  const first = graph.op('Squeeze', [graph.integers([0])]);
  graph.output('gate', graph.op('Gather', [means, first], { axis: 0 }), ['L']);
  const share = graph.op('Mul', [graph.op('Sigmoid', [gate]), graph.input('pull', ['L', tokenBits])]);
  return graph.op('Add', [difference, share]);
}
