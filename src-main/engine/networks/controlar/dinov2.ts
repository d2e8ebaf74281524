import { at } from '#base/assert.js';
import type { Grid } from '#base/geometry.js';
import type { ControlKind } from '#contract/request.js';
import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import { resizeCubic, resizeCubicCorners, resizeNearest } from '#engine/tensor/resample.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { Module } from '../module.js';
import { exactAttention, flatten, geluErf, layerNorm, linear } from '../nn.js';

// h, w patches · n = h·w · C width · H, W pixels

const EPS = 1e-6;
const HEAD_WIDTH = 64;
const PATCH = 14;

/**
 * DINOv2 (Oquab et al. 2023) under the names of Hugging Face's Dinov2Model: `picture` `[1, 3, 14h, 14w]` in −1..1 and
 * `positions` `[1, n, C]` → `features` `[n, C]`, the class token dropped.
 */
export function dinov2Graph(weights: Weights, fusedAttention: boolean): GraphModel {
  const graph = new GraphBuilder('dinov2');
  const root = new Module(graph, weights);
  const embeddings = root.at('embeddings');
  const [width = 0] = embeddings.shape('patch_embeddings.projection.weight');
  let x = embedded(embeddings, width);
  const layers = root.at('encoder', 'layer');
  for (const name of layers.weights.children()) x = layer(layers.at(name), x, { width, fusedAttention });
  const normed = layerNorm(root.at('layernorm'), x, { width, eps: EPS });
  const ends = [graph.integers([1]), graph.integers([Number.MAX_SAFE_INTEGER]), graph.integers([1])];
  graph.output('features', flatten(graph, graph.op('Slice', [normed, ...ends]), width), ['n', width]);
  return graph.finish();
}

function embedded(embeddings: Module, width: number): Value {
  const { graph } = embeddings;
  const projection = embeddings.at('patch_embeddings', 'projection');
  const picture = graph.input('picture', [1, 3, 'H', 'W']);
  const patches = graph.op('Conv', [picture, projection.parameter('weight'), projection.parameter('bias')], {
    kernel_shape: [PATCH, PATCH],
    strides: [PATCH, PATCH],
  });
  const rows = graph.op('Transpose', [graph.op('Reshape', [patches, graph.integers([1, width, -1])])], { perm: [0, 2, 1] });
  const placed = graph.op('Add', [rows, graph.input('positions', [1, 'n', width])]);
  const [token, places] = [embeddings.floats('cls_token'), embeddings.floats('position_embeddings')];
  const start = token.map((value, i) => value + places[i]!);
  return graph.op('Concat', [embeddings.derived('cls_token', [1, 1, width], start), placed], { axis: 1 });
}

interface LayerSizes {
  readonly width: number;
  readonly fusedAttention: boolean;
}

function layer(module: Module, x: Value, sizes: LayerSizes): Value {
  const { graph } = module;
  const { width } = sizes;
  const rowsOf = (name: string, value: Value) => flatten(graph, layerNorm(module.at(name), value, { width, eps: EPS }), width);
  const gained = (name: string, update: Value) => graph.op('Mul', [update, module.parameter(`${name}.lambda1`)]);
  const likeX = (rows: Value) => graph.op('Reshape', [rows, graph.op('Shape', [x])]);
  const seen = graph.op('Add', [x, likeX(gained('layer_scale1', selfAttention(module.at('attention'), rowsOf('norm1', x), sizes)))]);
  const mlp = module.at('mlp');
  const fed = linear(mlp.at('fc2'), geluErf(graph, linear(mlp.at('fc1'), rowsOf('norm2', seen))));
  return graph.op('Add', [seen, likeX(gained('layer_scale2', fed))]);
}

/** Rows `[n + 1, C]` → `[n + 1, C]`. */
function selfAttention(module: Module, rows: Value, { width, fusedAttention }: LayerSizes): Value {
  const { graph } = module;
  const states = (name: string) => graph.op('Unsqueeze', [linear(module.at('attention', name), rows), graph.integers([0])]);
  const q = graph.op('Mul', [states('query'), graph.scalar(1 / Math.sqrt(HEAD_WIDTH))]);
  const inputs = { q, k: states('key'), v: states('value') };
  const mixed = exactAttention(graph, inputs, { fused: fusedAttention, count: width / HEAD_WIDTH, width: HEAD_WIDTH });
  return linear(module.at('output', 'dense'), flatten(graph, mixed, width));
}

/** The learned positions, bicubically brought from their square to the patches at hand: `[1, h·w, C]`. */
export function dinov2Positions(weights: Weights, [rows, columns]: Grid): FloatTensor {
  const name = 'embeddings.position_embeddings';
  const [, count = 0, width = 0] = weights.shape(name);
  const side = Math.round(Math.sqrt(count - 1));
  const learned = weights.readFloats(name).subarray(width); // without the class token's: (side², C)
  const square = floats([width, side, side]);
  learned.forEach((value, i) => (square.data[(i % width) * side * side + Math.floor(i / width)] = value));
  const fitted = resizeCubic(square, [rows, columns]);
  const positions = floats([1, rows * columns, width]);
  positions.data.forEach((_, i) => (positions.data[i] = fitted.data[(i % width) * rows * columns + Math.floor(i / width)]!));
  return positions;
}

const HARD_EDGED: readonly ControlKind[] = ['canny', 'segmentation'];

/** A control map in 0..1, `[1, 1 or 3, H, W]`, as DINOv2 takes it: 14 pixels for each patch, −1..1, `[1, 3, 14h, 14w]`. */
export function dinov2Picture({ dims, data }: FloatTensor, [rows, columns]: Grid, kind: ControlKind): FloatTensor {
  const [, channels = 0, height = 0, width = 0] = dims;
  const signed = floats(
    [channels, height, width],
    data.map((value) => 2 * value - 1),
  );
  const resize = HARD_EDGED.includes(kind) ? resizeNearest : resizeCubicCorners;
  const fitted = resize(signed, [rows * PATCH, columns * PATCH]);
  const [, tall, wide] = [channels, at(fitted.dims, 1), at(fitted.dims, 2)];
  const picture = floats([1, 3, tall, wide]);
  for (let c = 0; c < 3; c++) {
    const plane = c % channels;
    picture.data.set(fitted.data.subarray(plane * tall * wide, (plane + 1) * tall * wide), c * tall * wide);
  }
  return picture;
}
