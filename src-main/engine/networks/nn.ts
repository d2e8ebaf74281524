import { at } from '#base/assert.js';
import { ABSENT, type GraphBuilder, type Value } from '#engine/graph/builder.js';
import { BLOCK } from '#engine/weights/quantise.js';
import type { Module } from './module.js';

/** MatMulNBits: multiply as int8, which is several times faster than widening every block. */
const INT8_COMPUTE = 4;
/** ONNX's number for the type. */

// Layers as PyTorch names them, each a function of its module and its input.
// R rows of any batch · C width · H heads · c head width · B batch · L tokens · N, h, w pictures

/** Fully connected, on flat rows: `[R, in]` → `[R, out]`; the bias where there is one. */
export function linear(module: Module, rows: Value): Value {
  const [outputs = 0] = module.shape('weight');
  return project(module, rows, { weightName: 'weight', ...(module.has('bias') && { bias: module.parameter('bias', [outputs]) }) });
}

/** A bias that the checkpoint does not hold in one piece, with the weight called `weightName`. */
export function linearWith(module: Module, rows: Value, { weightName, bias }: { weightName: string; bias: Value }): Value {
  return project(module, rows, { weightName, bias });
}

/** Whatever the weight is stored as. Integers are multiplied as such: the rows are quantised on the way (int8), by blocks (int4). */
function project(module: Module, rows: Value, { weightName, bias }: { weightName: string; bias?: Value }): Value {
  const { graph } = module;
  const added = bias === undefined ? [] : [bias];
  const quantised = module.quantised(weightName);
  if (!quantised) {
    const half = module.half(weightName);
    const weight = half === undefined ? module.parameter(weightName) : widened(graph, half, rows);
    return graph.op('Gemm', [rows, weight, ...added], { transB: 1 });
  }
  const { precision, values, scales } = quantised;
  if (precision === 'int8') return graph.op('com.microsoft.DynamicQuantizeMatMul', [rows, values, scales, ABSENT, ...added]);
  const [outputs = 0, inputs = 0] = module.shape(weightName);
  return graph.op('com.microsoft.MatMulNBits', [rows, values, scales, ABSENT, ABSENT, ...added], {
    ...{ N: outputs, K: inputs, bits: 4, block_size: BLOCK },
    accuracy_level: INT8_COMPUTE,
  });
}

/**
 * A half-precision weight as float32, for the moment in which `rows` are multiplied with it. The runtime would widen all
 * weights when it opens the graph, into private copies, or all at once when a run begins: a shape that only these rows
 * give (`[0, 0]`, as it was) makes it wait.
 */
function widened(graph: GraphBuilder, half: Value, rows: Value): Value {
  const asItWas = graph.op('Mul', [graph.op('Shape', [rows]), graph.integers([0, 0])]);
  return graph.cast(graph.op('Reshape', [half, asItWas]), { from: 'float16', to: 'float32' });
}

/** `[…, width]` → `[R, width]`. */
export function flatten(graph: GraphBuilder, value: Value, width: number): Value {
  return graph.op('Reshape', [value, graph.integers([-1, width])]);
}

/** The same tokens for every batch row: `[L, C]` → `[B, L, C]`. */
export function repeated(graph: GraphBuilder, tokens: Value, likeBatchOf: Value): Value {
  const batch = graph.op('Shape', [likeBatchOf], { start: 0, end: 1 });
  return graph.op('Expand', [tokens, graph.op('Concat', [batch, graph.integers([1, 1])], { axis: 0 })]);
}

/** Layer normalisation over the last axis; affine where the module has weights. */
export function layerNorm(module: Module, value: Value, { width, eps }: { width: number; eps: number }): Value {
  const { graph } = module;
  const affine = module.has('weight') ? [module.parameter('weight'), module.parameter('bias')] : [graph.filled(1, width)];
  return graph.op('LayerNormalization', [value, ...affine], { axis: -1, epsilon: { float: eps } });
}

