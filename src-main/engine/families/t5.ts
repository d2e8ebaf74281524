import type { Weights } from '#engine/weights/handle.js';
import type { Network } from './network.js';

/** T5's encoder, or the part of it that lies in one of several files: no layer at all in the last of T5's own. */
export interface TextEncoderShape {
  readonly family: 't5-encoder';
  readonly depth: number;
  readonly width: number;
}

/** The encoder of text of more than one family (Raffel et al. 2020). */
export const t5Encoder: Network<TextEncoderShape> = { name: 't5-encoder', fits: isTextEncoder, read: textEncoder };

function isTextEncoder(weights: Weights): boolean {
  const blocks = weights.at('encoder', 'block');
  const [first] = blocks.children();
  return (first !== undefined && blocks.at(first, 'layer', 0).has('SelfAttention')) || isTextDecoder(weights);
}

/** Where T5 lies in several files, the last holds nothing but a part of its decoder. */
function isTextDecoder(weights: Weights): boolean {
  const blocks = weights.at('decoder', 'block');
  const [first] = blocks.children();
  return first !== undefined && blocks.at(first, 'layer', 0).has('SelfAttention');
}

function textEncoder(weights: Weights): TextEncoderShape {
  const encoder = weights.at('encoder', 'block').children();
  const blocks = weights.at(encoder.length > 0 ? 'encoder' : 'decoder', 'block');
  const width = blocks.at(blocks.children()[0] ?? 0, 'layer', 0).shape('SelfAttention.q.weight')[1] ?? 0;
  return { family: 't5-encoder', depth: encoder.length, width };
}
