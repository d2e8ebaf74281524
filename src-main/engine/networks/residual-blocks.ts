import type { Value } from '#engine/graph/builder.js';
import type { Module } from './module.js';
import { convolution, pixelShuffle, silu } from './nn.js';

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
  return shuffled(module, convolution(module, map));
}

/** Spreads the channels that `module`'s convolution gave over 2×2 pixels. */
export function shuffled(module: Module, map: Value): Value {
  const [channels = 0] = module.shape('weight');
  return pixelShuffle(module.graph, map, { channels, factor: 2 });
}
