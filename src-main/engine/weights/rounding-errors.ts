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
 * @returns undefined where no layer would be rounded.
 */
export function roundingErrors(checkpoint: Checkpoint): RoundingErrors | undefined {
  const linear = [...checkpoint.tensors.values()].filter((tensor) => !tensor.strides && isLinear(tensor, 'int4'));
  const step = Math.max(1, linear.length / LAYERS);
  const layers = Array.from({ length: Math.min(LAYERS, linear.length) }, (_, i) => linear[Math.floor((i + 0.5) * step)]!);
  const sums = layers.map((tensor) => sumsOf(tensor, readRows(checkpoint, tensor))).filter((sum) => sum !== undefined);
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
function sumsOf({ dtype, shape }: StoredTensor, weight: Float32Array): Sums | undefined {
  const inputs = shape[1]!;
  if (!allFinite(weight)) return undefined;
  const tokens = gaussian(TOKENS * inputs);
  const exact = products(tokens, weight, inputs);
  const changed = (rounded: Float32Array, seen: Float32Array) =>
    products(seen, rounded, inputs).reduce((sum, value, i) => sum + (value - exact[i]!) ** 2, 0);
  return {
    all: exact.reduce((sum, value) => sum + value * value, 0),
    errors: {
      half: dtype === 'float16' || dtype === 'bfloat16' ? 0 : changed(halved(weight), tokens),
      int8: changed(fromInt8(weight, inputs), inEightBits(tokens)),
      int4: changed(fromInt4(weight), inBlocks(tokens)),
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

function fromInt8(weight: Float32Array, inputs: number): Float32Array {
  const outputs = weight.length / inputs;
  const { values, scales } = quantiseInt8(weight, [outputs, inputs]);
  const whole = new Int8Array(values.buffer); // (K, N)
  return weight.map((_, i) => whole[(i % inputs) * outputs + Math.floor(i / inputs)]! * scales[Math.floor(i / inputs)]!);
}

function fromInt4(weight: Float32Array): Float32Array {
  const { values, scales } = quantiseInt4(weight);
  return weight.map((_, i) => (((values[i >> 1]! >> (i % 2 === 0 ? 0 : 4)) & 15) - INT4_ZERO) * scales[Math.floor(i / BLOCK)]!);
}

/** As DynamicQuantizeLinear does: 256 steps from the least to the largest value of all, of which one is zero. */
function inEightBits(values: Float32Array): Float32Array {
  let [least, most] = [0, 0];
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  const scale = (most - least) / 255 || 1;
  const zero = Math.round(-least / scale);
  return values.map((value) => (Math.min(255, Math.max(0, Math.round(value / scale) + zero)) - zero) * scale);
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
