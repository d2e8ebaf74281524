import { ExpectedError } from '#contract/errors.js';

export interface ElementArrays {
  float32: Float32Array;
  /** As bits: Node 20 has no array of halves. */
  float16: Uint16Array;
  int64: BigInt64Array;
  int32: Int32Array;
  uint8: Uint8Array;
}
export type DType = keyof ElementArrays;

/** A dense row-major array: `data.length` is the product of `dims`. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly dims: readonly number[];
  readonly data: ElementArrays[D];
}

export type FloatTensor = Tensor<'float32'>;

/** What a run left in the memory of its device: an input for later runs there until it is disposed of. Nobody else sees its numbers. */
export interface DeviceTensor {
  readonly location: 'device';
  readonly dtype: DType;
  readonly dims: readonly number[];
  dispose(): void;
}

export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A float tensor over `data` (zeros when absent). */
export function floats(dims: readonly number[], data?: Float32Array): FloatTensor {
  const length = elementCount(dims);
  const values = data ?? new Float32Array(length);
  if (values.length !== length) {
    throw new Error(`Expected ${String(length)} values for [${dims.join(', ')}] but received ${String(values.length)}.`);
  }
  return { dtype: 'float32', dims, data: values };
}

export function int64s(dims: readonly number[], values: readonly number[]): Tensor<'int64'> {
  return { dtype: 'int64', dims, data: BigInt64Array.from(values, BigInt) };
}

/** `data` of a tensor that must hold floats. */
export function floatData(tensor: Tensor): Float32Array {
  if (tensor.dtype !== 'float32') throw new Error(`Expected float32 but received ${tensor.dtype}.`);
  return tensor.data as Float32Array;
}

/**
 * The tensor itself.
 *
 * @param what it is, for the complaint.
 * @throws ExpectedError `weights.damaged` where a network gave NaN or infinity.
 */
export function expectFinite(tensor: FloatTensor, what: string): FloatTensor {
  // NaN and infinities make the sum NaN, everything else leaves it 0.
  let sum = 0;
  // An iterator takes five times as long over a picture.
  for (let i = tensor.data.length - 1; i >= 0; i--) sum += tensor.data[i]! * 0;
  if (sum === 0) return tensor;
  throw new ExpectedError('weights.damaged', `Expected finite ${what} but received NaN or infinity: the weights are damaged.`);
}

/** The values of all parts, one after the other. */
export function joinedFloats(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return whole;
}
