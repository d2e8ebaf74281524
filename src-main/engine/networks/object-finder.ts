import { GraphBuilder } from '#engine/graph/builder.js';
import type { ObjectFinder } from '#engine/tensor/predictor.js';
import { output, type GraphModel, type Runner } from '#engine/tensor/runner.js';
import { expectFinite, floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { Module } from './module.js';
import { convolution, silu } from './nn.js';
import { fromUnitRange } from './pixel-range.js';
import { pyramid } from './residual-blocks.js';

/** The built-in packs' finder of objects (models/training/finder.py): per kind a map of where one stands. */
export async function openObjectFinder(runner: Runner, weights: Weights): Promise<ObjectFinder> {
  const session = await runner.open(objectFinderGraph(weights));
  return {
    async maps(picture) {
      const { dims, data } = expectFinite(output(await session.run({ picture }), 'objects') as FloatTensor, 'objects');
      return floats(dims.slice(1), data);
    },
    release: () => session.release(),
  };
}

/** `picture` `[1, 3, H, W]` in 0..1, sides divisible by 32 → `objects` `[1, kinds, H/8, W/8]`, logits. */
export function objectFinderGraph(weights: Weights): GraphModel {
  const graph = new GraphBuilder('object-finder');
  const net = new Module(graph, weights);
  const { y2 } = pyramid(net, fromUnitRange(graph, graph.input('picture', [1, 3, 'H', 'W'])));
  const [kinds = 0] = net.shape('output.weight');
  graph.output('objects', convolution(net.at('output'), silu(graph, y2)), [1, kinds, 'H/8', 'W/8']);
  return graph.finish();
}
