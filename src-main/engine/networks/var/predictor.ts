import { at, invariant } from '#base/assert.js';
import { cellCount } from '#base/geometry.js';
import type { Conditioning, PredictionRun, ScaleInput, ScalePrediction, ScalePredictor } from '#engine/tensor/predictor.js';
import { batchRow, output, type Feeds, type GraphSession, type Runner } from '#engine/tensor/runner.js';
import { int64s, type FloatTensor, type Tensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { KvCache } from '../kv-cache.js';
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
  return openedWhole(new ClassPredictor(new SessionCache(runner), describeVar(weights, config, runner.fusedAttention)));
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
    return new ClassPredictor(this.#sessions, { ...this.#architecture, config: { ...this.#architecture.config, scales }, positions });
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

  async begin({ text, guided }: Conditioning): Promise<PredictionRun> {
    if (text.kind !== 'class') throw new Error(`Expected a class but received ${text.kind}.`);
    const { classes } = this.#architecture.config;
    const rows = guided ? [text.index, classes] : [text.index];
    const condition = await (await this.#condition()).run({ class: int64s([rows.length], rows) });
    const { config, cacheTypes: types } = this.#architecture;
    const cache = new KvCache(config, { batch: rows.length, hasSource: false, types, lastScale: 'left out' });
    let next = 0;
    let told = condition;
    return {
      predict: (scale, input, layers) => {
        invariant(scale === next, `Expected scale ${next} but received ${scale}.`);
        next += 1;
        return this.#predict({ condition: told, cache, scale }, input, layers);
      },
      endGuidance: () => {
        if (cache.batch === 1) return;
        cache.keepFirstRow();
        told = batchRow(told, 0);
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
    const feeds: Record<string, Tensor> = {
      ...embedded,
      head_ada: output(condition, 'head_ada'),
      ...cache.pastInputs(scale, layers),
    };
    for (const layer of layers) feeds[`ada_${layer}`] = output(condition, `ada_${layer}`);
    const session = await this.#step(layers);
    const isLast = scale === this.schedule.length - 1;
    const kept = isLast ? {} : cache.freshOutputs(cellCount(at(this.schedule, scale)), layers);
    const outputs = await session.run(feeds, kept, ['logits']);
    return { logits: output(outputs, 'logits') as FloatTensor };
  }

  #condition(): Promise<GraphSession> {
    return this.#sessions.once('condition', () => conditionGraph(this.#architecture));
  }

  #embed(start: boolean): Promise<GraphSession> {
    return this.#sessions.once(`embed ${start}`, () => embedGraph(this.#architecture, start));
  }

  #step(layers: readonly number[]): Promise<GraphSession> {
    return this.#sessions.once(`step ${layers.join(' ')}`, () => stepGraph(this.#architecture, layers));
  }
}

interface Progress {
  readonly condition: Feeds;
  readonly cache: KvCache;
  readonly scale: number;
}
