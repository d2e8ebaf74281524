import path from 'node:path';
import { invariant } from '#base/assert.js';
import { ExpectedError } from '#contract/errors.js';
import type { GraphModel } from '#engine/tensor/runner.js';
import { elementCount } from '#engine/tensor/tensor.js';
import {
  DATA_TYPES,
  encodeModel,
  type Attributes,
  type Dim,
  type GraphContent,
  type GraphNode,
  type GraphPort,
  type GraphType,
  type Initializer,
  type StoredGraphType,
} from './onnx-format.js';

/** The name of an edge of the graph. */
export type Value = string;

/** Stands for an optional input that is left out. */
export const ABSENT: Value = '';

/** A tensor that stays in its file. */
export interface MappedTensor {
  readonly name: string;
  readonly dtype?: StoredGraphType;
  readonly dims: readonly number[];
  readonly file: string; // absolute
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

interface Operation {
  readonly attributes?: Attributes;
  /** How many results the operator gives. */
  readonly outputs?: number;
}

/** A protocol-buffer message cannot be larger. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/**
 * Writes an ONNX graph (opset 21 and `com.microsoft` 1) operator by operator. Operators outside the
 * standard set are named with their domain: `com.microsoft.FastGelu`. All mapped tensors of one graph
 * must lie in the same folder; several files are fine.
 */
export class GraphBuilder {
  readonly name: string;
  readonly #nodes: GraphNode[] = [];
  readonly #initializers = new Map<Value, Initializer>();
  readonly #inputs: GraphPort[] = [];
  readonly #outputs: (GraphPort & { readonly value: Value })[] = [];
  /** Types of computed values that are not float32. */
  readonly #types = new Map<Value, GraphType>();
  readonly #onDevice: string[] = [];
  #folder: string | undefined;

  constructor(name: string) {
    this.name = name;
  }

  input(name: string, dims: readonly Dim[], dtype: GraphType = 'float32'): Value {
    this.#inputs.push({ name, dims, dtype });
    return name;
  }

  /** Gives `value` to the outside under `name`, without a copy. Each value at most once, and never an input. */
  output(name: string, value: Value, dims: readonly Dim[]): void {
    invariant(!this.#outputs.some((output) => output.value === value), `Expected "${value}" to be given out once.`);
    invariant(!this.#inputs.some((input) => input.name === value), `Expected a computed value for "${name}" but received an input.`);
    this.#outputs.push({ name, value, dims, dtype: this.#types.get(value) ?? 'float32' });
  }

  /** The same, and it stays in the device's memory. */
  deviceOutput(name: string, value: Value, dims: readonly Dim[]): void {
    this.output(name, value, dims);
    this.#onDevice.push(name);
  }

  /** `value` as another type; itself where it is of that type. */
  cast(value: Value, { from, to }: { from: GraphType; to: GraphType }): Value {
    if (from === to) return value;
    return this.typed(this.op('Cast', [value], { to: DATA_TYPES[to] }), to);
  }

  /** `value`, a result that is of this type. */
  typed(value: Value, dtype: GraphType): Value {
    if (dtype !== 'float32') this.#types.set(value, dtype);
    return value;
  }

  /** The single result of an operator. */
  op(operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.ops(operator, inputs, { attributes })[0]!;
  }

  /** All results of an operator. */
  ops(operator: string, inputs: readonly Value[], { attributes = {}, outputs = 1 }: Operation = {}): Value[] {
    const split = operator.lastIndexOf('.');
    const results = Array.from({ length: outputs }, (_, i) => `${operator.slice(split + 1)}_${this.#nodes.length}_${i}`);
    this.#nodes.push({
      operator: operator.slice(split + 1),
      domain: operator.slice(0, Math.max(0, split)),
      inputs,
      outputs: results,
      attributes,
    });
    return results;
  }

  /** A named tensor inside the graph; the first of a name counts. */
  inline(name: string, dims: readonly number[], data: Float32Array): Value {
    invariant(data.length === elementCount(dims), `Expected ${elementCount(dims)} values for "${name}" but received ${data.length}.`);
    return this.#initialize({ name, dtype: 'float32', dims, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
  }

  /** A tensor that the runtime maps from its file; the first of a name counts. */
  mapped({ name, dtype = 'float32', dims, file, offsetBytes, lengthBytes }: MappedTensor): Value {
    const folder = path.dirname(file);
    this.#folder ??= folder;
    invariant(folder === this.#folder, `Expected all weights of "${this.name}" in ${this.#folder} but received ${file}.`);
    return this.#initialize({ name, dtype, dims, location: path.basename(file), offsetBytes, lengthBytes });
  }

  scalar(value: number): Value {
    return this.inline(`scalar ${value}`, [], Float32Array.of(value));
  }

  /** `count` times the same number. */
  filled(value: number, count: number): Value {
    return this.inline(`${count} times ${value}`, [count], new Float32Array(count).fill(value));
  }

  integers(values: readonly number[]): Value {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#initialize({ name: `integers ${values.join(' ')}`, dtype: 'int64', dims: [values.length], bytes });
  }

  /** @throws ExpectedError `memory.too-little` where the inlined weights pass the format's limit of 2 GiB. */
  finish(): GraphModel {
    const message = encodeModel(this.#content());
    if (message.lengthBytes > MAX_MODEL_BYTES) {
      throw new ExpectedError(
        'memory.too-little',
        `Expected at most 2 GiB of converted weights for "${this.name}" but received ${message.lengthBytes} bytes; convert the file to float32 first.`,
      );
    }
    return {
      name: this.name,
      bytes: message.finish(),
      ...(this.#folder !== undefined && { externalFolder: this.#folder }),
      ...(this.#onDevice.length > 0 && { onDevice: this.#onDevice }),
    };
  }

  #initialize(initializer: Initializer): Value {
    if (!this.#initializers.has(initializer.name)) this.#initializers.set(initializer.name, initializer);
    return initializer.name;
  }

  #content(): GraphContent {
    const publicNames = new Map(this.#outputs.map(({ value, name }) => [value, name]));
    const rename = (value: Value): Value => publicNames.get(value) ?? value;
    return {
      name: this.name,
      nodes: this.#nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) })),
      initializers: [...this.#initializers.values()],
      inputs: this.#inputs,
      outputs: this.#outputs,
    };
  }
}
