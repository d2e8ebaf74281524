import { elementCount, type Tensor } from './tensor.js';

/** A finished ONNX graph. Initializers may lie in files of `externalFolder`, named by plain base names. */
export interface GraphModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly externalFolder?: string;
}

export type Feeds = Readonly<Record<string, Tensor>>;

/** An opened graph. */
export interface GraphSession {
  /**
   * Runs the graph once. Tensors in `into` are written in place (preallocated outputs) and are
   * returned under their names too; every other output is fresh.
   *
   * @param only the outputs that are wanted besides `into`; absent = all of them. What nobody asks for is never copied out.
   */
  run(feeds: Feeds, into?: Feeds, only?: readonly string[]): Promise<Readonly<Record<string, Tensor>>>;
  release(): Promise<void>;
}

/** The port through which networks compute. `runtime` implements it with ONNX Runtime; tests with fakes. */
export interface Runner {
  readonly provider: string;
  /** Whether its fused attention operator agrees with the separate steps to float32. */
  readonly fusedAttention: boolean;
  open(graph: GraphModel): Promise<GraphSession>;
}

/** The output called `name`, or a bug. */
export function output(outputs: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const tensor = outputs[name];
  if (tensor === undefined) throw new Error(`Expected the graph to give "${name}" but it gave ${Object.keys(outputs).join(', ')}.`);
  return tensor;
}

/** Row `index` of tensors that all hold one row per element of a batch, `[B, …]` → `[1, …]`; no copies. */
export function batchRow(tensors: Feeds, index: number): Feeds {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, rowOf(tensor, index)]));
}

function rowOf(tensor: Tensor, index: number): Tensor {
  const [, ...dims] = tensor.dims;
  const size = elementCount(dims);
  return { ...tensor, dims: [1, ...dims], data: tensor.data.subarray(index * size, (index + 1) * size) };
}
