import type { FloatTensor } from '../tensor/tensor.js';
import { ScaleGenerator } from './generator.js';
import type { ScaleBits } from './quantiser.js';

// B rows (0 with the instruction, 1 without) · l tokens · D bits per token

export interface BitSampling {
  /** Classifier-free guidance on logits; 1 = none. */
  readonly guidance: number;
  /** 0 = arg-max. */
  readonly temperature: number;
  /** Of each bit's two values, the one less likely than 1 − topP is never drawn. */
  readonly topP: number;
  readonly seed: number;
}

/** guidance·conditional + (1 − guidance)·unconditional, `l · D` values. */
export function guide(logits: FloatTensor, guidance: number): Float32Array {
  const [rows = 1] = logits.dims;
  const size = logits.data.length / rows;
  const conditional = logits.data.subarray(0, size);
  if (rows === 1 || guidance === 1) return conditional;
  const unconditional = logits.data.subarray(size, 2 * size);
  return conditional.map((value, i) => guidance * value + (1 - guidance) * unconditional[i]!);
}

/** Draws every bit of one scale from its guided logits (logit(1) − logit(0)); ties give 0. */
export function drawBits(guided: Float32Array, sampling: BitSampling, scale: number): ScaleBits {
  if (sampling.temperature === 0) return Uint8Array.from(guided, (value) => (value > 0 ? 1 : 0));
  const random = new ScaleGenerator(sampling.seed, scale);
  return Uint8Array.from(guided, (value) => {
    const probability = nucleus(1 / (1 + Math.exp(-value / sampling.temperature)), sampling.topP);
    return random.next() < probability ? 1 : 0;
  });
}

function nucleus(probability: number, topP: number): number {
  if (probability < 1 - topP && probability < 0.5) return 0;
  return 1 - probability < 1 - topP && probability > 0.5 ? 1 : probability;
}
