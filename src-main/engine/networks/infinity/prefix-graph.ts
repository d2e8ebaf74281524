import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { rowsFirst } from '../kv-rows.js';
import { Module } from '../module.js';
import { linear, repeated } from '../nn.js';
import type { Architecture } from './architecture.js';
import { levelEmbedding } from './embed-graph.js';
import { declareSetting, declareText, infinityBlock } from './setting.js';

// B batch rows · L source tokens · D bits per token · P tokenizer cells per token · C width

interface Options {
  /** Also give every block's output, `hidden_i` `[B, L, C]`: for comparison with a reference. */
  readonly probe?: boolean;
}

/**
 * VAREdit's source prefix: the source tokens `source` `[L, D]` once through all blocks, seeing only
 * each other. Gives every layer's keys and values, `k_i` and `v_i` `[L, B, C]`.
 */
export function prefixGraph(architecture: Architecture, { probe = false }: Options = {}): GraphModel {
  const { width, depth } = architecture.config;
  const graph = new GraphBuilder('prefix');
  const layers = Array.from({ length: depth }, (_, layer) => layer);
  let x = sourceTokens(graph, architecture);
  const setting = declareSetting(graph, architecture, x);
  declareText(graph, probe ? layers : layers.slice(0, -1), architecture);
  for (const layer of layers) {
    const block = infinityBlock(setting, architecture, layer);
    const { q, k, v } = block.attend(x);
    graph.output(`k_${layer}`, rowsFirst(graph, k), ['L', 'B', width]);
    graph.output(`v_${layer}`, rowsFirst(graph, v), ['L', 'B', width]);
    // Nothing looks at what the last block makes of the source.
    if (layer === depth - 1 && !probe) break;
    x = block.finish(x, { q, k, v });
    if (probe) graph.output(`hidden_${layer}`, x, ['B', 'L', width]);
  }
  return graph.finish();
}

function sourceTokens(graph: GraphBuilder, { config, weights, cellsPerToken }: Architecture): Value {
  const root = new Module(graph, weights);
  const finest = root.graph.op('Squeeze', [graph.integers([config.scales.length - 1])]);
  const embedded = linear(root.at('word_embed'), graph.input('source', ['L', config.tokenBits]));
  const terms = [embedded, levelEmbedding(root, finest)];
  if (config.maskEmbedding) terms.push(linear(root.at('mask_embed'), graph.input('mask', ['L', cellsPerToken])));
  const tokens = terms.reduce((sum, term) => graph.op('Add', [sum, term])); // (L, C)
  return repeated(graph, tokens, 'gss');
}
