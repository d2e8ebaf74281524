import { GraphBuilder } from '#engine/graph/builder.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { Module } from '../module.js';
import { geluMlp } from '../nn.js';
import type { ControlArArchitecture } from './architecture.js';

// n image tokens · A channels of the control encoder · C width

/** `features` `[n, A]` of the control picture → what is added before the controlled layers: `control_i` `[n, C]`. */
export function controlGraph({ weights, controlled, config: { width } }: ControlArArchitecture): GraphModel {
  const graph = new GraphBuilder('controlar-control');
  const root = new Module(graph, weights);
  const [, channels = 0] = weights.shape('adapter_mlp.fc1.weight');
  const adapted = geluMlp(root.at('adapter_mlp'), graph.input('features', ['n', channels]));
  const condition = geluMlp(root.at('condition_mlp', 'cap_proj'), adapted);
  controlled.forEach((_, fusion) => {
    graph.output(`control_${fusion}`, geluMlp(root.at('condition_layers', fusion), condition), ['n', width]);
  });
  return graph.finish();
}
