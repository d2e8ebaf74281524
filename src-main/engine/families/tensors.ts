import type { Weights } from '#engine/weights/handle.js';

/** The numbered children. Children that are numbered with a gap start over at the gap: its first tensor is then missing. */
export function inOrder(parent: Weights): Weights[] {
  return parent.children().map((_, index) => parent.at(index));
}

/** Published tokenizers exist with and without a `.conv.` in the names. */
export function kernel(convolution: Weights): readonly number[] {
  return convolution.shape(convolution.has('conv') ? 'conv.weight' : 'weight');
}
