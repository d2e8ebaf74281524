import type { StoredType } from './checkpoint.js';

const HALF_VALUES = 65_536;
const HALF_MANTISSA = 1_024;
const HALF_SMALLEST = 2 ** -24;

/** Every half-precision number as a float32, indexed by its bits: 256 KiB, made on first use. */
let halfTable: Float32Array | undefined;

/** IEEE 754 binary16 bits as a number. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * HALF_SMALLEST;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1 + mantissa / HALF_MANTISSA) * 2 ** (exponent - 15);
}

/** Exact: every half-precision number is a float32. */
export function widenHalf(halves: Uint16Array): Float32Array {
  halfTable ??= Float32Array.from({ length: HALF_VALUES }, (_, bits) => halfToNumber(bits));
  const table = halfTable;
  const floats = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) floats[i] = table[halves[i]!]!;
  return floats;
}

/** Exact: a bfloat16 is the upper half of a float32. */
export function widenBfloat(brains: Uint16Array): Float32Array {
  const words = new Uint32Array(brains.length);
  for (let i = 0; i < brains.length; i++) words[i] = brains[i]! << 16;
  return new Float32Array(words.buffer);
}

/**
 * Stored little-endian bytes as float32; float64 is rounded. Undefined where the type holds no floats.
 * The result never shares memory with `bytes`.
 */
export function widen(dtype: StoredType, bytes: Uint8Array): Float32Array | undefined {
  const { buffer } = new Uint8Array(bytes); // a copy that starts at 0, so that every view fits
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer);
    case 'float16':
      return widenHalf(new Uint16Array(buffer));
    case 'bfloat16':
      return widenBfloat(new Uint16Array(buffer));
    case 'float64':
      return Float32Array.from(new Float64Array(buffer));
    default:
      return undefined;
  }
}
