import type { Weights } from '#engine/weights/handle.js';

/** The numbered children. Children that are numbered with a gap start over at the gap: its first tensor is then missing. */
export function inOrder(parent: Weights): Weights[] {
  return parent.children().map((_, index) => parent.at(index));
}

/** Whether a tokenizer has a codebook: what lies around one tells, where the codes themselves are missing, too. */
export function hasCodebook(weights: Weights): boolean {
  return ['quantize.embedding', 'quantize.quant_resi', 'post_quant_conv'].some((name) => weights.has(name));
}

/** The module itself, or the one that some published tokenizers wrap every convolution and norm in. */
export function inner(module: Weights, infix: 'conv' | 'norm'): Weights {
  return module.has(`${infix}.weight`) || module.has(`${infix}.bias`) ? module.at(infix) : module;
}

/** Shape of a convolution's weights, wrapped or not. */
export function kernel(convolution: Weights): readonly number[] {
  return inner(convolution, 'conv').shape('weight');
}
