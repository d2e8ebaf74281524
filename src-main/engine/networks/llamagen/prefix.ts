import { GraphBuilder } from '#engine/graph/builder.js';
import { output, type GraphModel, type GraphSession } from '#engine/tensor/runner.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { Module } from '../module.js';
import { geluMlp } from '../nn.js';

// R text rows of all batch rows · T text rows of one · B batch rows · C width

/** Where a LlamaGen transformer's tables lie, and how wide they are. */
export interface LlamaTables {
  readonly weights: Weights;
  readonly config: { readonly width: number; readonly text: { readonly width: number } };
}

/** `text` `[R, width]`, T5's hidden states → `prefix` `[R, C]`. */
export function captionGraph({ weights, config: { width, text } }: LlamaTables): GraphModel {
  const graph = new GraphBuilder('llamagen-caption');
  const rows = graph.input('text', ['R', text.width]);
  graph.output('prefix', geluMlp(new Module(graph, weights).at('cls_embedding', 'cap_proj'), rows), ['R', width]);
  return graph.finish();
}

/** `ids` `[n]` → `tokens` `[n, C]`. */
export function embedGraph({ weights, config: { width } }: LlamaTables): GraphModel {
  const graph = new GraphBuilder('llamagen-embed');
  const table = new Module(graph, weights).parameter('tok_embeddings.weight');
  graph.output('tokens', graph.op('Gather', [table, graph.input('ids', ['n'], 'int64')], { axis: 0 }), ['n', width]);
  return graph.finish();
}

/**
 * `[B, T, C]` of the prompt's hidden states `[T, width]`. Published code pads the text on the left and hides the padding
 * from all rows: leaving it out is the same. The row without text reads as many last rows of the learned "no text".
 */
export async function encodePrefix(
  caption: GraphSession,
  { weights, config }: LlamaTables,
  { text, batch }: { readonly text: FloatTensor; readonly batch: number },
): Promise<FloatTensor> {
  const [length = 0, width = 0] = text.dims;
  const rows = floats([batch * length, width]);
  rows.data.set(text.data);
  if (batch > 1) rows.data.set(weights.readFloats('cls_embedding.uncond_embedding').slice(-length * width), length * width);
  const { data } = output(await caption.run({ text: rows }), 'prefix') as FloatTensor;
  return floats([batch, length, config.width], data);
}

/** Every row sees itself and what came before: `[1, 1, L, L]`. */
export function causalBias(length: number): FloatTensor {
  const bias = floats([1, 1, length, length]);
  bias.data.forEach((_, i) => (bias.data[i] = i % length > Math.floor(i / length) ? -1e9 : 0));
  return bias;
}
