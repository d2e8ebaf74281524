import type { Value } from '#engine/graph/builder.js';
import type { Module } from './module.js';
import { convolution, pixelShuffle, pixelUnshuffle, silu } from './nn.js';

// What the built-in packs' convolutional networks share.

/** Norm-free, pre-activation: x + conv2(silu(conv1(silu(x)))). */
export function residualBlock(block: Module, x: Value): Value {
  const { graph } = block;
  const first = convolution(block.at('conv1'), silu(graph, x));
  return graph.op('Add', [x, convolution(block.at('conv2'), silu(graph, first))]);
}

/** The blocks numbered below `blocks`, in order. */
export function residualBlocks(blocks: Module, x: Value): Value {
  return blocks.weights.children().reduce((map, index) => residualBlock(blocks.at(index), map), x);
}

/** A convolution whose channels become pixels: twice the side. */
export function doubled(module: Module, map: Value): Value {
  return pixelShuffle(module.graph, convolution(module, map), 2);
}

/** A picture `[1, 3, H, W]` in −1..1 through four levels, and up again as far as an eighth of its side. */
export function pyramid(net: Module, picture: Value): { readonly x1: Value; readonly y2: Value } {
  const { graph } = net;
  const x1 = level(net.at('level1'), pixelUnshuffle(graph, picture, { channels: 3, factor: 4 })); // H/4
  const x2 = level(net.at('level2'), silu(graph, x1), { stride: 2 }); // H/8
  const x3 = level(net.at('level3'), silu(graph, x2), { stride: 2 }); // H/16
  const x4 = level(net.at('level4'), silu(graph, x3), { stride: 2 }); // H/32
  const y3 = graph.op('Add', [x3, doubled(net.at('up3'), x4)]);
  const y2 = residualBlock(net.at('refine2'), graph.op('Add', [x2, doubled(net.at('up2'), silu(graph, y3))]));
  return { x1, y2 };
}

function level(module: Module, x: Value, options: { stride?: number } = {}): Value {
  return residualBlocks(module.at('residuals'), convolution(module.at('input'), x, options));
}
