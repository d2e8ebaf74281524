import { ExpectedError } from '#contract/errors.js';

import { filesOf, STORED_BYTES, type Checkpoint, type StoredTensor } from './checkpoint.js';
import { widen } from './floats.js';
import { NameIndex } from './name-index.js';
import { BLOCK } from './quantise.js';
import { refused, shown, shownShape } from './refusal.js';
import { inRowOrder } from './row-order.js';
import { WeightsFile } from './weights-file.js';

/**
 * The weights of one module of a network. Indexing goes one module deeper, so the code that builds a
 * layer names its parameters as the layer's own PyTorch code does and never assembles a path:
 *
 * ```ts
 * const block = weights.at('block_chunks', 0, 'module', 3);
 * const qkv = block.at('sa').stored('mat_qkv.weight'); // [3C, C]
 * ```
 */
export class Weights {
  readonly checkpoint: Checkpoint;
  /** Dotted path of this module; empty at the root. */
  readonly path: string;

  readonly #names: NameIndex;

  private constructor(checkpoint: Checkpoint, names: NameIndex, path: string) {
    this.checkpoint = checkpoint;
    this.#names = names;
    this.path = path;
  }

  static of(checkpoint: Checkpoint): Weights {
    return new Weights(checkpoint, new NameIndex(checkpoint.tensors.keys()), '');
  }

  /** The module below; it need not exist, whoever asks it for a tensor hears so. */
  at(...modules: readonly (string | number)[]): Weights {
    const path = modules.reduce<string>((parent, module) => join(parent, String(module)), this.path);
    return new Weights(this.checkpoint, this.#names, path);
  }

  /** Whether a tensor or a module of this name lies here. */
  has(name: string | number): boolean {
    const path = this.fullName(name);
    return this.checkpoint.tensors.has(path) || this.#names.hasPrefix(`${path}.`);
  }

  /** The dotted name under which the checkpoint knows `name`. */
  fullName(name: string | number): string {
    return join(this.path, String(name));
  }

  /**
   * Where the tensor lies in its file.
   *
   * @throws ExpectedError `weights.refused` naming the missing tensor in full.
   */
  stored(name: string): StoredTensor {
    const tensor = this.checkpoint.tensors.get(this.fullName(name));
    if (tensor === undefined) throw refused(`Expected tensor ${shown(this.fullName(name))} in ${this.#file()} but it is missing.`);
    return tensor;
  }

  /** The weights of a linear layer where they were stored as integers, `<name>.int8` or `<name>.int4`. */
  quantised(name: string): QuantisedTensor | undefined {
    for (const precision of ['int8', 'int4'] as const) {
      const values = this.checkpoint.tensors.get(this.fullName(`${name}.${precision}`));
      if (values) return { precision, values, scales: this.stored(`${name}.scales`) };
    }
    return undefined;
  }

  /** `[outputs, inputs]` for a linear layer, whatever it is stored as. */
  shape(name: string): readonly number[] {
    const quantised = this.quantised(name);
    return quantised ? quantisedShape(quantised) : this.stored(name).shape;
  }

  /**
   * The tensor, which must have exactly these dimensions.
   *
   * @throws ExpectedError `weights.refused` naming the misshapen tensor in full.
   */
  expectShape(name: string, dims: readonly number[]): void {
    const shape = this.shape(name);
    if (shape.length === dims.length && shape.every((dim, axis) => dim === dims[axis])) return;
    const [expected, received] = [shownShape(dims), shownShape(shape)];
    throw refused(`Expected ${expected} for ${shown(this.fullName(name))} in ${this.#file()} but received ${received}.`);
  }

  /** Names one step below; in counting order where all are numbers, else in the checkpoint's order. */
  children(): string[] {
    const prefix = join(this.path, '');
    const below = this.#names.withPrefix(prefix).map((name) => name.slice(prefix.length).split('.', 1)[0] ?? '');
    const children = [...new Set(below)];
    return children.every((name) => /^[0-9]+$/.test(name)) ? children.sort((a, b) => Number(a) - Number(b)) : children;
  }

  /**
   * Reads a tensor now, widened to float32 (float64 is rounded). For small tensors: large ones are mapped.
   *
   * @throws ExpectedError `weights.refused` (no floats), `weights.damaged` (NaN or infinity), `weights.changed`.
   */
  readFloats(name: string): Float32Array {
    const tensor = this.stored(name);
    const floats = widen(tensor.dtype, readStored(this.checkpoint, tensor));
    if (floats === undefined) throw refused(`Expected floats for ${shown(tensor.name)} in ${this.#file()} but received ${tensor.dtype}.`);
    if (!floats.every(Number.isFinite)) {
      throw new ExpectedError(
        'weights.damaged',
        `Expected finite weights in ${shown(tensor.name)} of ${this.#file()} but they are damaged.`,
      );
    }
    return floats;
  }

  #file(): string {
    return shown(this.checkpoint.identity.path.split(/[\\/]/).at(-1) ?? '');
  }
}

/** Integers and what one step of them is worth. */
export interface QuantisedTensor {
  readonly precision: 'int8' | 'int4';
  /** int8 `[inputs, outputs]`, or int4 `[outputs, inputs / 32, 16]` */
  readonly values: StoredTensor;
  /** `[outputs]`, or `[outputs, inputs / 32]` */
  readonly scales: StoredTensor;
}

function quantisedShape({ precision, values: { shape } }: QuantisedTensor): readonly number[] {
  const [first = 0, second = 0] = shape;
  return precision === 'int8' ? [second, first] : [first, second * BLOCK];
}

/** The bytes of one tensor, row by row, from the very file that was opened. */
export function readStored(checkpoint: Checkpoint, tensor: StoredTensor): Buffer {
  const identity = filesOf(checkpoint).find(({ path }) => path === tensor.file);
  const file = WeightsFile.openSync(identity ?? checkpoint.identity);
  try {
    return orderedBytes(tensor, file);
  } finally {
    file.close();
  }
}

/** The bytes of a tensor in an open file, row by row however they lie there. */
export function orderedBytes({ dtype, shape, strides, offsetBytes, lengthBytes }: StoredTensor, file: WeightsFile): Buffer {
  const stored = file.read(offsetBytes, lengthBytes);
  return strides ? inRowOrder(stored, { shape, strides, elementBytes: STORED_BYTES[dtype] }) : stored;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
