import { ExpectedError } from '#contract/errors.js';
import type { GraphBuilder, Value } from '#engine/graph/builder.js';
import { elementCount } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';

/** Below this a tensor is copied into the graph: a mapping of its own would cost more. */
const INLINE_BYTES = 1024;
/**
 * A smaller weight in halves is widened when its graph is opened: widening it in every pass takes longer, for little memory,
 * and not every device has halves.
 */
const MAPPED_HALF_BYTES = 1024 * 1024;
const FLOAT_BYTES = 4;
const HALF_BYTES = 2;

/**
 * A module of a network while its graph is being written: its own weights and the graph they go into.
 * Indexing goes one module deeper, as in the PyTorch code that trained them.
 */
export class Module {
  readonly graph: GraphBuilder;
  readonly weights: Weights;

  constructor(graph: GraphBuilder, weights: Weights) {
    this.graph = graph;
    this.weights = weights;
  }

  at(...modules: readonly (string | number)[]): Module {
    return new Module(this.graph, this.weights.at(...modules));
  }

  has(name: string): boolean {
    return this.weights.has(name);
  }

  shape(name: string): readonly number[] {
    return this.weights.shape(name);
  }

  floats(name: string): Float32Array {
    return this.weights.readFloats(name);
  }

  /**
   * A weight as it lies in the checkpoint: mapped where it is float32, else widened into the graph.
   *
   * @param dims another shape of as many elements.
   */
  parameter(name: string, dims: readonly number[] = this.shape(name)): Value {
    const { dtype, file, offsetBytes, lengthBytes, strides } = this.weights.stored(name);
    const label = `${this.weights.fullName(name)} ${dims.join('x')}`;
    this.#assertFits(name, dims);
    const mappable = !strides && dtype === 'float32' && lengthBytes >= INLINE_BYTES && offsetBytes % FLOAT_BYTES === 0;
    if (mappable) return this.graph.mapped({ name: label, dims, file, offsetBytes, lengthBytes });
    return this.graph.inline(label, dims, this.floats(name));
  }

  /** The weights of a linear layer where they are stored in half precision, can be mapped and are large enough for it. */
  half(name: string): Value | undefined {
    const { name: label, dtype, shape: dims, file, offsetBytes, lengthBytes, strides } = this.weights.stored(name);
    const isHalf = dtype === 'float16' || dtype === 'bfloat16';
    const mappable = isHalf && !strides && lengthBytes >= MAPPED_HALF_BYTES && offsetBytes % HALF_BYTES === 0;
    return mappable ? this.graph.mapped({ name: label, dtype, dims, file, offsetBytes, lengthBytes }) : undefined;
  }

  /** The weights of a linear layer where they are stored as integers. */
  quantised(name: string): { readonly precision: 'int8' | 'int4'; readonly values: Value; readonly scales: Value } | undefined {
    const quantised = this.weights.quantised(name);
    if (!quantised) return undefined;
    const { precision, values, scales } = quantised;
    const dtype = precision === 'int8' ? 'int8' : 'uint8';
    const { shape: dims, file, offsetBytes, lengthBytes } = values;
    return {
      precision,
      values: this.graph.mapped({ name: values.name, dtype, dims, file, offsetBytes, lengthBytes }),
      scales: this.graph.mapped({ ...scales, dtype: 'float32', dims: [elementCount(scales.shape)] }),
    };
  }

  /** A tensor that was computed from this module's weights. */
  derived(name: string, dims: readonly number[], data: Float32Array): Value {
    return this.graph.inline(`${this.weights.fullName(name)} derived`, dims, data);
  }

  #assertFits(name: string, dims: readonly number[]): void {
    const shape = this.shape(name);
    if (elementCount(shape) === elementCount(dims)) return;
    const [expected, received] = [dims.join(', '), shape.join(', ')];
    throw new ExpectedError('weights.refused', `Expected [${expected}] for "${this.weights.fullName(name)}" but received [${received}].`);
  }
}
