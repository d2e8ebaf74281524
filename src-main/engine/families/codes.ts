import type { Grid } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import { Codebook } from '#engine/sampling/codebook.js';
import { VectorQuantiser } from '#engine/sampling/vector-quantiser.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';

/** VAR's tokenizer, or LlamaGen's. */
export interface VectorTokenizerShape<F extends 'vector-tokenizer' | 'raster-tokenizer'> {
  readonly family: F;
  /** Resolution levels: a token stands for 2^(depth − 1) pixels per side. */
  readonly depth: number;
  readonly width: number;
  readonly codeWidth: number;
  readonly entries: number;
}

/** The codebook and φ of a published VAR tokenizer. */
export function vectorQuantiser(schedule: readonly Grid[], weights: Weights): VectorQuantiser {
  const filters = weights.at('quant_resi', 'qresi_ls');
  return new VectorQuantiser({
    schedule,
    codebook: new Codebook(codesIn(weights)),
    filters: filters.children().map((name) => ({
      weight: filters.at(name).readFloats('weight'),
      bias: filters.at(name).readFloats('bias'),
    })),
  });
}

/** The codes of a vector-quantised tokenizer, `[V, d]`. */
export function codesIn(weights: Weights): FloatTensor {
  return floats(weights.shape('embedding.weight'), weights.readFloats('embedding.weight'));
}

/** A transformer that reads indices says nothing of the codes' width. */
export function expectOneCodebook(
  transformer: { entries: number; codeWidth?: number },
  tokenizer: { entries: number; codeWidth: number },
): void {
  const { entries, codeWidth = tokenizer.codeWidth } = transformer;
  if (entries === tokenizer.entries && codeWidth === tokenizer.codeWidth) return;
  throw new ExpectedError(
    'weights.refused',
    `Expected a tokenizer of ${entries} codes with ${codeWidth} channels but received ${tokenizer.entries} with ${tokenizer.codeWidth}.`,
  );
}
