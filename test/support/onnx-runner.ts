import * as ort from 'onnxruntime-node';
import type { Feeds, GraphModel, GraphSession, Runner } from '#engine/tensor/runner.js';
import type { DType, Tensor } from '#engine/tensor/tensor.js';

/** ONNX Runtime in this very process, nothing around it: what the golden tests compute with. */
export class OnnxRunner implements Runner {
  readonly provider = 'cpu';
  readonly fusedAttention: boolean;
  readonly #threads: number;

  constructor(threads = 1, fusedAttention = true) {
    this.fusedAttention = fusedAttention;
    this.#threads = threads;
  }

  async open(graph: GraphModel): Promise<GraphSession> {
    const { externalFolder } = graph;
    const session = await ort.InferenceSession.create(graph.bytes, {
      intraOpNumThreads: this.#threads,
      logSeverityLevel: 3,
      extra: { session: externalFolder === undefined ? {} : { model_external_initializers_file_folder_path: externalFolder } },
    });
    return new OnnxSession(session);
  }
}

class OnnxSession implements GraphSession {
  readonly #session: ort.InferenceSession;

  constructor(session: ort.InferenceSession) {
    this.#session = session;
  }

  async run(
    feeds: Feeds,
    into: Feeds = {},
    only: readonly string[] = this.#session.outputNames,
  ): Promise<Readonly<Record<string, Tensor>>> {
    const fetches = Object.fromEntries(
      [...only, ...Object.keys(into)].map((name) => {
        const target = into[name];
        return [name, target ? toOrt(target) : null];
      }),
    );
    const results = await this.#session.run(mapValues(feeds, toOrt), fetches);
    return { ...mapValues(results as Record<string, ort.Tensor>, fromOrt), ...into };
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

function toOrt({ dtype, data, dims }: Tensor): ort.Tensor {
  return new ort.Tensor(dtype, data as Float32Array, dims);
}

function fromOrt(tensor: ort.Tensor): Tensor {
  return { dtype: tensor.type as DType, dims: tensor.dims, data: tensor.data as Float32Array };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
