import { at, invariant } from '#base/assert.js';
import type { Grid } from '#base/geometry.js';
import type { Conditioning, PredictionRun, ScaleInput, ScalePrediction, ScalePredictor } from '#engine/tensor/predictor.js';
import { batchRow, output, type GraphSession, type Runner, type Values } from '#engine/tensor/runner.js';
import { int64s, type FloatTensor, type Tensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import type { RotaryTable } from '../infinity/rotary-positions.js';
import { KvCache } from '../kv-cache.js';
import { openedWhole, SessionCache } from '../session-cache.js';
import { describeSwitti, type SwittiArchitecture, type SwittiSizes } from './architecture.js';
import { conditionFeeds, conditionGraph } from './condition-graph.js';
import { rotaryOfScale } from './positions.js';
import { embedGraph, stepGraph } from './step-graph.js';

// B 2 under guidance, else 1 · l tokens of a scale · C width

/**
 * Opens a next-scale transformer that draws from words (Switti, Voronov et al. 2024), published names. A scale sees itself and
 * the text, in the autoregressive variants also the scales before it; the source is seen by none of them.
 *
 * @throws ExpectedError `weights.refused` where the weights do not fit the card.
 */
export async function openSwitti(runner: Runner, weights: Weights, config: SwittiSizes): Promise<ScalePredictor> {
  return openedWhole(new SwittiPredictor(new SessionCache(runner), describeSwitti(weights, config, runner)));
}

class SwittiPredictor implements ScalePredictor {
  readonly #sessions: SessionCache;
  readonly #architecture: SwittiArchitecture;
  readonly #angles: readonly RotaryTable[];

  constructor(sessions: SessionCache, architecture: SwittiArchitecture) {
    this.#sessions = sessions;
    this.#architecture = architecture;
    this.#angles = architecture.config.scales.map((grid) => rotaryOfScale(grid, architecture.headWidth));
  }

  get schedule(): readonly Grid[] {
    return this.#architecture.config.scales;
  }

  get depth(): number {
    return this.#architecture.config.depth;
  }

  async openAlways(): Promise<void> {
    await this.#condition();
    await this.#embed(true);
    await this.#embed(false);
    await this.#step([...this.#architecture.blocks.keys()]);
  }

  async begin({ text, guided }: Conditioning, layers: readonly (readonly number[])[] = []): Promise<PredictionRun> {
    if (text.kind !== 'features') throw new Error(`Expected text features but received ${text.kind}.`);
    const { feeds, bias } = conditionFeeds(this.#architecture, text, guided);
    const [batch = 1] = bias.dims;
    let told: Values = { ...(await (await this.#condition()).run(feeds)), text_bias: bias };
    for (const subset of layers) await this.#step(subset);
    const cache = this.#newCache(batch);
    let next = 0;
    return {
      predict: (scale, input, subset) => {
        invariant(scale === next, `Expected scale ${next} but received ${scale}.`);
        next += 1;
        return this.#predict({ told, cache, scale }, input, subset);
      },
      endGuidance: async () => {
        if (cache && cache.batch > 1) await cache.keepFirstRow();
        told = batchRow(told, 0);
      },
      end: () => {
        cache?.release();
      },
    };
  }

  release(): Promise<void> {
    return this.#sessions.release();
  }

  async #predict({ told, cache, scale }: Progress, { codes }: ScaleInput, layers: readonly number[]): Promise<ScalePrediction> {
    const place: Record<string, Tensor> = { cond: output(told, 'cond'), level: int64s([], [scale]) };
    if (scale > 0) {
      invariant(codes, `Expected the codes so far at scale ${scale} but received none.`);
      place['codes'] = codes;
    }
    const embedded = await (await this.#embed(scale === 0)).run(place);
    const names = ['text_bias', 'head_ada', ...layers.flatMap((layer) => [`ada_${layer}`, `text_k_${layer}`, `text_v_${layer}`])];
    const feeds = { ...embedded, ...at(this.#angles, scale), ...Object.fromEntries(names.map((name) => [name, output(told, name)])) };
    const session = await this.#step(layers);
    const only = ['logits'];
    const outputs = cache ? await cache.runScale(session, feeds, { scale, layers, only }) : await session.run(feeds, {}, only);
    return { logits: output(outputs, 'logits') as FloatTensor };
  }

  /** Where scales see themselves alone, nothing is kept. */
  #newCache(batch: number): KvCache | undefined {
    const { config, cacheTypes: types } = this.#architecture;
    return config.autoregressive ? new KvCache(config, { batch, hasSource: false, types, lastScale: 'left out' }) : undefined;
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
  /** What the text says to all scales. */
  readonly told: Values;
  readonly cache: KvCache | undefined;
  readonly scale: number;
}
