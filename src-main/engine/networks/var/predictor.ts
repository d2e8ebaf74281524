import { at, invariant } from '#base/assert.js';
import type { Conditioning, PredictionRun, ScaleInput, ScalePrediction, ScalePredictor } from '#engine/tensor/predictor.js';
import { batchRow, output, type GraphSession, type Runner, type Values } from '#engine/tensor/runner.js';
import { int64s, type DeviceTensor, type FloatTensor, type Tensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { DeviceRows } from '../device-rows.js';
import { KvCache, type RowCache } from '../kv-cache.js';
import { pastParts } from '../kv-rows.js';
import { openedWhole, SessionCache } from '../session-cache.js';
import { describeVar, type ClassSizes, type VarArchitecture } from './architecture.js';
import { conditionGraph } from './condition-graph.js';
import { embedGraph, stepGraph } from './step-graph.js';

// B 2 under guidance, else 1 · l tokens of a scale · C width

/**
 * Opens a class-conditional next-scale transformer (VAR, Tian et al. 2024), published names. It sees neither the
 * source nor a control picture: editing is done by putting the source's tokens back.
 *
 * @throws ExpectedError `weights.refused` where the weights do not fit the card.
 */
export async function openVar(runner: Runner, weights: Weights, config: ClassSizes): Promise<ScalePredictor> {
  return openedWhole(new ClassPredictor(new SessionCache(runner), describeVar(weights, config, runner)));
}

/** Next-scale prediction of a class, by VAR's transformer and its kin. */
export class ClassPredictor implements ScalePredictor {
  readonly #sessions: SessionCache;
  readonly #architecture: VarArchitecture;

  constructor(sessions: SessionCache, architecture: VarArchitecture) {
    this.#sessions = sessions;
    this.#architecture = architecture;
  }

  /** The same weights on other grids, with what is added to their tokens. */
  fitted({ scales, positions }: Pick<VarArchitecture, 'positions'> & Pick<ClassSizes, 'scales'>): ClassPredictor {
    const { config, pastParts: parts } = this.#architecture;
    const fitting = {
      config: { ...config, scales },
      positions,
      pastParts: parts.length > 0 ? pastParts(scales, { readsSource: false }) : [],
    };
    return new ClassPredictor(this.#sessions, { ...this.#architecture, ...fitting });
  }

  get schedule(): ClassSizes['scales'] {
    return this.#architecture.config.scales;
  }

  get depth(): number {
    return this.#architecture.config.depth;
  }

  async openAlways(): Promise<void> {
    const layers = [...this.#architecture.blocks.keys()];
    await this.#condition();
    await this.#embed(true);
    await this.#embed(false);
    await this.#step(layers);
  }

  async begin({ text, guided }: Conditioning, layers: readonly (readonly number[])[] = []): Promise<PredictionRun> {
    if (text.kind !== 'class') throw new Error(`Expected a class but received ${text.kind}.`);
    const { classes } = this.#architecture.config;
    const rows = guided ? [text.index, classes] : [text.index];
    const condition = await (await this.#condition()).run({ class: int64s([rows.length], rows) });
    for (const subset of layers) await this.#step(subset);
    const cache = this.#newCache(rows.length);
    let next = 0;
    let told: Values = condition;
    return {
      predict: (scale, input, layers) => {
        invariant(scale === next, `Expected scale ${next} but received ${scale}.`);
        next += 1;
        return this.#predict({ condition: told, cache, scale }, input, layers);
      },
      endGuidance: async () => {
        if (cache.batch === 1) return;
        await cache.keepFirstRow();
        told = batchRow(told, 0);
      },
      end: () => {
        cache.release();
      },
    };
  }

  release(): Promise<void> {
    return this.#sessions.release();
  }

  async #predict({ condition, cache, scale }: Progress, { codes }: ScaleInput, layers: readonly number[]): Promise<ScalePrediction> {
    const place: Record<string, Tensor> = { position: at(this.#architecture.positions, scale), cond: output(condition, 'cond') };
    if (scale > 0) {
      invariant(codes, `Expected the codes so far at scale ${scale} but received none.`);
      place['codes'] = codes;
    }
    const embedded = await (await this.#embed(scale === 0)).run(place);
    const feeds: Record<string, Tensor | DeviceTensor> = {
      ...embedded,
      head_ada: output(condition, 'head_ada'),
    };
    for (const layer of layers) feeds[`ada_${layer}`] = output(condition, `ada_${layer}`);
    const outputs = await cache.runScale(await this.#step(layers), feeds, { scale, layers, only: ['logits'] });
    // The decoder comes next, and nobody reads them any more.
    if (scale === this.schedule.length - 1) cache.release();
    return { logits: output(outputs, 'logits') as FloatTensor };
  }

  #newCache(batch: number): RowCache {
    const { config, cacheTypes: types, pastParts: parts } = this.#architecture;
    if (parts.length === 0) return new KvCache(config, { batch, hasSource: false, types, lastScale: 'left out' });
    return new DeviceRows(config, { batch, types, parts, sessions: this.#sessions });
  }

  #condition(): Promise<GraphSession> {
    return this.#sessions.once('condition', () => conditionGraph(this.#architecture));
  }

  #embed(start: boolean): Promise<GraphSession> {
    return this.#sessions.once(`embed ${start}`, () => embedGraph(this.#architecture, start));
  }

  #step(layers: readonly number[]): Promise<GraphSession> {
    return this.#sessions.once(`step ${layers.join(' ')} ${this.#architecture.pastParts.length}`, () =>
      stepGraph(this.#architecture, layers),
    );
  }
}

interface Progress {
  readonly condition: Values;
  readonly cache: RowCache;
  readonly scale: number;
}
