import type { GraphModel, GraphSession, Runner, Values } from '#engine/tensor/runner.js';
import type { DeviceTensor } from '#engine/tensor/tensor.js';

/** Names under which keys and values go into a graph and come out of it. */
const ROWS = /^(?:past_)?[kv]_\d/u;

/** A runner that counts what becomes of keys and values. */
export class WatchedRunner implements Runner {
  readonly provider: string;
  readonly fusedAttention: boolean;
  readonly device?: NonNullable<Runner['device']>;
  /** Graphs that were opened. */
  readonly opened: string[] = [];
  /** Tensors that lie on the device and were not disposed of. */
  readonly onDevice = new Set<DeviceTensor>();
  /** The most bytes that these held. */
  mostDeviceBytes = 0;
  /** Bytes of keys and values that went into or out of the CPU's memory. */
  hostRowBytes = 0;
  readonly #runner: Runner;

  constructor(runner: Runner) {
    this.#runner = runner;
    this.provider = runner.provider;
    this.fusedAttention = runner.fusedAttention;
    if (runner.device) this.device = runner.device;
  }

  async open(graph: GraphModel): Promise<GraphSession> {
    this.opened.push(graph.name);
    const session = await this.#runner.open(graph);
    return {
      run: async (feeds, into, only) => {
        this.#countRows(feeds);
        const outputs = await session.run(feeds, into, only);
        this.#countRows(outputs);
        for (const tensor of Object.values(outputs)) if (!('data' in tensor)) this.#watch(tensor);
        return outputs;
      },
      release: () => session.release(),
    };
  }

  #countRows(values: Values): void {
    for (const [name, tensor] of Object.entries(values))
      if ('data' in tensor && ROWS.test(name)) this.hostRowBytes += tensor.data.byteLength;
  }

  #watch(tensor: DeviceTensor): void {
    this.onDevice.add(tensor);
    const dispose = tensor.dispose.bind(tensor);
    Object.assign(tensor, {
      dispose: () => {
        this.onDevice.delete(tensor);
        dispose();
      },
    });
    const bytes = [...this.onDevice].reduce((sum, { dims }) => sum + 4 * dims.reduce((product, dim) => product * dim, 1), 0);
    this.mostDeviceBytes = Math.max(this.mostDeviceBytes, bytes);
  }
}
