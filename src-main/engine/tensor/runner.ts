import type { Tensor } from './tensor.js';

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
   */
  run(feeds: Feeds, into?: Feeds): Promise<Readonly<Record<string, Tensor>>>;
  release(): Promise<void>;
}

/** The port through which networks compute. `runtime` implements it with ONNX Runtime; tests with fakes. */
export interface Runner {
  readonly provider: string;
  open(graph: GraphModel): Promise<GraphSession>;
}

/** The output called `name`, or a bug. */
export function output(outputs: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const tensor = outputs[name];
  if (tensor === undefined) throw new Error(`Expected the graph to give "${name}" but it gave ${Object.keys(outputs).join(', ')}.`);
  return tensor;
}
