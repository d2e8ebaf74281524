import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { headRows } from '../adaptive-block.js';
import { Module } from '../module.js';
import { linear, repeated } from '../nn.js';
import type { SwittiArchitecture } from './architecture.js';
import { EPS, swittiBlock } from './block.js';

// B batch rows · L tokens of the scale · P cached rows before them · T text rows · d channels of a code · V codebook entries · C width

/**
 * What enters the first block at one scale, `x` `[B, L, C]`: the text's `cond` `[B, C]` at the start, the `codes` `[L, d]` so far
 * later, and the embedding of the `level`. Places are for the attention alone.
 */
export function embedGraph({ config, weights }: SwittiArchitecture, start: boolean): GraphModel {
  const { width, codeWidth } = config;
  const graph = new GraphBuilder(start ? 'switti-embed-start' : 'switti-embed-codes');
  const root = new Module(graph, weights);
  const cond = graph.input('cond', ['B', width]);
  const level = graph.op('Gather', [root.parameter('lvl_embed.weight'), graph.input('level', [], 'int64')], { axis: 0 });
  const tokens = start ? startToken(root, cond, width) : linear(root.at('word_embed'), graph.input('codes', ['L', codeWidth]));
  const x = graph.op('Add', [tokens, level]);
  graph.output('x', start ? x : repeated(graph, x, cond), ['B', 'L', width]);
  return graph.finish();
}

/** `[B, 1, C]` */
function startToken(root: Module, cond: Value, width: number): Value {
  const { graph } = root;
  return graph.op('Add', [graph.op('Unsqueeze', [cond, graph.integers([1])]), root.parameter('pos_start', [1, 1, width])]);
}

/**
 * One scale through the given layers, ascending (VARiant): `x` `[B, L, C]`, the angles `cos`, `sin` `[L, c/2]`, the mask of the
 * text `text_bias` `[B, 1, 1, T]` and what the condition graph gives → `logits` `[B, L, V]`. Autoregressive models read the cached
 * `past_k_i`, `past_v_i` `[P, B, C]` and give the new rows `k_i`, `v_i` `[L, B, C]`; others see their own scale alone.
 */
export function stepGraph(architecture: SwittiArchitecture, layers: readonly number[]): GraphModel {
  const { config, headWidth, weights } = architecture;
  const { width, entries, depth } = config;
  const graph = new GraphBuilder(`switti-step-${layers.length}-of-${depth}`);
  const input = graph.input('x', ['B', 'L', width]);
  const setting = {
    graph,
    architecture,
    angles: { cos: graph.input('cos', ['L', headWidth / 2]), sin: graph.input('sin', ['L', headWidth / 2]) },
    textBias: graph.input('text_bias', ['B', 1, 1, 'T']),
  };
  const x = layers.reduce((tokens, index) => swittiBlock(setting, index, tokens), input);
  const perToken = graph.op('Concat', [graph.op('Shape', [input], { start: 0, end: 2 }), graph.integers([entries])], { axis: 0 });
  const rows = linear(new Module(graph, weights).at('head'), headRows(graph, x, { width, normEps: EPS }));
  graph.output('logits', graph.op('Reshape', [rows, perToken]), ['B', 'L', entries]);
  return graph.finish();
}
