import { GraphBuilder, type Value } from '#engine/graph/builder.js';
import type { TextEncoder } from '#engine/tensor/predictor.js';
import { output, type GraphModel, type Runner } from '#engine/tensor/runner.js';
import { expectFinite, floats, int64s, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { Module } from './module.js';
import { biasedAttention, geluErf, layerNorm, linear } from './nn.js';

// T text tokens · C width · H heads · c head width

const EPS = 1e-5;
/** Of all published sizes. */
const HEAD_WIDTH = 64;
/** The slope of the quick GELU, x·σ(1.702·x). */
const QUICK_SLOPE = 1.702;
const HIDDEN = -1e9;

interface ClipKind {
  /** OpenAI's activation; OpenCLIP's is the exact one. */
  readonly quickGelu: boolean;
}

/**
 * Opens the text encoder of a CLIP (Radford et al. 2021), in the layout of Hugging Face's transformers: hidden states behind the
 * final norm. Sizes are read from the tensors.
 *
 * @throws ExpectedError `weights.refused` naming the first tensor that is missing.
 */
export async function openClipTextEncoder(runner: Runner, weights: Weights, kind: ClipKind): Promise<TextEncoder> {
  const session = await runner.open(clipTextGraph(weights, kind));
  return {
    async encode(ids) {
      const feeds = { ids: int64s([ids.length], ids), places: int64s([ids.length], [...ids.keys()]), bias: causalBias(ids.length) };
      return expectFinite(output(await session.run(feeds), 'hidden') as FloatTensor, 'text features');
    },
    release: () => session.release(),
  };
}

/** `ids`, `places` `[T]`, `bias` `[1, 1, T, T]` → `hidden` `[T, C]`. */
function clipTextGraph(weights: Weights, { quickGelu }: ClipKind): GraphModel {
  const graph = new GraphBuilder('clip-text-encoder');
  const model = new Module(graph, weights).at('text_model');
  const looked = (name: string, ids: string) =>
    graph.op('Gather', [model.parameter(`embeddings.${name}.weight`), graph.input(ids, ['T'], 'int64')], { axis: 0 });
  const [, width = 0] = model.shape('embeddings.token_embedding.weight');
  let x = graph.op('Add', [looked('token_embedding', 'ids'), looked('position_embedding', 'places')]);
  const bias = graph.input('bias', [1, 1, 'T', 'T']);
  for (const name of model.weights.at('encoder', 'layers').children()) {
    const layer = model.at('encoder', 'layers', name);
    const normed = (norm: string) => layerNorm(layer.at(norm), x, { width, eps: EPS });
    x = graph.op('Add', [x, selfAttention(layer.at('self_attn'), normed('layer_norm1'), { width, bias })]);
    const hidden = linear(layer.at('mlp', 'fc1'), normed('layer_norm2'));
    const active = quickGelu ? graph.op('com.microsoft.QuickGelu', [hidden], { alpha: { float: QUICK_SLOPE } }) : geluErf(graph, hidden);
    x = graph.op('Add', [x, linear(layer.at('mlp', 'fc2'), active)]);
  }
  graph.output('hidden', layerNorm(model.at('final_layer_norm'), x, { width, eps: EPS }), ['T', width]);
  return graph.finish();
}

/** `[T, C]` → `[T, C]` */
function selfAttention(attention: Module, x: Value, { width, bias }: { width: number; bias: Value }): Value {
  const { graph } = attention;
  const heads = headsOf(width);
  const perHead = (name: string, perm: readonly number[]) => {
    const rows = graph.op('Reshape', [linear(attention.at(name), x), graph.integers([1, -1, heads, width / heads])]);
    return graph.op('Transpose', [rows], { perm: [...perm] });
  };
  const q = graph.op('Mul', [perHead('q_proj', [0, 2, 1, 3]), graph.scalar(1 / Math.sqrt(width / heads))]);
  const states = { q, kt: perHead('k_proj', [0, 2, 3, 1]), v: perHead('v_proj', [0, 2, 1, 3]) };
  const seen = graph.op('Transpose', [biasedAttention(graph, states, bias)], { perm: [0, 2, 1, 3] }); // (1, T, H, c)
  return linear(attention.at('out_proj'), graph.op('Reshape', [seen, graph.integers([-1, width])]));
}

/** No tensor tells. */
function headsOf(width: number): number {
  return width % HEAD_WIDTH === 0 ? width / HEAD_WIDTH : 1;
}

/** Every token sees itself and what came before: `[1, 1, T, T]`. */
function causalBias(length: number): FloatTensor {
  const bias = floats([1, 1, length, length]);
  bias.data.forEach((_, i) => (bias.data[i] = i % length > Math.floor(i / length) ? HIDDEN : 0));
  return bias;
}
