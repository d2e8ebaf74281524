import { at, invariant } from '#base/assert.js';
import { cellCount, type Grid } from '#base/geometry.js';
import type { Conditioning, ControlInput, PredictionRun, ScaleInput, ScalePrediction, ScalePredictor } from '#engine/tensor/predictor.js';
import { resizePillow } from '#engine/tensor/pillow.js';
import { batchRow, output, type GraphSession, type Runner, type Values } from '#engine/tensor/runner.js';
import { floats, int64s, type FloatTensor, type Tensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { KvCache } from '../kv-cache.js';
import { openedWhole, SessionCache } from '../session-cache.js';
import { describeVar, type ClassSizes, type VarArchitecture } from '../var/architecture.js';
import { conditionGraph } from '../var/condition-graph.js';
import { ClassPredictor } from '../var/predictor.js';
import { embedGraph, stepGraph } from '../var/step-graph.js';
import { adapterGraph, controlGraph, expectAdapter, junctionInto, statesFor, type Adapter } from './graphs.js';

// B 2 under guidance, else 1 · l tokens of a scale, h·w · C width

/** Pixels of the control picture to a token, per axis. */
const CELL = 16;

/** The two files. */
export interface CarWeights {
  readonly transformer: Weights;
  readonly adapter: Weights;
}

/**
 * Opens a VAR with a control adapter over it (CAR, Yao et al. 2024), published names. Without a control picture it is the VAR.
 *
 * @throws ExpectedError `weights.refused` where the weights do not fit the card or each other.
 */
export async function openCar(runner: Runner, { transformer, adapter }: CarWeights, config: ClassSizes): Promise<CarPredictor> {
  const architecture = describeVar(transformer, config, runner);
  const blocks = expectAdapter(adapter, config, config.depth);
  return openedWhole(new CarPredictor(new SessionCache(runner), architecture, { weights: adapter, blocks, sizes: architecture.sizes }));
}

export class CarPredictor implements ScalePredictor {
  readonly #sessions: SessionCache;
  readonly #plain: ClassPredictor;
  readonly #architecture: VarArchitecture;
  readonly #adapter: Adapter;

  constructor(sessions: SessionCache, architecture: VarArchitecture, adapter: Adapter) {
    this.#sessions = sessions;
    this.#plain = new ClassPredictor(sessions, architecture);
    // Under control the CPU holds keys and values: the adapter's states cross between two graphs anyway.
    this.#architecture = { ...architecture, pastParts: [] };
    this.#adapter = adapter;
  }

  get schedule(): ClassSizes['scales'] {
    return this.#plain.schedule;
  }

  get depth(): number {
    return this.#plain.depth;
  }

  async openAlways(): Promise<void> {
    await this.#once('condition', () => conditionGraph(this.#architecture));
    await this.#once('embed true', () => embedGraph(this.#architecture, true));
    await this.#once('embed false', () => embedGraph(this.#architecture, false));
  }

  async begin(conditioning: Conditioning): Promise<PredictionRun> {
    const { text, guided, control } = conditioning;
    if (!control) return this.#plain.begin(conditioning);
    if (text.kind !== 'class') throw new Error(`Expected a class but received ${text.kind}.`);
    const { config, cacheTypes: types } = this.#architecture;
    const rows = guided ? [text.index, config.classes] : [text.index];
    let condition: Values = await (
      await this.#once('condition', () => conditionGraph(this.#architecture))
    ).run({
      class: int64s([rows.length], rows),
    });
    const options = { batch: rows.length, hasSource: false, lastScale: 'left out' } as const;
    const cache = new KvCache(config, { ...options, types });
    const own = new KvCache({ ...config, depth: this.#adapter.blocks.length }, options);
    return {
      predict: async (scale, input, layers) => {
        const place = { condition, scale, grid: at(this.schedule, scale) };
        const states = await this.#adapt({ ...place, cache: own }, { input, control });
        return this.#step({ ...place, cache }, { input, layers, states, strength: strengthAt(control, scale) });
      },
      endGuidance: async () => {
        if (cache.batch === 1) return;
        await Promise.all([cache.keepFirstRow(), own.keepFirstRow()]);
        condition = batchRow(condition, 0);
      },
      end: () => {
        cache.release();
        own.release();
      },
    };
  }

  release(): Promise<void> {
    return this.#sessions.release();
  }

  /** What the control picture says at one scale, `[1, C, h, w]`. */
  async control({ map }: Pick<ControlInput, 'map'>, grid: Grid): Promise<FloatTensor> {
    const session = await this.#once('control', () => controlGraph(this.#adapter));
    return output(await session.run({ picture: controlPicture(map, grid) }), 'control') as FloatTensor;
  }

  /** The states of all adapter blocks, `y_i` `[B, l, C]`. */
  async #adapt(
    { condition, cache, scale, grid }: Place,
    { input, control }: { input: ScaleInput; control: ControlInput },
  ): Promise<Values> {
    const { width } = this.#architecture.config;
    const nowhere = floats([cellCount(grid), width]);
    const session = await this.#once('adapter', () => adapterGraph(this.#adapter));
    const feeds: Values = {
      tokens: await this.#embedded({ condition, scale, position: nowhere }, input),
      control: await this.control(control, grid),
      map: int64s([4], [-1, width, ...grid]),
      position: at(this.#architecture.positions, scale),
      cond: output(condition, 'cond'),
    };
    const layers = [...this.#adapter.blocks.keys()];
    return cache.runScale(session, feeds, { scale, layers, only: layers.map((layer) => `y_${layer}`) });
  }

  async #step({ condition, cache, scale }: Place, { input, layers, states, strength }: Controlled): Promise<ScalePrediction> {
    const { depth } = this.#architecture.config;
    const session = await this.#once(`controlled step ${layers.join(' ')}`, () =>
      stepGraph(this.#architecture, layers, junctionInto(this.#adapter, depth)),
    );
    const read = statesFor(layers, this.#adapter, depth);
    const feeds: Values = {
      x: await this.#embedded({ condition, scale, position: at(this.#architecture.positions, scale) }, input),
      head_ada: output(condition, 'head_ada'),
      ...Object.fromEntries(layers.map((layer) => [`ada_${layer}`, output(condition, `ada_${layer}`)])),
      ...Object.fromEntries(read.map((name) => [name, output(states, name)])),
      ...(read.length > 0 && { strength: floats([1], Float32Array.of(strength)) }),
    };
    const outputs = await cache.runScale(session, feeds, { scale, layers, only: ['logits'] });
    return { logits: output(outputs, 'logits') as FloatTensor };
  }

  /** `[B, l, C]` */
  async #embedded(place: { condition: Values; scale: number; position: FloatTensor }, { codes }: ScaleInput): Promise<Tensor> {
    const { condition, scale, position } = place;
    const isStart = scale === 0;
    invariant(isStart || codes, `Expected the codes so far at scale ${scale} but received none.`);
    const session = await this.#once(`embed ${isStart}`, () => embedGraph(this.#architecture, isStart));
    const feeds: Values = { position, cond: output(condition, 'cond'), ...(!isStart && codes && { codes }) };
    return output(await session.run(feeds), 'x');
  }

  #once(key: string, build: () => ReturnType<typeof stepGraph>): Promise<GraphSession> {
    return this.#sessions.once(key, build);
  }
}

interface Place {
  readonly condition: Values;
  readonly cache: KvCache;
  readonly scale: number;
  readonly grid: Grid;
}

interface Controlled {
  readonly input: ScaleInput;
  readonly layers: readonly number[];
  readonly states: Values;
  readonly strength: number;
}

/** Scales that are not held are the VAR's own. */
function strengthAt({ strength, fromScale, toScale }: ControlInput, scale: number): number {
  return scale >= fromScale && scale <= toScale ? strength : 0;
}

/** A map `[1, 1 or 3, H, W]` in 0..1 → `[1, 3, 16h, 16w]` in −1..1, by way of 8 bits. */
export function controlPicture({ dims, data }: FloatTensor, [rows, columns]: Grid): FloatTensor {
  const [, channels = 1, height = 0, width = 0] = dims;
  const bytes = floats([channels, height, width], data.map((value) => Math.floor(value * 255 + 0.5))); // prettier-ignore
  const small = resizePillow(bytes, [rows * CELL, columns * CELL]);
  const pixels = rows * CELL * columns * CELL;
  const picture = floats([1, 3, rows * CELL, columns * CELL]);
  for (let channel = 0; channel < 3; channel++) {
    const plane = channels === 1 ? 0 : channel;
    for (let i = 0; i < pixels; i++) picture.data[channel * pixels + i] = (small.data[plane * pixels + i]! / 255) * 2 - 1;
  }
  return picture;
}