/** Layer normalisation without weights of its own. */
export function plainLayerNorm(graph: GraphBuilder, value: Value, { width, eps }: { width: number; eps: number }): Value {
  return graph.op('LayerNormalization', [value, graph.filled(1, width)], { axis: -1, epsilon: { float: eps } });
}

/** Multi-layer perceptron with a tanh GELU between `fc1` and `fc2`: `[R, in]` → `[R, out]`. */
export function geluMlp(module: Module, rows: Value): Value {
  return linear(module.at('fc2'), geluTanh(module.graph, linear(module.at('fc1'), rows)));
}

/** Root-mean-square normalisation with a learned weight. */
export function rmsNorm(module: Module, value: Value, eps: number): Value {
  return module.graph.op('SimplifiedLayerNormalization', [value, module.parameter('weight')], { axis: -1, epsilon: { float: eps } });
}

/** Every vector of the last axis to length 1: v/|v| is the RMS norm of v with the weight 1/√c. */
export function unitVectors(graph: GraphBuilder, value: Value, width: number): Value {
  return graph.op('SimplifiedLayerNormalization', [value, graph.filled(1 / Math.sqrt(width), width)], {
    axis: -1,
    epsilon: { float: 1e-20 },
  });
}

/** Rotary embedding (RoFormer), neighbouring pairs: `[B, L, n·c]` turned by the angles in `cos`, `sin` `[L, c/2]`. */
export function rotary(graph: GraphBuilder, value: Value, angles: { cos: Value; sin: Value }): Value {
  const fromFirstRow = graph.integers([0]);
  return graph.op('com.microsoft.RotaryEmbedding', [value, fromFirstRow, angles.cos, angles.sin], { interleaved: 1 });
}

/** Queries, keys and values, heads side by side; `bias` `[1, 1, L, T]` is added to the scores. */
export interface AttentionInputs {
  readonly q: Value; // (B, L, C)
  readonly k: Value; // (B, T, C)
  readonly v: Value; // (B, T, C)
  readonly bias?: Value;
}

/** Softmax attention without a scale of its own → `[B, L, C]`. */
export function attention(graph: GraphBuilder, { q, k, v, bias }: AttentionInputs, heads: number): Value {
  const inputs = bias === undefined ? [q, k, v] : [q, k, v, ABSENT, ABSENT, bias];
  return graph.op('com.microsoft.MultiHeadAttention', inputs, { num_heads: heads, scale: { float: 1 } });
}

/**
 * The same in separate steps, for runners whose fused operator is not exact: the steps agree with the CPU to float32.
 */
export function attentionInSteps(graph: GraphBuilder, { q, k, v, bias }: AttentionInputs, heads: { count: number; width: number }): Value {
  const split = (value: Value, perm: readonly number[]) =>
    graph.op('Transpose', [graph.op('Reshape', [value, graph.integers([0, 0, heads.count, heads.width])])], { perm: [...perm] });
  const products = graph.op('MatMul', [split(q, [0, 2, 1, 3]), split(k, [0, 2, 3, 1])]); // (B, H, L, T)
  const scores = bias === undefined ? products : graph.op('Add', [products, bias]);
  const seen = graph.op('MatMul', [graph.op('Softmax', [scores], { axis: -1 }), split(v, [0, 2, 1, 3])]); // (B, H, L, c)
  const joined = graph.op('Transpose', [seen], { perm: [0, 2, 1, 3] });
  return graph.op('Reshape', [joined, graph.integers([0, 0, heads.count * heads.width])]); // (B, L, C)
}

/** The fused operator where it is exact, else the steps. */
export function exactAttention(
  graph: GraphBuilder,
  inputs: AttentionInputs,
  { fused, ...heads }: { fused: boolean; count: number; width: number },
): Value {
  return fused ? attention(graph, inputs, heads.count) : attentionInSteps(graph, inputs, heads);
}

/** Softmax attention over heads that are already split, with an additive bias: `[B, H, L, c]`, kᵀ `[B, H, c, T]`. */
export function biasedAttention(graph: GraphBuilder, { q, kt, v }: { q: Value; kt: Value; v: Value }, bias: Value): Value {
  const scores = graph.op('Add', [graph.op('MatMul', [q, kt]), bias]); // (B, H, L, T)
  return graph.op('MatMul', [graph.op('Softmax', [scores], { axis: -1 }), v]); // (B, H, L, c)
}

