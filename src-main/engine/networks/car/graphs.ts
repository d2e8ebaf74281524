import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import type { Weights } from '#engine/weights/handle.js';
import { AdaptiveBlock, batchAndLengthOf, type BlockSizes } from '../adaptive-block.js';
import { withPast } from '../kv-rows.js';
import { Module } from '../module.js';
import { convolution, flatten, plainLayerNorm, silu } from '../nn.js';
import { parameters } from '../var/condition-graph.js';
import type { Junction } from '../var/step-graph.js';

// B batch rows · L tokens of the scale, h·w · P cached rows before them · C width · D layers of the VAR below

/** The adapter's weights and blocks. */
export interface Adapter {
  readonly weights: Weights;
  readonly blocks: readonly Weights[];
  readonly sizes: BlockSizes;
}

/** What a control picture `[1, 3, 16h, 16w]` in −1..1 says of every token: `control` `[1, C, h, w]`. */
export function controlGraph({ weights }: Adapter): GraphModel {
  const graph = new GraphBuilder('car-control');
  const convolutions = new Module(graph, weights.at('car_control_convs'));
  let x = silu(graph, convolution(convolutions.at('conv_in'), graph.input('picture', [1, 3, 'H', 'W'])));
  const blocks = convolutions.at('blocks');
  for (const name of blocks.weights.children()) {
    // In pairs: the second of each halves the side.
    x = silu(graph, convolution(blocks.at(name), x, { stride: Number(name) % 2 === 0 ? 1 : 2 }));
  }
  graph.output('control', convolution(convolutions.at('conv_out'), x), [1, 'C', 'h', 'w']);
  return graph.finish();
}

/**
 * One scale through the adapter: VAR's `tokens` `[B, L, C]` before their places are added, `control` `[1, C, h, w]`, `map`
 * (the shape −1, C, h, w), `position` `[L, C]`, the class's `cond` `[B, C]` and the past of each block → `y_i` `[B, L, C]`.
 */
export function adapterGraph({ weights, blocks, sizes }: Adapter): GraphModel {
  const { width } = sizes;
  const graph = new GraphBuilder('car-adapter');
  const root = new Module(graph, weights);
  const tokens = graph.input('tokens', ['B', 'L', width]);
  const channelsFirst = graph.op('Transpose', [tokens], { perm: [0, 2, 1] });
  const map = graph.op('Reshape', [channelsFirst, graph.input('map', [4], 'int64')]); // (B, C, h, w)
  const joined = graph.op('Add', [convolution(root.at('car_var_conv'), map), graph.input('control', [1, width, 'h', 'w'])]);
  const rows = graph.op('Transpose', [graph.op('Reshape', [joined, graph.integers([0, 0, -1])])], { perm: [0, 2, 1] });
  let x = graph.op('Add', [rows, graph.input('position', ['L', width])]);
  const setting = { graph, sizes, batchAndLength: batchAndLengthOf(graph, x) };
  const active = silu(graph, graph.input('cond', ['B', width]));
  blocks.forEach((own, index) => {
    const adaptive = parameters(new Module(graph, own).at('ada_lin', 1), active, { count: 6, width });
    const block = new AdaptiveBlock(setting, { index, weights: own, attention: 'attn', adaptive });
    const { q, k, v } = block.attend(x);
    x = block.finish(x, {
      q,
      k: withPast(graph, k, { name: `k_${index}`, width }),
      v: withPast(graph, v, { name: `v_${index}`, width }),
    });
    graph.output(`y_${index}`, x, ['B', 'L', width]);
  });
  return graph.finish();
}

const NORM_EPS = 1e-6;

/**
 * Before block D/2 + j of the VAR the adapter's last state but j takes part: x becomes a map of both, as strongly as
 * `strength` `[1]` says (1 = as published, where it takes the place of x).
 */
export function junctionInto({ weights, blocks, sizes: { width } }: Adapter, depth: number): Junction {
  let strength: Value | undefined;
  return (graph, x, layer) => {
    const j = layer - depth / 2;
    if (j < 0) return x;
    const [norm, linear] = [weights.at('car_skip_norm', j), weights.at('car_skip_linear', j)];
    // The adapter's file may lie elsewhere than the VAR's, and a graph maps files of one folder only: these are copied.
    const inlined = (module: Weights, name: string): Value =>
      graph.inline(module.fullName(name), module.shape(name), module.readFloats(name));
    const state = graph.input(`y_${blocks.length - 1 - j}`, ['B', 'L', width]);
    const both = plainLayerNorm(graph, graph.op('Concat', [x, state], { axis: 2 }), { width: 2 * width, eps: NORM_EPS });
    const normed = graph.op('Add', [graph.op('Mul', [both, inlined(norm, 'weight')]), inlined(norm, 'bias')]);
    const mapped = graph.op('Gemm', [flatten(graph, normed, 2 * width), inlined(linear, 'weight'), inlined(linear, 'bias')], { transB: 1 });
    strength ??= graph.input('strength', [1]);
    return mixed(graph, { x, y: graph.op('Reshape', [mapped, graph.op('Shape', [x])]), strength });
  };
}

/** s·y + (1 − s)·x: exactly y at strength 1. */
function mixed(graph: GraphBuilder, { x, y, strength }: { x: Value; y: Value; strength: Value }): Value {
  const rest = graph.op('Sub', [graph.scalar(1), strength]);
  return graph.op('Add', [graph.op('Mul', [y, strength]), graph.op('Mul', [x, rest])]);
}

/** The names of the states that the junctions of these layers read. */
export function statesFor(layers: readonly number[], { blocks }: Adapter, depth: number): readonly string[] {
  return layers.filter((layer) => layer >= depth / 2).map((layer) => `y_${blocks.length - 1 - (layer - depth / 2)}`);
}

/** The adapter's blocks, half as many as the VAR's. Throws `weights.refused` where it was made for another VAR. */
export function expectAdapter(weights: Weights, { width, heads }: Pick<BlockSizes, 'width' | 'heads'>, depth: number): readonly Weights[] {
  const blocks = weights.at('car_blocks');
  const own = Array.from({ length: depth / 2 }, (_, index) => blocks.at(index));
  weights.expectShape('car_var_conv.weight', [width, width, 3, 3]);
  weights.expectShape('car_control_convs.conv_out.weight', [width, weights.shape('car_control_convs.conv_out.weight')[1] ?? 0, 3, 3]);
  own.forEach((block, j) => {
    block.expectShape('attn.mat_qkv.weight', [3 * width, width]);
    block.expectShape('attn.scale_mul_1H11', [1, heads, 1, 1]);
    weights.expectShape(`car_skip_norm.${j}.weight`, [2 * width]);
    weights.expectShape(`car_skip_linear.${j}.weight`, [width, 2 * width]);
  });
  return own;
}
