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

const HALF_INFINITY = 0x7c00;
const HALF_NAN = 0x7e00;
/** Bits of the least float32 that rounds to infinity, of infinity, and of the least that is no subnormal half. */
const ROUNDS_TO_INFINITY = 0x477ff000;
const FLOAT_INFINITY = 0x7f800000;
const NORMAL_HALF = 0x38800000;
/** Between the two formats' exponents, in the place where float32 has its own. */
const BIAS_DIFFERENCE = 0x38000000;

/** To the nearest half, ties to even. Undefined where a finite value is too large for one. */
export function narrowToHalf(floats: Float32Array): Uint16Array | undefined {
  const words = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const halves = new Uint16Array(floats.length);
  for (let i = 0; i < words.length; i++) {
    const magnitude = words[i]! & 0x7fffffff;
    if (magnitude >= ROUNDS_TO_INFINITY && magnitude < FLOAT_INFINITY) return undefined;
    halves[i] = ((words[i]! >>> 16) & 0x8000) | halfOf(magnitude, floats[i]!);
  }
  return halves;
}

function halfOf(magnitude: number, value: number): number {
  if (magnitude >= FLOAT_INFINITY) return magnitude === FLOAT_INFINITY ? HALF_INFINITY : HALF_NAN;
  if (magnitude < NORMAL_HALF) return toEven(Math.abs(value) / HALF_SMALLEST);
  return (magnitude - BIAS_DIFFERENCE + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
}

function toEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
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
