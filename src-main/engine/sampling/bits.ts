import { ScaleGenerator } from './generator.js';
import type { DrawOptions } from './quantiser.js';

/** Bits of one scale, token by token: `l · D` values 0 or 1. */
export type ScaleBits = Uint8Array;

/** 1 where a value is above 0. */
export function signBits(values: Float32Array): ScaleBits {
  // `from` with a function takes sixteen times as long.
  const bits = new Uint8Array(values.length);
  for (let i = 0; i < bits.length; i++) bits[i] = values[i]! > 0 ? 1 : 0;
  return bits;
}

/** Draws every bit of one scale from its guided logits (logit(1) − logit(0)); ties give 0. */
export function drawBits(guided: Float32Array, sampling: DrawOptions, scale: number): ScaleBits {
  if (sampling.temperature === 0) return signBits(guided);
  const random = new ScaleGenerator(sampling.seed, scale);
  return Uint8Array.from(guided, (value) => {
    const probability = nucleus(1 / (1 + Math.exp(-value / sampling.temperature)), sampling.topP);
    return random.next() < probability ? 1 : 0;
  });
}

/**
 * How sure every token of `size` bits is, `[l]`: the logarithm of its probability among what might have been drawn, that of
 * all its bits together. At temperature 0 as at 1.
 */
export function certaintyOfBits(
  guided: Float32Array,
  bits: ArrayLike<number>,
  { size, temperature, topP }: Pick<DrawOptions, 'temperature' | 'topP'> & { readonly size: number },
): Float32Array {
  const certainty = new Float32Array(bits.length / size);
  guided.forEach((value, i) => {
    const probability = nucleus(1 / (1 + Math.exp(-value / (temperature || 1))), topP);
    certainty[Math.floor(i / size)]! += Math.log(bits[i] ? probability : 1 - probability);
  });
  return certainty;
}

function nucleus(probability: number, topP: number): number {
  if (probability < 1 - topP && probability < 0.5) return 0;
  return 1 - probability < 1 - topP && probability > 0.5 ? 1 : probability;
}
