import type { Grid } from '#base/geometry.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';

// d channels per tokenizer cell · G finest tokenizer grid · l tokens of a scale · n values per token · K scales

/** Tokens of one scale, `l · n` values: bits 0 or 1, or indices into a codebook. */
export type ScaleTokens = Uint8Array | Uint16Array;

/** How tokens are drawn from logits. */
export interface DrawOptions {
  /** 0 = arg-max. */
  readonly temperature: number;
  /** Of the possible values, those beyond this share of the probability are never drawn; 1 = no limit. */
  readonly topP: number;
  /** Draw from this many of the likeliest values; 0 = no limit. Of a bit's two values always both. */
  readonly topK: number;
  readonly seed: number;
  /** Also where the quantiser would take the likeliest, whatever the temperature. */
  readonly byChance?: boolean;
}

/** A picture as residual tokens, coarse to fine: the sum of all scales' codes, each brought to the finest grid. */
export interface Quantiser {
  /** Token grids, coarse to fine. */
  readonly schedule: readonly Grid[];
  /** Tokenizer cells per token and axis. */
  readonly patch: number;
  readonly scales: number;
  readonly finest: Grid;
  readonly valuesPerToken: number; // n
  /** Codebook entries where a token is an index; absent where it is bits. */
  readonly entries?: number;
  tokens(k: number): number;
  /** No codes yet: zeros `[d, G]`. */
  emptySum(): FloatTensor;
  /** Area-downsamples `[c, G]` to scale k's cells. */
  down(map: FloatTensor, k: number): FloatTensor;
  /** `sum` plus the codes of scale k: `[d, G]`. */
  add(sum: FloatTensor, tokens: ScaleTokens, k: number): FloatTensor;
  /** What scale k (≥ 1) reads: the running sum at its resolution, token by token, `[l, d·patch²]`. */
  nextInput(sum: FloatTensor, k: number): FloatTensor;
  /** The tokens that bring `sum` closest to `features` at scale k. */
  quantise(features: FloatTensor, sum: FloatTensor, k: number): ScaleTokens;
  /** Tokens from guided logits, `l` rows of them. */
  draw(guided: Float32Array, options: DrawOptions, scale: number): ScaleTokens;
  /**
   * How sure each token is among those that might have been drawn: the logarithm of its probability, `[l]`; −∞ where it could
   * not have been. Absent where single tokens of a step cannot be drawn anew.
   */
  certainty?(guided: Float32Array, tokens: ScaleTokens, options: DrawOptions): Float32Array;
  /** One value per value of scale k: 1 where the source is kept. @param mask share to be repainted, `[1, G]` */
  kept(mask: FloatTensor, k: number): Uint8Array;
}

/** What is still missing at scale k: `features − sum`, area-downsampled, `[d, h, w]`. */
export function residualAt(
  quantiser: Pick<Quantiser, 'down'>,
  { features, sum, k }: { features: FloatTensor; sum: FloatTensor; k: number },
): FloatTensor {
  const missing = new Float32Array(features.data.length);
  for (let i = 0; i < missing.length; i++) missing[i] = features.data[i]! - sum.data[i]!;
  return quantiser.down({ ...features, data: missing }, k);
}

/** Continuous features `[d, G]` → the tokens of every scale and their sum. */
export function encodeTokens(
  quantiser: Quantiser,
  features: FloatTensor,
): { readonly tokens: readonly ScaleTokens[]; readonly sum: FloatTensor } {
  const tokens: ScaleTokens[] = [];
  let sum = quantiser.emptySum();
  for (let k = 0; k < quantiser.scales; k++) {
    const scale = quantiser.quantise(features, sum, k);
    tokens.push(scale);
    sum = quantiser.add(sum, scale, k);
  }
  return { tokens, sum };
}

/** The sum of the first scales' codes: `[d, G]`. */
export function sumOfTokens(quantiser: Quantiser, tokens: readonly ScaleTokens[]): FloatTensor {
  return tokens.reduce((sum, scale, k) => quantiser.add(sum, scale, k), quantiser.emptySum());
}

/** Takes the source's values where they are kept and the drawn ones elsewhere. */
export function mergeTokens(drawn: ScaleTokens, source: ScaleTokens, kept: Uint8Array): ScaleTokens {
  return drawn.map((value, i) => (kept[i] ? source[i]! : value));
}
