import { invariant } from '#base/assert.js';
import type { Extent } from '#base/geometry.js';
import { GraphBuilder } from '#engine/graph/builder.js';
import type { DepthEstimator } from '#engine/tensor/predictor.js';
import { output, type GraphModel, type GraphSession, type Runner } from '#engine/tensor/runner.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { Module } from './module.js';
import { convolution, pixelShuffle, silu } from './nn.js';
import { fromUnitRange } from './pixel-range.js';
import { doubled, pyramid, residualBlock } from './residual-blocks.js';

const RGB = 3;
/** The coarsest level of the pyramid. */
const COARSEST = 32;

/**
 * The built-in packs' monocular depth (models/training/depth.py): four levels down, skips on the way up.
 *
 * @param side of the squares that it was trained on, in pixels.
 */
export async function openDepthPyramid(runner: Runner, weights: Weights, side: number): Promise<DepthEstimator> {
  return new DepthPyramid(await runner.open(depthPyramidGraph(weights)), side);
}

class DepthPyramid implements DepthEstimator {
  readonly #session: GraphSession;

  readonly #side: number;

  constructor(session: GraphSession, side: number) {
    this.#session = session;
    this.#side = side;
  }

  sizeFor(): Extent {
    return { width: this.#side, height: this.#side };
  }

  async estimate(picture: FloatTensor): Promise<FloatTensor> {
    const [height = 0, width = 0] = picture.dims.slice(2);
    invariant(height % COARSEST === 0 && width % COARSEST === 0, `Expected sides divisible by 32 but received ${width}×${height}.`);
    return output(await this.#session.run({ picture }), 'depth') as FloatTensor;
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/** `picture` `[1, 3, H, W]` in 0..1, sides divisible by 32 → `depth` `[1, 1, H, W]`, relative disparity, near = 1. */
export function depthPyramidGraph(weights: Weights): GraphModel {
  const graph = new GraphBuilder('depth-pyramid');
  const net = new Module(graph, weights);
  const picture = fromUnitRange(graph, graph.input('picture', [1, RGB, 'H', 'W']));
  const { x1, y2 } = pyramid(net, picture);
  const y1 = residualBlock(net.at('refine1'), graph.op('Add', [x1, doubled(net.at('up1'), silu(graph, y2))]));
  const half = pixelShuffle(graph, silu(graph, convolution(net.at('out1'), silu(graph, y1))), 2); // H/2
  graph.output('depth', doubled(net.at('out2'), half), [1, 1, 'H', 'W']);
  return graph.finish();
}
