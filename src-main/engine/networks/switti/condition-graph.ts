import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { TextFeatures } from '#engine/tensor/predictor.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { floats, type FloatTensor, type Tensor } from '#engine/tensor/tensor.js';
import { Module } from '../module.js';
import { flatten, linear, plainLayerNorm, rmsNorm, silu } from '../nn.js';
import { parameters } from '../var/condition-graph.js';
import type { SwittiArchitecture } from './architecture.js';
import { EPS } from './block.js';
import { cropFeatures } from './positions.js';

// B rows: the prompt, then under guidance no words · T text rows · W width of the text · P width of what stands for it as a whole · C width

/**
 * Everything that depends on the text alone, once per picture: `pooled` `[B, P]`, `text` `[B, T, W]` and, where the model knows
 * crops, `crop` `[1, C]` → `cond` `[B, C]`, the head's `head_ada` `[B, 2, C]`, and per block `ada_i` `[B, 6, C]`, the text's keys
 * `text_k_i` `[B, H, c, T]` (scaled by 1/√c) and values `text_v_i` `[B, H, T, c]`.
 */
export function conditionGraph(architecture: SwittiArchitecture): GraphModel {
  const { config, weights, blocks } = architecture;
  const { width, text } = config;
  const graph = new GraphBuilder('switti-condition');
  const root = new Module(graph, weights);
  const cond = linear(root.at('text_pooler'), graph.input('pooled', ['B', text.pooled]));
  const memory = graph.input('text', ['B', 'T', text.width]);
  const crop = root.has('crop_proj') ? linear(root.at('crop_proj'), graph.input('crop', [1, width])) : undefined;
  blocks.forEach((weightsOfBlock, index) => {
    const block = new Module(graph, weightsOfBlock);
    const own =
      crop === undefined ? cond : graph.op('Add', [cond, graph.op('Mul', [block.parameter('crop_cond_scales', [1, width]), crop])]);
    graph.output(`ada_${index}`, parameters(block.at('ada_lin', 1), silu(graph, own), { count: 6, width }), ['B', 6, width]);
    declareMemory(block, { architecture, memory, index });
  });
  // The head is told of the text alone.
  graph.output('head_ada', parameters(root.at('head_nm', 'ada_lin', 1), silu(graph, cond), { count: 2, width }), ['B', 2, width]);
  graph.output('cond', cond, ['B', width]);
  return graph.finish();
}

interface Memory {
  readonly architecture: SwittiArchitecture;
  readonly memory: Value; // (B, T, W)
  readonly index: number;
}

function declareMemory(block: Module, { architecture, memory, index }: Memory): void {
  const { graph } = block;
  const { config, headWidth } = architecture;
  const { width, heads, text } = config;
  const rows = linear(block.at('cross_attn', 'to_kv'), flatten(graph, rmsNorm(block.at('attention_y_norm'), memory, EPS), text.width));
  const [k = '', v = ''] = graph.ops('Split', [rows], { attributes: { axis: 1, num_outputs: 2 }, outputs: 2 });
  const split = graph.op('Concat', [graph.op('Shape', [memory], { start: 0, end: 2 }), graph.integers([heads, headWidth])], { axis: 0 });
  const perHead = (part: Value, perm: readonly number[]) =>
    graph.op('Transpose', [graph.op('Reshape', [part, split])], { perm: [...perm] });
  const scaled = graph.op('Mul', [plainLayerNorm(graph, k, { width, eps: EPS }), graph.scalar(1 / Math.sqrt(headWidth))]);
  graph.output(`text_k_${index}`, perHead(scaled, [0, 2, 3, 1]), ['B', heads, headWidth, 'T']);
  graph.output(`text_v_${index}`, perHead(v, [0, 2, 1, 3]), ['B', heads, 'T', headWidth]);
}

/** What hides a text row: far enough below every score that its share is exactly 0. */
const HIDDEN = -1e9;

/** Feeds of the condition graph, and which text rows each batch row may see, `[B, 1, 1, T]`. */
export function conditionFeeds(
  { weights, config }: SwittiArchitecture,
  { features, pooled, none }: TextFeatures,
  guided: boolean,
): { readonly feeds: Readonly<Record<string, Tensor>>; readonly bias: FloatTensor } {
  const rows = [{ features, pooled }, ...(guided && none ? [none] : [])];
  const { text } = config;
  const length = Math.max(...rows.map((row) => row.features.dims[0] ?? 0));
  const memory = floats([rows.length, length, text.width]);
  const whole = floats([rows.length, text.pooled]);
  const bias = floats([rows.length, 1, 1, length]);
  rows.forEach((row, b) => {
    memory.data.set(row.features.data, b * length * text.width);
    if (row.pooled) whole.data.set(row.pooled.data, b * text.pooled);
    bias.data.fill(HIDDEN, b * length + (row.features.dims[0] ?? 0), (b + 1) * length);
  });
  const crop = weights.has('crop_embed') ? { crop: cropFeatures(weights) } : {};
  return { feeds: { text: memory, pooled: whole, ...crop }, bias };
}
