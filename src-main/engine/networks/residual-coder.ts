import { GraphBuilder } from '#engine/graph/builder.js';
import type { PictureCoder } from '#engine/tensor/predictor.js';
import type { GraphModel, Runner } from '#engine/tensor/runner.js';
import type { Weights } from '#engine/weights/handle.js';
import { Module } from './module.js';
import { convolution, pixelShuffle, pixelUnshuffle, silu } from './nn.js';
import { openPictureCoder } from './picture-coder.js';
import { fromUnitRange, toUnitRange } from './pixel-range.js';
import { doubled, residualBlocks } from './residual-blocks.js';

// d feature channels · h, w feature grid, one cell per 8×8 pixels · H, W picture

const RGB = 3;
const QUARTER = 4;

/** The built-in packs' tokenizer (models/training/tokenizer.py): norm-free residual blocks at a quarter and an eighth of the side. */
export function openResidualCoder(runner: Runner, weights: Weights): Promise<PictureCoder> {
  return openPictureCoder(runner, { encoder: residualEncoderGraph(weights), decoder: residualDecoderGraph(weights) });
}

/** `picture` `[1, 3, H, W]` in 0..1, sides divisible by 8 → `features` `[1, d, h, w]`. */
export function residualEncoderGraph(weights: Weights): GraphModel {
  const graph = new GraphBuilder('residual-encoder');
  const encoder = new Module(graph, weights).at('encoder');
  const picture = fromUnitRange(graph, graph.input('picture', [1, RGB, 'H', 'W']));
  const cells = pixelUnshuffle(graph, picture, { channels: RGB, factor: QUARTER }); // (1, 48, H/4, W/4)
  const quarter = residualBlocks(encoder.at('quarter'), convolution(encoder.at('input'), cells));
  const eighth = residualBlocks(encoder.at('eighth'), convolution(encoder.at('downsample'), quarter, { stride: 2 })); // (1, c, h, w)
  graph.output('features', convolution(encoder.at('output'), silu(graph, eighth)), [1, 'd', 'h', 'w']);
  return graph.finish();
}

/** `codes` `[1, d, h, w]` → `picture` `[1, 3, H, W]` in 0..1. */
export function residualDecoderGraph(weights: Weights): GraphModel {
  const graph = new GraphBuilder('residual-decoder');
  const decoder = new Module(graph, weights).at('decoder');
  const eighth = residualBlocks(decoder.at('eighth'), convolution(decoder.at('input'), graph.input('codes', [1, 'd', 'h', 'w'])));
  const quarter = residualBlocks(decoder.at('quarter'), doubled(decoder.at('upsample'), eighth)); // (1, c, H/4, W/4)
  const half = pixelShuffle(graph, silu(graph, convolution(decoder.at('refine'), silu(graph, quarter))), 2); // (1, c/4, H/2, W/2)
  graph.output('picture', toUnitRange(graph, doubled(decoder.at('output'), half)), [1, RGB, 'H', 'W']);
  return graph.finish();
}
