import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import type { Weights } from '#engine/weights/handle.js';
import { AdaptiveBlock, batchAndLengthOf, headRows } from '../adaptive-block.js';
import { Module } from '../module.js';
import { linear, repeated, silu } from '../nn.js';
import { parameters } from '../var/condition-graph.js';
import { startToken } from '../var/step-graph.js';
import { PASSES, type HmarArchitecture, type Pass } from './architecture.js';

// B rows: the class, then under guidance none · L tokens of the scale · d channels of a code · V codebook entries · C width

/**
 * Everything that depends on the class alone, once per picture: `class` `[B]` → `cond` `[B, C]`, the adaptive parameters
 * of the layers, `base_ada_i`, `ns_ada_i` and `mask_ada_i` `[B, 6, C]`, and of the heads, `ns_head_ada` and `mask_head_ada` `[B, 2, C]`.
 */
export function conditionGraph({ config: { width }, weights, base, tails }: HmarArchitecture): GraphModel {
  const graph = new GraphBuilder('hmar-condition');
  const root = new Module(graph, weights);
  const cond = graph.op('Gather', [root.parameter('class_emb.weight'), graph.input('class', ['B'], 'int64')], { axis: 0 });
  const activated = silu(graph, cond);
  const give = (name: string, layer: Module, count: number) => {
    graph.output(name, parameters(layer, activated, { count, width }), ['B', count, width]);
  };
  base.forEach((block, layer) => {
    give(`base_ada_${layer}`, new Module(graph, block).at('ada_lin', 1), 6);
  });
  for (const pass of PASSES) {
    tails[pass].forEach((block, i) => {
      give(`${pass}_ada_${base.length + i}`, new Module(graph, block).at('ada_lin', 1), 6);
    });
    give(`${pass}_head_ada`, root.at(`${pass}_head_nm`, 'ada_lin', 1), 2);
  }
  graph.output('cond', cond, ['B', width]);
  return graph.finish();
}

/** What enters the first block: nothing is there yet, the scales before are, or the scale itself is drawn already. */
export type Entry = 'start' | 'codes' | 'masked';

/**
 * `x` `[B, L, C]`: the class's `cond` at the start, the `codes` `[L, d]` so far later; in a masked pass also the scale's `own`
 * codes `[L, d]`, the mask's embedding in their place where `masked` `[L, 1]` is 1. The words' bias enters once, whatever is summed.
 */
export function embedGraph({ config, weights }: HmarArchitecture, entry: Entry): GraphModel {
  const graph = new GraphBuilder(`hmar-embed-${entry}`);
  const root = new Module(graph, weights);
  graph.output('x', entry === 'start' ? startToken(root, config.width) : embedded(root, config, entry === 'masked'), [
    'B',
    'L',
    config.width,
  ]);
  return graph.finish();
}

function embedded(root: Module, { width, codeWidth }: { width: number; codeWidth: number }, isMasked: boolean): Value {
  const { graph } = root;
  const words = (name: string) => linear(root.at('word_embed'), graph.input(name, ['L', codeWidth]));
  const place = graph.op('Add', [graph.input('position', ['L', width]), root.parameter('word_embed_bias', [width])]);
  const before = graph.op('Add', [words('codes'), place]);
  const tokens = isMasked ? graph.op('Add', [before, ownOrMask(root, words('own'))]) : before;
  return repeated(graph, tokens, graph.input('cond', ['B', width]));
}

/** `[L, C]` */
function ownOrMask(root: Module, own: Value): Value {
  const { graph } = root;
  const masked = graph.input('masked', ['L', 1]);
  const kept = graph.op('Sub', [graph.scalar(1), masked]);
  return graph.op('Add', [graph.op('Mul', [kept, own]), graph.op('Mul', [masked, root.parameter('mask_embed.weight')])]);
}

/** The shared blocks among the given layers: `x` and `base_ada_i` → `x`. A scale sees itself alone, so nothing of it is kept. */
export function baseGraph(architecture: HmarArchitecture, layers: readonly number[]): GraphModel {
  const { width } = architecture.config;
  const graph = new GraphBuilder(`hmar-base-${layers.length}`);
  const blocks = layers.map((layer) => ({ layer, weights: architecture.base[layer]!, ada: `base_ada_${layer}` }));
  graph.output('seen', through(graph, architecture, blocks), ['B', 'L', width]);
  return graph.finish();
}

/** The blocks of a pass among the given layers, and its head: `x`, its `ada_i` and `head_ada` → `logits` `[B, L, V]`. */
export function tailGraph(architecture: HmarArchitecture, pass: Pass, layers: readonly number[]): GraphModel {
  const { config, base, tails, weights, sizes } = architecture;
  const graph = new GraphBuilder(`hmar-${pass}-${layers.length}`);
  const blocks = layers.map((layer) => ({ layer, weights: tails[pass][layer - base.length]!, ada: `${pass}_ada_${layer}` }));
  const x = through(graph, architecture, blocks);
  const perToken = graph.op('Concat', [batchAndLengthOf(graph, x), graph.integers([config.entries])], { axis: 0 });
  const logits = linear(new Module(graph, weights).at(`${pass}_head`), headRows(graph, x, sizes));
  graph.output('logits', graph.op('Reshape', [logits, perToken]), ['B', 'L', config.entries]);
  return graph.finish();
}

interface Placed {
  readonly layer: number;
  readonly weights: Weights;
  readonly ada: string;
}

function through(graph: GraphBuilder, { config: { width }, sizes }: HmarArchitecture, blocks: readonly Placed[]): Value {
  let x = graph.input('x', ['B', 'L', width]);
  const setting = { graph, sizes, batchAndLength: batchAndLengthOf(graph, x) };
  for (const { layer: index, weights, ada } of blocks) {
    const adaptive = graph.input(ada, ['B', 6, width]);
    const block = new AdaptiveBlock(setting, { index, weights, attention: 'attn', adaptive });
    x = block.finish(x, block.attend(x));
  }
  return x;
}
