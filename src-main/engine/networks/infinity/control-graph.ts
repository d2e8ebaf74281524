import { GraphBuilder } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { Module } from '../module.js';
import { convolution, flatten, linear, pixelUnshuffle, silu } from '../nn.js';
import type { Architecture } from './architecture.js';

// S picture side · n tokens of the finest scale · L tokens · C width

const PIXELS_PER_CELL = 8;

/** ControlAR for scales: a control picture `map` `[1, channels, S, S]` → `features` `[n, C]` on the finest token grid. */
export function controlEncoderGraph({ config, weights }: Architecture, channels: number): GraphModel {
  const graph = new GraphBuilder('control-encoder');
  const encoder = new Module(graph, weights).at('control_encoder');
  const map = graph.input('map', [1, channels, 'height', 'width']);
  let cells = pixelUnshuffle(graph, map, { channels, factor: PIXELS_PER_CELL }); // (1, channels·64, 2h, 2w)
  for (const layer of ['conv1', 'conv2', 'conv3']) cells = silu(graph, convolution(encoder.at(layer), cells));
  const [filters = 0] = encoder.shape('conv3.weight');
  const patches = pixelUnshuffle(graph, cells, { channels: filters, factor: config.patchify }); // (1, D', h, w)
  const perToken = filters * config.patchify ** 2;
  const tokens = flatten(graph, graph.op('Transpose', [patches], { perm: [0, 2, 3, 1] }), perToken); // (n, D')
  graph.output('features', linear(encoder.at('proj'), tokens), ['n', config.width]);
  return graph.finish();
}

/** One linear layer per depth at which control is added: `features` `[L, C]` → `control_i` `[L, C]`, times `amount`. */
export function controlFuseGraph({ config, weights }: Architecture): GraphModel {
  const graph = new GraphBuilder('control-fuse');
  const root = new Module(graph, weights);
  const features = graph.input('features', ['L', config.width]);
  const amount = graph.input('amount', []);
  config.control?.layers.forEach((_, index) => {
    const fused = graph.op('Mul', [linear(root.at('control_fuse', index), features), amount]);
    graph.output(`control_${index}`, fused, ['L', config.width]);
  });
  return graph.finish();
}
