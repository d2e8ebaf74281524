// N outputs · K inputs of a linear layer

/** Largest magnitude of an int8 weight: symmetric, so that zero stays zero. */
const INT8_MAX = 127;
/** Weights of one int4 block, along the inputs. */
export const BLOCK = 32;
const INT4_ZERO = 8;

export interface Quantised {
  readonly values: Uint8Array;
  readonly scales: Float32Array;
}

/** One scale per output: `[N, K]` → int8 `[K, N]`, as DynamicQuantizeMatMul takes it, and scales `[N]`. */
export function quantiseInt8(weight: Float32Array, [outputs, inputs]: readonly [number, number]): Quantised {
  const values = new Int8Array(weight.length);
  const scales = new Float32Array(outputs);
  for (let n = 0; n < outputs; n++) {
    const row = weight.subarray(n * inputs, (n + 1) * inputs);
    const scale = largest(row) / INT8_MAX || 1;
    scales[n] = scale;
    for (let k = 0; k < inputs; k++) values[k * outputs + n] = Math.round(row[k]! / scale);
  }
  return { values: new Uint8Array(values.buffer), scales };
}

/** One scale per 32 inputs of an output: `[N, K]` → int4 `[N, K/32, 16]`, low half first, zero at 8, as MatMulNBits takes it. */
export function quantiseInt4(weight: Float32Array): Quantised {
  const blocks = weight.length / BLOCK;
  const values = new Uint8Array(weight.length / 2);
  const scales = new Float32Array(blocks);
  for (let block = 0; block < blocks; block++) {
    const row = weight.subarray(block * BLOCK, (block + 1) * BLOCK);
    // The value farthest from zero becomes −8, the one end that reaches farther.
    const scale = extreme(row) / -INT4_ZERO || 1;
    scales[block] = scale;
    for (let i = 0; i < BLOCK; i++) {
      const level = Math.min(15, Math.max(0, Math.round(row[i]! / scale) + INT4_ZERO));
      values[(block * BLOCK + i) >> 1]! |= level << (4 * (i & 1));
    }
  }
  return { values, scales };
}

function extreme(values: Float32Array): number {
  let farthest = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(farthest)) farthest = value;
  return farthest;
}

function largest(values: Float32Array): number {
  return Math.abs(extreme(values));
}
