import { at } from '#base/assert.js';
import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { AdaptiveBlock, batchAndLengthOf, headRows } from '../adaptive-block.js';
import { withPast } from '../kv-rows.js';
import { Module } from '../module.js';
import { linear, repeated } from '../nn.js';
import type { VarArchitecture } from './architecture.js';

// B batch rows · L tokens of the scale · P cached rows before them · d channels of a code · V codebook entries · C width

/**
 * What enters the first block at one scale, `x` `[B, L, C]`: the class's `cond` at the start, the `codes` `[L, d]` so far
 * later, and `position` `[L, C]` (position and level embedding).
 */
export function embedGraph({ config, weights }: VarArchitecture, start: boolean): GraphModel {
  const graph = new GraphBuilder(start ? 'var-embed-start' : 'var-embed-codes');
  const root = new Module(graph, weights);
  graph.output('x', start ? startToken(root, config.width) : embedded(root, config), ['B', 'L', config.width]);
  return graph.finish();
}

/** What an adapter makes of the tokens `x` `[B, L, C]` before a layer. */
export type Junction = (graph: GraphBuilder, x: Value, layer: number) => Value;

/**
 * One scale through the given layers, ascending (VARiant): `x` `[B, L, C]`, `ada_i`, `head_ada` from the condition graph,
 * and per layer the cached `past_k_i`, `past_v_i` `[P, B, C]` → `logits` `[B, L, V]` and the new rows `k_i`, `v_i` `[L, B, C]`.
 */
export function stepGraph(architecture: VarArchitecture, layers: readonly number[], junction?: Junction): GraphModel {
  const { config, sizes, blocks } = architecture;
  const { width, entries } = config;
  const graph = new GraphBuilder(`var-step-${layers.length}-of-${config.depth}`);
  const root = new Module(graph, architecture.weights);
  let x = graph.input('x', ['B', 'L', width]);
  const setting = { graph, sizes, batchAndLength: batchAndLengthOf(graph, x) };
  for (const index of layers) {
    if (junction) x = junction(graph, x, index);
    const adaptive = graph.input(`ada_${index}`, ['B', 6, width]);
    const block = new AdaptiveBlock(setting, { index, weights: blocks[index]!, attention: 'attn', adaptive });
    const { q, k, v } = block.attend(x);
    const rows = { width, kept: at(architecture.cacheTypes, index), parts: architecture.pastParts };
    x = block.finish(x, {
      q,
      k: withPast(graph, k, { ...rows, name: `k_${index}` }),
      v: withPast(graph, v, { ...rows, name: `v_${index}` }),
    });
  }
  const perToken = graph.op('Concat', [setting.batchAndLength, graph.integers([entries])], { axis: 0 });
  graph.output('logits', graph.op('Reshape', [linear(root.at('head'), headRows(graph, x, sizes)), perToken]), ['B', 'L', entries]);
  return graph.finish();
}

/** `[B, 1, C]` */
export function startToken(root: Module, width: number): Value {
  const { graph } = root;
  const cond = graph.op('Unsqueeze', [graph.input('cond', ['B', width]), graph.integers([1])]);
  const start = graph.op('Add', [cond, root.parameter('pos_start', [1, 1, width])]);
  return graph.op('Add', [start, graph.input('position', ['L', width])]);
}

/** The same tokens for every batch row: `[B, L, C]`. */
function embedded(root: Module, { width, codeWidth }: { width: number; codeWidth: number }): Value {
  const { graph } = root;
  const tokens = linear(root.at('word_embed'), graph.input('codes', ['L', codeWidth]));
  const placed = graph.op('Add', [tokens, graph.input('position', ['L', width])]);
  return repeated(graph, placed, graph.input('cond', ['B', width]));
}
