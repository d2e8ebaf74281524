import type { GraphBuilder, Value } from '#engine/graph/builder.js';
import { modulate, modulationOf } from '../adaptive-block.js';
import { withPast } from '../kv-rows.js';
import { Module } from '../module.js';
import { biasedAttention, exactAttention, flatten, linear, plainLayerNorm, rmsNorm, rotary, silu } from '../nn.js';
import type { SwittiArchitecture } from './architecture.js';

// B batch rows · L tokens at hand · T text rows · C width · H heads · c head width

export const EPS = 1e-6;

/** What all blocks of one graph share. */
export interface SwittiSetting {
  readonly graph: GraphBuilder;
  readonly architecture: SwittiArchitecture;
  readonly angles: { readonly cos: Value; readonly sin: Value }; // (L, c/2)
  /** Additive mask of the text rows, `[B, 1, 1, T]`. */
  readonly textBias: Value;
}

interface Place {
  readonly index: number;
  readonly module: Module;
}

/**
 * A block of Switti (Voronov et al. 2024): root-mean-square norms before and after each part, queries and keys normalised over
 * their whole width, cross-attention to the text without a gate. `[B, L, C]` → `[B, L, C]`.
 */
export function swittiBlock(setting: SwittiSetting, index: number, x: Value): Value {
  const { graph, architecture } = setting;
  const { blocks, config } = architecture;
  const place = { index, module: new Module(graph, blocks[index]!) };
  const adaptive = graph.input(`ada_${index}`, ['B', 6, config.width]);
  const { gamma1, gamma2, scale1, scale2, shift1, shift2 } = modulationOf(graph, adaptive);
  const added = (before: Value, update: Value, norm: string) => {
    const tokens = graph.op('Reshape', [update, graph.op('Shape', [before])]);
    return rmsNorm(place.module.at(norm), tokens, EPS);
  };
  const normed = (value: Value, norm: string) => rmsNorm(place.module.at(norm), value, EPS);
  const attended = selfAttention(setting, place, modulate(graph, normed(x, 'self_attention_norm1'), { scale: scale1, shift: shift1 }));
  const first = graph.op('Add', [x, graph.op('Mul', [added(x, attended, 'self_attention_norm2'), gamma1])]);
  const told = crossAttention(setting, place, normed(first, 'cross_attention_norm1'));
  const second = graph.op('Add', [first, added(first, told, 'cross_attention_norm2')]);
  const fed = feedForward(
    place.module.at('ffn'),
    modulate(graph, normed(second, 'ffn_norm1'), { scale: scale2, shift: shift2 }),
    config.width,
  );
  return graph.op('Add', [second, graph.op('Mul', [added(second, fed, 'ffn_norm2'), gamma2])]);
}

/** `[B, L, C]` → flat rows. */
function selfAttention({ graph, architecture, angles }: SwittiSetting, { index, module }: Place, x: Value): Value {
  const { config, headWidth, cacheTypes, fusedAttention } = architecture;
  const { width, heads, autoregressive } = config;
  const attention = module.at('attn');
  const rows = linear(attention.at('to_qkv'), flatten(graph, x, width));
  const parts = graph.ops('Split', [rows], { attributes: { axis: 1, num_outputs: 3 }, outputs: 3 });
  const tokens = (part: Value) => graph.op('Reshape', [part, graph.op('Shape', [x])]);
  const [q = '', k = '', v = ''] = parts.map(tokens);
  const turned = (value: Value) => rotary(graph, plainLayerNorm(graph, value, { width, eps: EPS }), angles);
  const seen = (value: Value, name: string) => (autoregressive ? withPast(graph, value, { name, width, kept: cacheTypes[index]! }) : value);
  const inputs = {
    q: graph.op('Mul', [turned(q), graph.scalar(1 / Math.sqrt(headWidth))]),
    k: seen(turned(k), `k_${index}`),
    v: seen(v, `v_${index}`),
  };
  const mixed = exactAttention(graph, inputs, { fused: fusedAttention, count: heads, width: headWidth });
  return linear(attention.at('proj'), flatten(graph, mixed, width));
}

/** `[B, L, C]` → flat rows. Keys and values of the text come from the condition graph, keys scaled. */
function crossAttention({ graph, architecture, textBias }: SwittiSetting, { index, module }: Place, x: Value): Value {
  const { config, headWidth } = architecture;
  const { width, heads } = config;
  const attention = module.at('cross_attn');
  const rows = plainLayerNorm(graph, linear(attention.at('to_q'), flatten(graph, x, width)), { width, eps: EPS });
  const perHead = graph.op('Concat', [graph.op('Shape', [x], { start: 0, end: 2 }), graph.integers([heads, headWidth])], { axis: 0 });
  const q = graph.op('Transpose', [graph.op('Reshape', [rows, perHead])], { perm: [0, 2, 1, 3] }); // (B, H, L, c)
  const text = {
    q,
    kt: graph.input(`text_k_${index}`, ['B', heads, headWidth, 'T']),
    v: graph.input(`text_v_${index}`, ['B', heads, 'T', headWidth]),
  };
  const seen = graph.op('Transpose', [biasedAttention(graph, text, textBias)], { perm: [0, 2, 1, 3] }); // (B, L, H, c)
  return linear(attention.at('proj'), flatten(graph, seen, width));
}

/** SwiGLU without biases: `[B, L, C]` → flat rows. */
function feedForward(module: Module, x: Value, width: number): Value {
  const { graph } = module;
  const rows = flatten(graph, x, width);
  const gate = silu(graph, linear(module.at('gate_proj'), rows));
  return linear(module.at('down_proj'), graph.op('Mul', [gate, linear(module.at('up_proj'), rows)]));
}
