import { elementCount, type DeviceTensor, type Tensor } from './tensor.js';

/** A finished ONNX graph. Initializers may lie in files of `externalFolder`, named by plain base names. */
export interface GraphModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly externalFolder?: string;
  /** Outputs that stay in the device's memory, for runners that have one. Every run of such a graph gives every output. */
  readonly onDevice?: readonly string[];
}

export type Feeds = Readonly<Record<string, Tensor>>;

/** What goes into a run and comes out of it, wherever it lies. */
export type Values = Readonly<Record<string, Tensor | DeviceTensor>>;

/** An opened graph. */
export interface GraphSession {
  /**
   * Runs the graph once. Tensors in `into` are written in place (preallocated outputs) and are
   * returned under their names too; every other output is fresh.
   *
   * @param only the outputs that are wanted besides `into`; absent = all of them. What nobody asks for is never copied out.
   */
  run(feeds: Values, into?: Feeds, only?: readonly string[]): Promise<Values>;
  release(): Promise<void>;
}

/** The port through which networks compute. `runtime` implements it with ONNX Runtime; tests with fakes. */
export interface Runner {
  readonly provider: string;
  /** Whether its fused attention operator agrees with the separate steps to float32. */
  readonly fusedAttention: boolean;
  /** The memory in which outputs can stay (`GraphModel.onDevice`); absent = there is only the CPU's. */
  readonly device?: Device;
  open(graph: GraphModel): Promise<GraphSession>;
}

export interface Device {
  /** Whether it computes with numbers of half precision. */
  readonly halves: boolean;
}

/** The output called `name`, or a bug. */
export function output(outputs: Values, name: string): Tensor {
  return hostTensor(given(outputs, name), name);
}

/** The output called `name`, which stayed on the device, or a bug. */
export function deviceOutput(outputs: Values, name: string): DeviceTensor {
  const tensor = given(outputs, name);
  if ('data' in tensor) throw new Error(`Expected "${name}" to stay on the device but it came back.`);
  return tensor;
}

function given(outputs: Values, name: string): Tensor | DeviceTensor {
  const tensor = outputs[name];
  if (tensor === undefined) throw new Error(`Expected the graph to give "${name}" but it gave ${Object.keys(outputs).join(', ')}.`);
  return tensor;
}

function hostTensor(tensor: Tensor | DeviceTensor, name: string): Tensor {
  if (!('data' in tensor)) throw new Error(`Expected "${name}" in the CPU's memory but it lies on the device.`);
  return tensor;
}

/** Row `index` of tensors that all hold one row per element of a batch, `[B, …]` → `[1, …]`; no copies. */
export function batchRow(tensors: Values, index: number): Feeds {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, rowOf(hostTensor(tensor, name), index)]));
}

function rowOf(tensor: Tensor, index: number): Tensor {
  const [, ...dims] = tensor.dims;
  const size = elementCount(dims);
  return { ...tensor, dims: [1, ...dims], data: tensor.data.subarray(index * size, (index + 1) * size) };
}
