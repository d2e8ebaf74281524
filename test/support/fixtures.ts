import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PNG } from 'pngjs';
import type { StoredType } from '#engine/weights/checkpoint.js';
import { widen } from '#engine/weights/floats.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

const DESCRIPTORS: Readonly<Record<string, StoredType>> = { '<f4': 'float32', '<f2': 'float16', '<f8': 'float64' };

/** Where the sets made by the reference implementations lie; `SCALEBRUSH_FIXTURES` names another folder. */
export function fixturesFolder(): string {
  return process.env['SCALEBRUSH_FIXTURES'] ?? '../shared/fixtures';
}

/** A folder of reference arrays, given by its path from the repository's root. */
export class Fixture {
  readonly folder: string;

  constructor(...folder: string[]) {
    this.folder = path.resolve(import.meta.dirname, '../..', ...folder);
  }

  get exists(): boolean {
    return existsSync(this.folder);
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  has(name: string): boolean {
    return existsSync(this.file(name));
  }

  json(name: string): unknown {
    return JSON.parse(readFileSync(this.file(name), 'utf8'));
  }

  /** A PNG's colours in 0..1, `[1, 3, H, W]`. */
  picture(name: string): FloatTensor {
    const { width, height, data } = PNG.sync.read(readFileSync(this.file(name)));
    const picture = floats([1, 3, height, width]);
    for (let pixel = 0; pixel < width * height; pixel++) {
      for (let channel = 0; channel < 3; channel++) picture.data[channel * width * height + pixel] = data[pixel * 4 + channel]! / 255;
    }
    return picture;
  }

  /** An .npy array as floats, whatever it was stored as. */
  array(name: string): FloatTensor {
    return parseNpy(readFileSync(this.file(name)));
  }
}

/** NumPy's format, versions 1 and 2, little endian; arrays in Fortran order are turned round. */
export function parseNpy(bytes: Buffer): FloatTensor {
  const wide = bytes.readUInt8(6) > 1;
  const start = wide ? 12 : 10;
  const length = wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', start, start + length);
  const descriptor = /'descr': '([^']+)'/u.exec(header)?.[1] ?? '';
  const dims = [...(/'shape': \(([^)]*)\)/u.exec(header)?.[1] ?? '').matchAll(/\d+/gu)].map(Number);
  const values = parseValues(bytes.subarray(start + length), descriptor);
  return floats(dims, header.includes("'fortran_order': True") ? rowMajor(values, dims) : values);
}

/** First axis fastest → last axis fastest. */
function rowMajor(values: Float32Array, dims: readonly number[]): Float32Array {
  const strides = dims.map((_, axis) => dims.slice(0, axis).reduce((product, dim) => product * dim, 1));
  return values.map((_, index) => {
    let rest = index;
    let position = 0;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      position += (rest % dims[axis]!) * strides[axis]!;
      rest = Math.floor(rest / dims[axis]!);
    }
    return values[position]!;
  });
}

function parseValues(bytes: Buffer, descriptor: string): Float32Array {
  const stored = DESCRIPTORS[descriptor];
  const values = stored && widen(stored, bytes);
  if (values) return values;
  if (descriptor === '|u1' || descriptor === '|b1') return Float32Array.from(bytes);
  const copy = Uint8Array.from(bytes).buffer;
  if (descriptor === '<i2') return Float32Array.from(new Int16Array(copy));
  if (descriptor === '<i4') return Float32Array.from(new Int32Array(copy));
  if (descriptor === '<i8') return Float32Array.from(new BigInt64Array(copy), Number);
  throw new Error(`Expected an array of numbers but received ${descriptor}.`);
}

/** Largest difference between two arrays of one length; NaN counts as infinitely far. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`Expected ${b.length} values but received ${a.length}.`);
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= most)) most = Number.isNaN(difference) ? Infinity : difference;
  }
  return most;
}
