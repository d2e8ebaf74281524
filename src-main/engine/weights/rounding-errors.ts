import { chances } from '#base/chances.js';
import type { Precision } from '#contract/pack-card.js';
import { filesOf, STORED_BYTES, type Checkpoint, type StoredTensor } from './checkpoint.js';
import { halfToNumber, narrowToHalf, widen } from './floats.js';
import { allFinite, BLOCK, INT4_ZERO, quantiseInt4, quantiseInt8 } from './quantise.js';
import { WeightsFile } from './weights-file.js';
import { isLinear } from './write-weights.js';

// N outputs · K inputs of a linear layer · M tokens

/** By precision, the root mean square of what changes in the outputs of linear layers, of that of the outputs themselves. */
export type RoundingErrors = Readonly<Record<Precision, number>>;

/** So many layers are looked at, evenly through the file, */
const LAYERS = 12;
/** and of each so many outputs, */
const OUTPUTS = 16;
/** for so many tokens. */
const TOKENS = 64;

/**
 * What rounding does to the linear layers of a checkpoint, as far as that is known without running it: for inputs that are normally
 * distributed, and rounded as the runtime rounds them (to 8 bits over their whole range, at int4 over blocks of 32). Activations of a
 * trained network have wider tails, which the runtime's rounding follows; what it does to a picture is for eyes to judge.
 *
 * @param saturates whether this machine clips sums of 8-bit products (`productsSaturate`).
 * @returns undefined where no layer would be rounded.
 */
export function roundingErrors(checkpoint: Checkpoint, saturates: boolean): RoundingErrors | undefined {
  const linear = [...checkpoint.tensors.values()].filter((tensor) => !tensor.strides && isLinear(tensor, 'int4'));
  const step = Math.max(1, linear.length / LAYERS);
  const layers = Array.from({ length: Math.min(LAYERS, linear.length) }, (_, i) => linear[Math.floor((i + 0.5) * step)]!);
  const sums = layers.map((tensor) => sumsOf(tensor, readRows(checkpoint, tensor), saturates)).filter((sum) => sum !== undefined);
  if (sums.length === 0) return undefined;
  const share = (precision: Rounded) => {
    // Each layer counts alike, however large its outputs are.
    const shares = sums.map(({ errors, all }) => (all > 0 ? errors[precision] / all : 0));
    return Math.sqrt(shares.reduce((sum, value) => sum + value, 0) / shares.length);
  };
  return { float32: 0, half: share('half'), int8: share('int8'), int4: share('int4') };
}

type Rounded = Exclude<Precision, 'float32'>;

interface Sums {
  /** Of squares: outputs, and what rounding changes in them. */
  readonly all: number;
  readonly errors: Readonly<Record<Rounded, number>>;
}

/** `[n, K]`: neighbouring outputs from the middle of a layer. */
function readRows(checkpoint: Checkpoint, { file, dtype, shape, offsetBytes }: StoredTensor): Float32Array {
  const [outputs, inputs] = shape as [number, number];
  const count = Math.min(OUTPUTS, outputs);
  const rowBytes = inputs * STORED_BYTES[dtype];
  const identity = filesOf(checkpoint).find(({ path }) => path === file) ?? checkpoint.identity;
  const source = WeightsFile.openSync(identity);
  try {
    return widen(dtype, source.read(offsetBytes + Math.floor((outputs - count) / 2) * rowBytes, count * rowBytes)) ?? new Float32Array();
  } finally {
    source.close();
  }
}

