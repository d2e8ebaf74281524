import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { Module } from '../module.js';
import { linear, repeated } from '../nn.js';
import type { Architecture } from './architecture.js';

// B batch rows · L tokens · D bits per token · P tokenizer cells per token · C width

/**
 * What enters the first block at one scale: `x` `[B, L, C]`. The first scale starts from the text (`start`),
 * the others from the codes so far. Packs with source fusion add what the source has and the codes lack;
 * with a copy gate that residual also comes back as `pull` `[L, D]`, in units of the logits.
 */
export function embedGraph(architecture: Architecture, start: boolean): GraphModel {
  const { width, tokenBits, sourceFusion, copyGate } = architecture.config;
  const graph = new GraphBuilder(start ? 'embed-start' : 'embed-codes');
  const root = new Module(graph, architecture.weights);
  const cond = graph.input('cond', ['B', width]);
  const level = graph.input('level', [], 'int64');
  const added = [levelEmbedding(root, level)];
  if (sourceFusion || copyGate) {
    const residual = sourceResidual(root, level, tokenBits);
    if (sourceFusion) added.push(fusion(root, residual, architecture));
    if (copyGate) graph.output('pull', graph.op('Mul', [residual, perScale(root, 'gate_beta', level)]), ['L', tokenBits]);
  }
  const base = start ? startToken(root, cond, width) : linear(root.at('word_embed'), graph.input('codes', ['L', tokenBits]));
  const x = [base, ...added].reduce((sum, term) => graph.op('Add', [sum, term]));
  graph.output('x', start ? x : repeated(graph, x, cond), ['B', 'L', width]);
  return graph.finish();
}

/**
 * VAREdit's source as it enters the first block: `source` `[L, D]` and, in packs that know masks, `mask` `[L, P]` → `x`
 * `[B, L, C]`. It then runs once through the step graph, with nothing before it: a graph of its own would hold all weights again.
 */
export function sourceGraph({ config, weights, cellsPerToken }: Architecture): GraphModel {
  const { width, tokenBits, scales, maskEmbedding } = config;
  const graph = new GraphBuilder('embed-source');
  const root = new Module(graph, weights);
  const finest = graph.op('Squeeze', [graph.integers([scales.length - 1])]);
  const terms = [linear(root.at('word_embed'), graph.input('source', ['L', tokenBits])), levelEmbedding(root, finest)];
  if (maskEmbedding) terms.push(linear(root.at('mask_embed'), graph.input('mask', ['L', cellsPerToken])));
  const tokens = terms.reduce((sum, term) => graph.op('Add', [sum, term])); // (L, C)
  graph.output('x', repeated(graph, tokens, graph.input('cond', ['B', width])), ['B', 'L', width]);
  return graph.finish();
}

/** `[B, 1, C]` */
function startToken(root: Module, cond: Value, width: number): Value {
  const { graph } = root;
  return graph.op('Add', [graph.op('Unsqueeze', [cond, graph.integers([1])]), root.parameter('pos_start', [1, 1, width])]);
}

/** `[C]` */
function levelEmbedding(root: Module, level: Value): Value {
  return root.graph.op('Gather', [root.parameter('lvl_embed.weight'), level], { axis: 0 });
}

/** Source minus codes so far, in units of this scale's codes: `[L, D]`. */
function sourceResidual(root: Module, level: Value, tokenBits: number): Value {
  return root.graph.op('Mul', [root.graph.input('residual', ['L', tokenBits]), perScale(root, 'residual_scale', level)]);
}

function fusion(root: Module, residual: Value, { cellsPerToken }: Architecture): Value {
  const { graph } = root;
  const mask = graph.input('mask', ['L', cellsPerToken]);
  return linear(root.at('source_fusion'), graph.op('Concat', [residual, mask], { axis: 1 })); // (L, C)
}

function perScale(root: Module, name: string, level: Value): Value {
  return root.graph.op('Gather', [root.parameter(name), level], { axis: 0 });
}
