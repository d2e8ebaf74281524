import { at } from '#base/assert.js';
import type { Grid } from '#base/geometry.js';
import { GraphBuilder } from '#engine/graph/builder.js';
import { deviceOutput, type GraphModel, type GraphSession, type Values } from '#engine/tensor/runner.js';
import type { DeviceTensor, Tensor } from '#engine/tensor/tensor.js';
import { areaWeights } from './area.js';
import type { CacheSizes, RowCache, ScaleWish } from './kv-cache.js';
import { KINDS, partOf, SOURCE, type CacheType, type PastParts } from './kv-rows.js';
import type { SessionCache } from './session-cache.js';

// B batch rows · C width · N rows of a grid H × W · h × w a coarser grid

interface DeviceRowsOptions {
  readonly batch: number;
  readonly types: readonly CacheType[]; // per layer
  /** What the step graph takes apart (`withPast`). */
  readonly parts: PastParts;
  /** Opens the two small graphs that work on rows where they lie. */
  readonly sessions: SessionCache;
}

/**
 * Keys and values of one picture in the memory of the device that computes them: what a run gives is an input of the later
 * ones, and none of it is ever copied out. Each scale's rows stay a tensor of their own, which the step graph joins: a
 * device gives no views, and joining them anew at every scale would hold everything twice.
 */
export class DeviceRows implements RowCache {
  readonly #sizes: CacheSizes;
  readonly #options: DeviceRowsOptions;
  /** By the name of the step graph's input, without `past_`. */
  readonly #rows = new Map<string, DeviceTensor>();
  #batch: number;

  constructor(sizes: CacheSizes, options: DeviceRowsOptions) {
    this.#sizes = sizes;
    this.#options = options;
    this.#batch = options.batch;
  }

  get batch(): number {
    return this.#batch;
  }

  async runSource(step: GraphSession, feeds: Values): Promise<void> {
    const layers = [...this.#options.types.keys()];
    this.#hold(await step.run({ ...feeds, ...this.#past(layers) }), { layers, part: SOURCE });
  }

  async runScale(step: GraphSession, feeds: Values, { scale, layers }: ScaleWish): Promise<Values> {
    const pooled = await this.#pooledSource(scale, layers);
    try {
      const outputs = await step.run({ ...feeds, ...this.#past(layers), ...pooled.inputs });
      this.#hold(outputs, { layers, part: partOf(scale) });
      return outputs;
    } finally {
      pooled.dispose();
    }
  }

  async keepFirstRow(): Promise<void> {
    for (const [name, rows] of this.#rows) {
      const session = await this.#options.sessions.once(`first row ${rows.dtype}`, () => firstRowGraph(rows.dtype as CacheType));
      this.#rows.set(name, deviceOutput(await session.run({ rows }), 'first'));
      rows.dispose();
    }
    this.#batch = 1;
  }

  release(): void {
    for (const rows of this.#rows.values()) rows.dispose();
    this.#rows.clear();
  }

  #hold(outputs: Values, { layers, part }: { layers: readonly number[]; part: string }): void {
    for (const layer of layers)
      for (const kind of KINDS) this.#rows.set(`${kind}_${layer}_${part}`, deviceOutput(outputs, `${kind}_${layer}`));
  }

  /** `past_k_i_p`, `past_v_i_p` of the given layers and all parts p, `[N, B, C]`; empty where there is nothing yet. */
  #past(layers: readonly number[]): Values {
    const { parts } = this.#options;
    const inputs: Record<string, Tensor | DeviceTensor> = {};
    for (const layer of layers)
      for (const kind of KINDS)
        for (const part of parts) {
          const name = `${kind}_${layer}_${part}`;
          inputs[`past_${name}`] = this.#rows.get(name) ?? this.#nothing(layer);
        }
    return inputs;
  }

  #nothing(layer: number): Tensor {
    const dims = [0, this.#batch, this.#sizes.width];
    return at(this.#options.types, layer) === 'float16'
      ? { dtype: 'float16', dims, data: new Uint16Array(0) }
      : { dtype: 'float32', dims, data: new Float32Array(0) };
  }

  /** Layer 0 sees the source at each scale's own resolution: in place of its rows. */
  async #pooledSource(scale: number, layers: readonly number[]): Promise<Pooled> {
    const { scales } = this.#sizes;
    const [from, to] = [at(scales, scales.length - 1), at(scales, scale)];
    const inputs: Record<string, DeviceTensor> = {};
    if (layers.includes(0) && String(from) !== String(to))
      for (const kind of KINDS) {
        const name = `${kind}_0_${SOURCE}`;
        const rows = this.#rows.get(name);
        if (rows) inputs[`past_${name}`] = await this.#pool(rows, { from, to });
      }
    return {
      inputs,
      dispose: () => {
        for (const rows of Object.values(inputs)) rows.dispose();
      },
    };
  }

  async #pool(rows: DeviceTensor, { from, to }: { from: Grid; to: Grid }): Promise<DeviceTensor> {
    const session = await this.#options.sessions.once('pooled source', poolGraph);
    const feeds = { rows, lines: areaWeights(from[0], to[0]), columns: areaWeights(from[1], to[1]) };
    return deviceOutput(await session.run(feeds), 'pooled');
  }
}

interface Pooled {
  readonly inputs: Readonly<Record<string, DeviceTensor>>;
  dispose(): void;
}

/** `rows` `[N, B, C]` → `first` `[N, 1, C]`. */
function firstRowGraph(type: CacheType): GraphModel {
  const graph = new GraphBuilder('first-row');
  const rows = graph.input('rows', ['N', 'B', 'C'], type);
  const [start, end, axis] = [graph.integers([0]), graph.integers([1]), graph.integers([1])];
  graph.deviceOutput('first', graph.typed(graph.op('Slice', [rows, start, end, axis]), type), ['N', 1, 'C']);
  return graph.finish();
}

/**
 * `poolRows` in a graph: `rows` `[H·W, B, C]`, `lines` `[h, H]` and `columns` `[w, W]` → `pooled` `[h·w, B, C]`. The window
 * of a cell is a product of the two, and so is its mean.
 */
function poolGraph(): GraphModel {
  const graph = new GraphBuilder('pooled-source');
  const rows = graph.input('rows', ['N', 'B', 'C']);
  const lines = graph.input('lines', ['h', 'H']);
  const columns = graph.input('columns', ['w', 'W']);
  const joined = (...sizes: string[]) => graph.op('Concat', sizes, { axis: 0 });
  const size = (value: string, axis: number) => graph.op('Shape', [value], { start: axis, end: axis + 1 });
  const rest = graph.integers([-1]);
  const upright = graph.op('MatMul', [lines, graph.op('Reshape', [rows, joined(size(lines, 1), rest)])]); // (h, W·B·C)
  const cells = graph.op('Reshape', [upright, joined(size(lines, 0), size(columns, 1), rest)]); // (h, W, B·C)
  const pooled = graph.op('MatMul', [columns, cells]); // (h, w, B·C)
  graph.deviceOutput('pooled', graph.op('Reshape', [pooled, joined(rest, size(rows, 1), size(rows, 2))]), ['n', 'B', 'C']);
  return graph.finish();
}
