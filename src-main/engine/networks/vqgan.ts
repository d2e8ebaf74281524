import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { PictureCoder } from '#engine/tensor/predictor.js';
import type { GraphModel, Runner } from '#engine/tensor/runner.js';
import type { Weights } from '#engine/weights/handle.js';
import { Module } from './module.js';
import { convolution, groupNorm, silu, upsampleNearest } from './nn.js';
import { openPictureCoder } from './picture-coder.js';
import { fromUnitRange, toUnitRange } from './pixel-range.js';

// d feature channels · h, w feature grid · H, W picture

/** torch's GroupNorm default here; the narrow published widths divide by 24 only. */
const GROUPS = [32, 24] as const;

/**
 * The convolutional tokenizers of Infinity, VAR and LlamaGen (VQGAN's shape), published names with or without the
 * `.conv.` and `.norm.` infix. Widths, levels and block counts are read from the tensors, and so are the convolutions that
 * some have on either side of the quantiser.
 */
export function openVqganCoder(runner: Runner, weights: Weights, options: VqganOptions = {}): Promise<PictureCoder> {
  return openPictureCoder(runner, { encoder: vqganEncoderGraph(weights, options), decoder: vqganDecoderGraph(weights, options) });
}

export interface VqganOptions {
  /** Whether attention blocks count: VAR's do, Infinity's loader leaves them out. */
  readonly attention?: boolean;
}

/** `picture` `[1, 3, H, W]` in 0..1 → `features` `[1, d, h, w]`. */
export function vqganEncoderGraph(weights: Weights, options: VqganOptions = {}): GraphModel {
  const graph = new GraphBuilder('vqgan-encoder');
  const root = new Module(graph, weights);
  const encoder = root.at('encoder');
  const picture = graph.input('picture', [1, 3, 'H', 'W']);
  let x = conv(encoder.at('conv_in'), fromUnitRange(graph, picture));
  for (const down of levels(encoder, 'down')) {
    x = level(down, x, options);
    // Padded on the right and below only.
    if (down.has('downsample')) x = conv(down.at('downsample', 'conv'), x, { stride: 2, pads: [0, 0, 1, 1] });
  }
  x = aroundQuantiser(root, 'quant_conv', head(encoder, middle(encoder.at('mid'), x, options)));
  graph.output('features', x, [1, 'd', 'h', 'w']);
  return graph.finish();
}

/** `codes` `[1, d, h, w]` → `picture` `[1, 3, H, W]` in 0..1. */
export function vqganDecoderGraph(weights: Weights, options: VqganOptions = {}): GraphModel {
  const graph = new GraphBuilder('vqgan-decoder');
  const root = new Module(graph, weights);
  const decoder = root.at('decoder');
  const codes = graph.input('codes', [1, 'd', 'h', 'w']);
  const input = conv(decoder.at('conv_in'), aroundQuantiser(root, 'post_quant_conv', codes));
  let x = middle(decoder.at('mid'), input, options);
  // Levels are numbered by resolution, the coarsest last; LlamaGen's in running order.
  const ups = levels(decoder, 'up');
  for (const up of decoder.has('conv_blocks') ? ups : ups.reverse()) {
    x = level(up, x, options);
    if (up.has('upsample')) x = conv(up.at('upsample', 'conv'), upsampleNearest(graph, x));
  }
  graph.output('picture', toUnitRange(graph, head(decoder, x)), [1, 3, 'H', 'W']);
  return graph.finish();
}

function aroundQuantiser(root: Module, name: 'quant_conv' | 'post_quant_conv', x: Value): Value {
  return root.has(name) ? conv(root.at(name), x) : x;
}

/** The modules of all resolutions; LlamaGen's tokenizer calls them otherwise. */
function levels(half: Module, published: 'down' | 'up'): Module[] {
  const list = half.at(half.has('conv_blocks') ? 'conv_blocks' : published);
  return list.weights.children().map((name) => list.at(name));
}

function middle(mid: Module, x: Value, { attention }: VqganOptions): Value {
  const [before, seeing, after] = mid.has('block_1') ? ['block_1', 'attn_1', 'block_2'] : ['0', '1', '2'];
  const first = residualBlock(mid.at(before), x);
  const seen = attention && mid.has(seeing) ? attentionBlock(mid.at(seeing), first) : first;
  return residualBlock(mid.at(after), seen);
}

function head(module: Module, x: Value): Value {
  return conv(module.at('conv_out'), silu(module.graph, norm(module.at('norm_out'), x)));
}

/** The residual blocks of one resolution, each with the attention block of its number where there is one. */
function level(module: Module, x: Value, { attention }: VqganOptions): Value {
  const attentive = module.at('attn');
  const blocks = module.at(module.has('block') ? 'block' : 'res');
  return blocks.weights.children().reduce((map, name) => {
    const next = residualBlock(blocks.at(name), map);
    return attention && attentive.has(name) ? attentionBlock(attentive.at(name), next) : next;
  }, x);
}

/** Every pixel sees every other: one head, scale 1/√C. */
function attentionBlock(block: Module, x: Value): Value {
  const { graph } = block;
  const [width = 0] = block.shape('norm.weight');
  const { q, k, v } = queriesKeysValues(block, norm(block.at('norm'), x), width);
  const pixelsFirst = graph.op('Transpose', [q], { perm: [0, 2, 1] });
  const scores = graph.op('Mul', [graph.op('MatMul', [pixelsFirst, k]), graph.scalar(1 / Math.sqrt(width))]); // (B, N, N)
  const shares = graph.op('Transpose', [graph.op('Softmax', [scores], { axis: -1 })], { perm: [0, 2, 1] });
  const seen = graph.op('Reshape', [graph.op('MatMul', [v, shares]), graph.op('Shape', [x])]);
  return graph.op('Add', [x, conv(block.at('proj_out'), seen)]);
}

/** `[B, C, N]` each, from one convolution or from three (LlamaGen). */
function queriesKeysValues(block: Module, normed: Value, width: number): { readonly q: Value; readonly k: Value; readonly v: Value } {
  const { graph } = block;
  const inLine = (map: Value, channels: number) => graph.op('Reshape', [map, graph.integers([0, channels, -1])]);
  if (!block.has('qkv')) {
    const own = (name: string) => inLine(conv(block.at(name), normed), width);
    return { q: own('q'), k: own('k'), v: own('v') };
  }
  const joined = inLine(conv(block.at('qkv'), normed), 3 * width);
  const [q = '', k = '', v = ''] = graph.ops('Split', [joined], { attributes: { axis: 1, num_outputs: 3 }, outputs: 3 });
  return { q, k, v };
}

function residualBlock(block: Module, x: Value): Value {
  const { graph } = block;
  const first = conv(block.at('conv1'), silu(graph, norm(block.at('norm1'), x)));
  const second = conv(block.at('conv2'), silu(graph, norm(block.at('norm2'), first)));
  const shortcut = block.has('nin_shortcut') ? conv(block.at('nin_shortcut'), x) : x;
  return graph.op('Add', [shortcut, second]);
}

function conv(module: Module, x: Value, options: Parameters<typeof convolution>[2] = {}): Value {
  return convolution(inner(module, 'conv'), x, options);
}

function norm(module: Module, x: Value): Value {
  const affine = inner(module, 'norm');
  const [channels = 0] = affine.shape('weight');
  return groupNorm(affine, x, GROUPS.find((groups) => channels % groups === 0) ?? GROUPS[0]);
}

/** Some published files wrap every convolution and norm in a module of its own. */
function inner(module: Module, infix: string): Module {
  return module.has(`${infix}.weight`) ? module.at(infix) : module;
}
