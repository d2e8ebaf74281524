import type { GraphBuilder, Value } from '#engine/graph/builder.js';
import { AdaptiveBlock, batchAndLengthOf, type BlockSetting } from '../adaptive-block.js';
import { Module } from '../module.js';
import type { Architecture } from './architecture.js';

// B batch rows · L tokens at hand · T text rows · C width · c head width

/** The blocks of one graph: `gss` `[B, 6, C]` is what the text says to all of them. */
export interface InfinitySetting extends BlockSetting {
  readonly gss: Value;
  readonly textBias: Value;
}

/** The inputs that all blocks of a graph share. */
export function declareSetting(graph: GraphBuilder, { config, headWidth, fusedAttention }: Architecture, x: Value): InfinitySetting {
  const { width, heads, normEps } = config;
  return {
    sizes: { width, heads, headWidth, normEps, fusedAttention },
    graph,
    gss: graph.input('gss', ['B', 6, width]),
    textBias: graph.input('text_bias', ['B', 1, 1, 'T']),
    rotary: { cos: graph.input('cos', ['L', headWidth / 2]), sin: graph.input('sin', ['L', headWidth / 2]) },
    batchAndLength: batchAndLengthOf(graph, x),
  };
}

/** The inputs by which a graph with these layers learns what the text says. */
export function declareText(graph: GraphBuilder, layers: readonly number[], { config, headWidth }: Architecture): void {
  for (const layer of layers) {
    graph.input(`text_k_${layer}`, ['B', config.heads, headWidth, 'T']); // scaled by 1/√c
    graph.input(`text_v_${layer}`, ['B', config.heads, 'T', headWidth]);
  }
}

export function infinityBlock(setting: InfinitySetting, { blocks, config }: Architecture, index: number): AdaptiveBlock {
  const weights = blocks[index]!;
  const own = new Module(setting.graph, weights).parameter('ada_gss', [1, 6, config.width]);
  return new AdaptiveBlock(setting, { index, weights, attention: 'sa', adaptive: setting.graph.op('Add', [setting.gss, own]) });
}
