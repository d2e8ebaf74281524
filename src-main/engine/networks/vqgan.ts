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
 * The convolutional tokenizer of Infinity (VQGAN's shape, without attention), published names with or
 * without the `.conv.` and `.norm.` infix. Widths, levels and block counts are read from the tensors.
 */
export function openVqganCoder(runner: Runner, weights: Weights): Promise<PictureCoder> {
  return openPictureCoder(runner, { encoder: vqganEncoderGraph(weights), decoder: vqganDecoderGraph(weights) });
}

/** `picture` `[1, 3, H, W]` in 0..1 → `features` `[1, d, h, w]`. */
export function vqganEncoderGraph(weights: Weights): GraphModel {
  const graph = new GraphBuilder('vqgan-encoder');
  const encoder = new Module(graph, weights).at('encoder');
  const picture = graph.input('picture', [1, 3, 'H', 'W']);
  let x = conv(encoder.at('conv_in'), fromUnitRange(graph, picture));
  const levels = encoder.weights.at('down').children();
  for (const level of levels) {
    const down = encoder.at('down', level);
    x = residualBlocks(down.at('block'), x);
    // Padded on the right and below only.
    if (down.has('downsample')) x = conv(down.at('downsample', 'conv'), x, { stride: 2, pads: [0, 0, 1, 1] });
  }
  x = head(encoder, middle(encoder.at('mid'), x));
  graph.output('features', x, [1, 'd', 'h', 'w']);
  return graph.finish();
}

/** `codes` `[1, d, h, w]` → `picture` `[1, 3, H, W]` in 0..1. */
export function vqganDecoderGraph(weights: Weights): GraphModel {
  const graph = new GraphBuilder('vqgan-decoder');
  const decoder = new Module(graph, weights).at('decoder');
  const codes = graph.input('codes', [1, 'd', 'h', 'w']);
  let x = middle(decoder.at('mid'), conv(decoder.at('conv_in'), codes));
  // Levels are numbered by resolution: the coarsest, the highest number, comes first.
  for (const level of decoder.weights.at('up').children().reverse()) {
    const up = decoder.at('up', level);
    x = residualBlocks(up.at('block'), x);
    if (up.has('upsample')) x = conv(up.at('upsample', 'conv'), upsampleNearest(graph, x));
  }
  graph.output('picture', toUnitRange(graph, head(decoder, x)), [1, 3, 'H', 'W']);
  return graph.finish();
}

function middle(mid: Module, x: Value): Value {
  return residualBlock(mid.at('block_2'), residualBlock(mid.at('block_1'), x));
}

function head(module: Module, x: Value): Value {
  return conv(module.at('conv_out'), silu(module.graph, norm(module.at('norm_out'), x)));
}

function residualBlocks(blocks: Module, x: Value): Value {
  return blocks.weights.children().reduce((map, block) => residualBlock(blocks.at(block), map), x);
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
