import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { TextInput } from '#engine/tensor/predictor.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import type { Tensor } from '#engine/tensor/tensor.js';
import { Module } from '../module.js';
import { flatten, linear, linearWith, silu } from '../nn.js';
import type { Architecture } from './architecture.js';
import { encodeFeatures, featureFeeds, valueBias } from './text-features.js';
import { encodeWords, wordFeeds } from './text-words.js';

// B rows: the instruction, then under guidance none · T text tokens · C width · H heads · c head width

/**
 * Everything that depends on the text alone, once per picture: `cond` `[B, C]`, `text_memory` `[B, T, C]`,
 * `gss` `[B, 6, C]`, `head_ada` `[B, 2, C]`, and per layer the cross-attention's `text_k_i` `[B, H, c, T]`
 * (already scaled by 1/√c) and `text_v_i` `[B, H, T, c]`.
 */
export function conditionGraph(architecture: Architecture): GraphModel {
  const { width, heads, text, normEps: eps } = architecture.config;
  const graph = new GraphBuilder('condition');
  const root = new Module(graph, architecture.weights);
  const encoded = text.kind === 'words' ? encodeWords(root, { width, heads, eps }) : encodeFeatures(root);
  const activated = silu(graph, encoded.pooled);
  const gss = linear(root.at('shared_ada_lin', 1), activated);
  const head = linear(root.at('head_nm', 'ada_lin', 1), activated);
  const rows = flatten(graph, encoded.memory, width);
  const layout = graph.op(
    'Concat',
    [graph.op('Shape', [encoded.memory], { start: 0, end: 2 }), graph.integers([2, heads, width / heads])],
    {
      axis: 0,
    },
  );
  architecture.blocks.forEach((block, layer) => {
    crossMemory(new Module(graph, block.at('ca')), { rows, layout, layer, architecture });
  });
  graph.output('cond', encoded.pooled, ['B', width]);
  graph.output('text_memory', encoded.memory, ['B', 'T', width]);
  graph.output('gss', graph.op('Reshape', [gss, graph.integers([-1, 6, width])]), ['B', 6, width]);
  graph.output('head_ada', graph.op('Reshape', [head, graph.integers([-1, 2, width])]), ['B', 2, width]);
  return graph.finish();
}

interface CrossMemory {
  readonly rows: Value; // (B·T, C)
  readonly layout: Value;
  readonly layer: number;
  readonly architecture: Architecture;
}

function crossMemory(module: Module, { rows, layout, layer, architecture }: CrossMemory): void {
  const { graph } = module;
  const { config, headWidth } = architecture;
  const projected = linearWith(module, rows, { weightName: 'mat_kv.weight', bias: valueBias(module, config.width) });
  const split = graph.op('Reshape', [projected, layout]); // (B, T, 2, H, c)
  const [k = '', v = ''] = graph
    .ops('Split', [split], { attributes: { axis: 2, num_outputs: 2 }, outputs: 2 })
    .map((half) => graph.op('Squeeze', [half, graph.integers([2])])); // (B, T, H, c)
  const scaled = graph.op('Mul', [graph.op('Transpose', [k], { perm: [0, 2, 3, 1] }), graph.scalar(1 / Math.sqrt(headWidth))]);
  graph.output(`text_k_${layer}`, scaled, ['B', config.heads, headWidth, 'T']);
  graph.output(`text_v_${layer}`, graph.op('Transpose', [v], { perm: [0, 2, 1, 3] }), ['B', config.heads, 'T', headWidth]);
}

/** The condition graph's feeds for an instruction; a second row without it where `guided`. */
export function conditionFeeds({ config, weights }: Architecture, text: TextInput, guided: boolean): Readonly<Record<string, Tensor>> {
  if (text.kind !== config.text.kind) throw new Error(`Expected text as ${config.text.kind} but received ${text.kind}.`);
  if (text.kind === 'features') return featureFeeds(weights, text.features, guided);
  const slots = weights.shape('text_encoder.position').reduce((product, dim) => product * dim, 1) / config.width;
  return wordFeeds(text.ids, slots, guided);
}