/** Undefined where a weight is no number: the import itself says so. */
function sumsOf({ dtype, shape }: StoredTensor, weight: Float32Array, saturates: boolean): Sums | undefined {
  const inputs = shape[1]!;
  if (!allFinite(weight)) return undefined;
  const tokens = gaussian(TOKENS * inputs);
  const exact = products(tokens, weight, inputs);
  const changed = (made: Float64Array) => made.reduce((sum, value, i) => sum + (value - exact[i]!) ** 2, 0);
  return {
    all: exact.reduce((sum, value) => sum + value * value, 0),
    errors: {
      half: dtype === 'float16' || dtype === 'bfloat16' ? 0 : changed(products(tokens, halved(weight), inputs)),
      int8: changed(productsOfBytes(tokens, weight, { inputs, saturates })),
      int4: changed(products(inBlocks(tokens), fromInt4(weight), inputs)),
    },
  };
}

/** `[M, K]` by `[N, K]` → `[M, N]`. */
function products(tokens: Float32Array, weight: Float32Array, inputs: number): Float64Array {
  const [rows, outputs] = [tokens.length / inputs, weight.length / inputs];
  const result = new Float64Array(rows * outputs);
  for (let i = 0; i < result.length; i++) {
    const [from, of] = [Math.floor(i / outputs) * inputs, (i % outputs) * inputs];
    let sum = 0;
    for (let k = 0; k < inputs; k++) sum += tokens[from + k]! * weight[of + k]!;
    result[i] = sum;
  }
  return result;
}

function halved(weight: Float32Array): Float32Array {
  const halves = narrowToHalf(weight);
  // What is too large for a half is refused when it is written.
  return halves ? Float32Array.from(halves, halfToNumber) : weight;
}

function fromInt4(weight: Float32Array): Float32Array {
  const { values, scales } = quantiseInt4(weight);
  return weight.map((_, i) => (((values[i >> 1]! >> (i % 2 === 0 ? 0 : 4)) & 15) - INT4_ZERO) * scales[Math.floor(i / BLOCK)]!);
}

/** `[M, K]` by `[N, K]`, both rounded to 8 bits → `[M, N]`. Where that saturates, two neighbouring products are added in 16 bits. */
function productsOfBytes(
  tokens: Float32Array,
  weight: Float32Array,
  { inputs, saturates }: { inputs: number; saturates: boolean },
): Float64Array {
  const outputs = weight.length / inputs;
  const { values, scales } = quantiseInt8(weight, [outputs, inputs]);
  const whole = new Int8Array(values.buffer); // (K, N)
  const { bytes, scale, zero } = inEightBits(tokens);
  const result = new Float64Array((tokens.length / inputs) * outputs);
  for (let i = 0; i < result.length; i++) {
    const [from, output] = [Math.floor(i / outputs) * inputs, i % outputs];
    let [sum, weights] = [0, 0];
    for (let k = 0; k < inputs; k += 2) {
      const [a, b] = [whole[k * outputs + output]!, k + 1 < inputs ? whole[(k + 1) * outputs + output]! : 0];
      const pair = bytes[from + k]! * a + (b && bytes[from + k + 1]! * b);
      sum += saturates ? Math.min(32_767, Math.max(-32_768, pair)) : pair;
      weights += a + b;
    }
    result[i] = (sum - zero * weights) * scale * scales[output]!;
  }
  return result;
}

/** As DynamicQuantizeLinear does: 256 steps from the least to the largest value of all, of which one is zero. */
function inEightBits(values: Float32Array) {
  let [least, most] = [0, 0];
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  const scale = (most - least) / 255 || 1;
  const zero = Math.round(-least / scale);
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.min(255, Math.max(0, Math.round(values[i]! / scale) + zero));
  return { bytes, scale, zero };
}

/** As MatMulNBits does where it multiplies integers: each block of 32 by its own largest. */
function inBlocks(values: Float32Array): Float32Array {
  const result = new Float32Array(values.length);
  for (let first = 0; first < values.length; first += BLOCK) {
    const block = values.subarray(first, first + BLOCK);
    const scale = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127 || 1;
    result.set(
      block.map((value) => Math.round(value / scale) * scale),
      first,
    );
  }
  return result;
}

/** Normally distributed (Box, Muller 1958), the same at every call. */
function gaussian(count: number): Float32Array {
  const chance = chances(1);
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance()));
}
