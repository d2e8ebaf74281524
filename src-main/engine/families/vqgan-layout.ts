import type { Weights } from '#engine/weights/handle.js';
import { expectLayout } from './layout.js';
import { inner } from './tensors.js';

// c channels at the place that is looked at · d channels of a code

const RGB = 3;

/**
 * Follows the channels of a convolutional tokenizer (VQGAN's shape, as `networks/vqgan.ts` runs it) through its encoder and its
 * decoder. Throws `weights.refused` naming the first tensor that is missing or does not fit the one before it.
 */
export function expectVqgan(weights: Weights, codeWidth: number): void {
  const isQuantised = weights.has('quant_conv');
  const features = expectEncoder(weights.at('encoder'), isQuantised ? undefined : codeWidth);
  if (isQuantised) expectConvolution(weights.at('quant_conv'), features, codeWidth);
  const decoded = weights.has('post_quant_conv') ? expectConvolution(weights.at('post_quant_conv'), codeWidth) : codeWidth;
  expectDecoder(weights.at('decoder'), decoded);
}

function expectEncoder(encoder: Weights, outputs: number | undefined): number {
  let c = expectConvolution(encoder.at('conv_in'), RGB);
  for (const level of levels(encoder, 'down')) {
    c = expectLevel(level, c);
    if (level.has('downsample')) c = expectConvolution(level.at('downsample', 'conv'), c);
  }
  return expectEnd(encoder, expectMiddle(encoder.at('mid'), c), outputs);
}

function expectDecoder(decoder: Weights, codes: number): void {
  let c = expectMiddle(decoder.at('mid'), expectConvolution(decoder.at('conv_in'), codes));
  const ups = levels(decoder, 'up');
  for (const level of decoder.has('conv_blocks') ? ups : ups.reverse()) {
    c = expectLevel(level, c);
    if (level.has('upsample')) c = expectConvolution(level.at('upsample', 'conv'), c);
  }
  expectEnd(decoder, c, RGB);
}

function levels(half: Weights, published: 'down' | 'up'): Weights[] {
  const list = half.at(half.has('conv_blocks') ? 'conv_blocks' : published);
  return list.children().map((name) => list.at(name));
}

function expectLevel(level: Weights, channels: number): number {
  const blocks = level.at(level.has('block') ? 'block' : 'res');
  return blocks.children().reduce((c, name) => {
    const next = expectResidual(blocks.at(name), c);
    if (level.at('attn').has(name)) expectAttention(level.at('attn', name), next);
    return next;
  }, channels);
}

function expectMiddle(mid: Weights, channels: number): number {
  const [before, seeing, after] = mid.has('block_1') ? ['block_1', 'attn_1', 'block_2'] : ['0', '1', '2'];
  const c = expectResidual(mid.at(before), channels);
  if (mid.has(seeing)) expectAttention(mid.at(seeing), c);
  return expectResidual(mid.at(after), c);
}

function expectEnd(half: Weights, c: number, outputs?: number): number {
  expectNorm(half.at('norm_out'), c);
  return expectConvolution(half.at('conv_out'), c, outputs);
}

function expectResidual(block: Weights, before: number): number {
  expectNorm(block.at('norm1'), before);
  const c = expectConvolution(block.at('conv1'), before);
  expectNorm(block.at('norm2'), c);
  expectConvolution(block.at('conv2'), c, c);
  if (before !== c || block.has('nin_shortcut')) expectConvolution(block.at('nin_shortcut'), before, c);
  return c;
}

function expectAttention(block: Weights, c: number): void {
  expectNorm(block.at('norm'), c);
  if (block.has('qkv')) expectConvolution(block.at('qkv'), c, 3 * c);
  else for (const name of ['q', 'k', 'v']) expectConvolution(block.at(name), c, c);
  expectConvolution(block.at('proj_out'), c, c);
}

function expectNorm(module: Weights, c: number): void {
  expectLayout(inner(module, 'norm'), { weight: [c], bias: [c] });
}

/** A square kernel with a bias; its outputs, or as many as are told. */
function expectConvolution(module: Weights, inputs: number, outputs?: number): number {
  const own = inner(module, 'conv');
  const [first = 0, , side = 0] = own.shape('weight');
  const c = outputs ?? first;
  expectLayout(own, { weight: [c, inputs, side, side], bias: [c] });
  return c;
}