/** GELU in its tanh form. */
export function geluTanh(graph: GraphBuilder, value: Value): Value {
  return graph.op('com.microsoft.FastGelu', [value]);
}

/** GELU by the error function, torch's default. */
export function geluErf(graph: GraphBuilder, value: Value): Value {
  return graph.op('Gelu', [value]);
}

export function silu(graph: GraphBuilder, value: Value): Value {
  return graph.op('com.microsoft.QuickGelu', [value], { alpha: { float: 1 } });
}

interface Convolution {
  readonly stride?: number;
  /** Top, left, bottom, right; half the kernel on every side when absent. */
  readonly pads?: readonly number[];
}

/** 2-D convolution with a bias: `[N, in, h, w]` → `[N, out, h', w']`. */
export function convolution(module: Module, map: Value, { stride = 1, pads }: Convolution = {}): Value {
  const kernel = module.shape('weight').slice(2);
  const border = kernel.map((side) => Math.floor(side / 2));
  return module.graph.op('Conv', [map, module.parameter('weight'), module.parameter('bias')], {
    kernel_shape: kernel,
    strides: [stride, stride],
    pads: pads ?? [...border, ...border],
  });
}

/** Group normalisation (eps 1e-6): instance normalisation of channel groups, then each channel's own affine map. */
export function groupNorm(module: Module, map: Value, groups: number): Value {
  const { graph } = module;
  const channels = at(module.shape('weight'), 0);
  const grouped = graph.op('Reshape', [map, graph.integers([0, groups, -1])]);
  const normed = graph.op('InstanceNormalization', [grouped, graph.filled(1, groups), graph.filled(0, groups)], {
    epsilon: { float: 1e-6 },
  });
  const unit = graph.op('Reshape', [normed, graph.op('Shape', [map])]); // (N, C, h, w)
  const scaled = graph.op('Mul', [unit, module.parameter('weight', [channels, 1, 1])]);
  return graph.op('Add', [scaled, module.parameter('bias', [channels, 1, 1])]);
}

/** Doubles a picture by repeating its pixels. */
export function upsampleNearest(graph: GraphBuilder, map: Value): Value {
  const factors = graph.inline('double', [4], Float32Array.of(1, 1, 2, 2));
  return graph.op('Resize', [map, ABSENT, factors], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
}

interface Shuffle {
  readonly channels: number; // of the input
  readonly factor: number; // r
}

/** torch's pixel_shuffle, channels ordered (c, r, r): `[1, c·r², h, w]` → `[1, c, h·r, w·r]`. */
export function pixelShuffle(graph: GraphBuilder, map: Value, factor: number): Value {
  return graph.op('DepthToSpace', [map], { blocksize: factor, mode: 'CRD' });
}

/** torch's pixel_unshuffle, channels ordered (c, r, r): `[1, c, h·r, w·r]` → `[1, c·r², h, w]`. */
export function pixelUnshuffle(graph: GraphBuilder, map: Value, { channels, factor }: Shuffle): Value {
  const [tall, wide] = sides(graph, map);
  const scale = graph.integers([factor]);
  const height = graph.op('Div', [tall, scale]);
  const width = graph.op('Div', [wide, scale]);
  const split = graph.op('Reshape', [map, graph.op('Concat', [graph.integers([channels]), height, scale, width, scale], { axis: 0 })]);
  const sorted = graph.op('Transpose', [split], { perm: [0, 2, 4, 1, 3] }); // (c, r, r, h, w)
  return graph.op('Reshape', [sorted, graph.op('Concat', [graph.integers([1, channels * factor * factor]), height, width], { axis: 0 })]);
}

/** Height and width of `[N, C, h, w]`, each as a list of one. */
function sides(graph: GraphBuilder, map: Value): [height: Value, width: Value] {
  return [graph.op('Shape', [map], { start: 2, end: 3 }), graph.op('Shape', [map], { start: 3, end: 4 })];
}
