// N outputs · K inputs of a linear layer

/** Largest magnitude of an int8 weight: symmetric, so that zero stays zero. */
const INT8_MAX = 127;
/** Weights of one int4 block, along the inputs. */
export const BLOCK = 32;
export const INT4_ZERO = 8;

export interface Quantised {
  readonly values: Uint8Array;
  readonly scales: Float32Array;
}

/** Whether there is neither NaN nor infinity among them: rounding would turn these into numbers. */
export function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (const value of values) sum += value * 0;
  return sum === 0;
}

/** Rows that are turned at once: as many cache lines as stay at hand. */
const TURNED_ROWS = 64;

/** One scale per output: `[N, K]` → int8 `[K, N]`, as DynamicQuantizeMatMul takes it, and scales `[N]`. */
export function quantiseInt8(weight: Float32Array, [outputs, inputs]: readonly [number, number]): Quantised {
  const values = new Int8Array(weight.length);
  const scales = new Float32Array(outputs);
  for (let n = 0; n < outputs; n++) scales[n] = Math.abs(extreme(weight, n * inputs, inputs)) / INT8_MAX || 1;
  for (let first = 0; first < outputs; first += TURNED_ROWS) {
    const end = Math.min(outputs, first + TURNED_ROWS);
    for (let k = 0; k < inputs; k++) {
      for (let n = first; n < end; n++) values[k * outputs + n] = Math.round(weight[n * inputs + k]! / scales[n]!);
    }
  }
  return { values: new Uint8Array(values.buffer), scales };
}

/** One scale per 32 inputs of an output: `[N, K]` → int4 `[N, K/32, 16]`, low half first, zero at 8, as MatMulNBits takes it. */
export function quantiseInt4(weight: Float32Array): Quantised {
  const values = new Uint8Array(weight.length / 2);
  const scales = new Float32Array(weight.length / BLOCK);
  for (let block = 0; block < scales.length; block++) {
    // The value farthest from zero becomes −8, the one end that reaches farther.
    const scale = extreme(weight, block * BLOCK, BLOCK) / -INT4_ZERO || 1;
    scales[block] = scale;
    for (let i = block * BLOCK; i < (block + 1) * BLOCK; i += 2) {
      values[i >> 1] = int4Of(weight[i]! / scale) | (int4Of(weight[i + 1]! / scale) << 4);
    }
  }
  return { values, scales };
}

function int4Of(value: number): number {
  return Math.min(15, Math.max(0, Math.round(value) + INT4_ZERO));
}

/** The value farthest from zero, of `count` from `first` on. */
function extreme(values: Float32Array, first: number, count: number): number {
  let farthest = 0;
  for (let i = first; i < first + count; i++) if (Math.abs(values[i]!) > Math.abs(farthest)) farthest = values[i]!;
  return farthest;
}
