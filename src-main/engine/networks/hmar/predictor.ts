import { at, invariant } from '#base/assert.js';
import type { Conditioning, MaskedInput, PredictionRun, ScaleInput, ScalePrediction, ScalePredictor } from '#engine/tensor/predictor.js';
import { batchRow, output, type GraphSession, type Runner, type Values } from '#engine/tensor/runner.js';
import { floats, int64s, type FloatTensor, type Tensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { openedWhole, SessionCache } from '../session-cache.js';
import { describeHmar, PASSES, type HmarArchitecture, type HmarSizes, type Pass } from './architecture.js';
import { baseGraph, conditionGraph, embedGraph, tailGraph, type Entry } from './graphs.js';

// B 2 under guidance, else 1 · l tokens of a scale · C width

/**
 * Opens a class-conditional transformer whose scales see themselves alone, with masked passes inside a scale (HMAR, Kumbong et
 * al. 2025), published names.
 *
 * @throws ExpectedError `weights.refused` where the weights do not fit the card.
 */
export async function openHmar(runner: Runner, weights: Weights, config: HmarSizes): Promise<HmarPredictor> {
  return openedWhole(new HmarPredictor(new SessionCache(runner), describeHmar(weights, config, runner)));
}

export class HmarPredictor implements ScalePredictor {
  readonly #sessions: SessionCache;
  readonly #architecture: HmarArchitecture;

  constructor(sessions: SessionCache, architecture: HmarArchitecture) {
    this.#sessions = sessions;
    this.#architecture = architecture;
  }

  get schedule(): HmarSizes['scales'] {
    return this.#architecture.config.scales;
  }

  get depth(): number {
    return this.#architecture.config.depth;
  }

  get maskedPasses(): HmarSizes['passes'] {
    return this.#architecture.config.passes;
  }

  async openAlways(): Promise<void> {
    await this.#condition();
    for (const entry of ['start', 'codes', 'masked'] as const) await this.#embed(entry);
    const layers = Array.from({ length: this.depth }, (_, layer) => layer);
    await this.#base(layers.slice(0, this.#architecture.base.length));
    for (const pass of PASSES) await this.#tail(pass, layers.slice(this.#architecture.base.length));
  }

  async begin({ text, guided }: Conditioning): Promise<PredictionRun> {
    if (text.kind !== 'class') throw new Error(`Expected a class but received ${text.kind}.`);
    const { classes } = this.#architecture.config;
    const rows = guided ? [text.index, classes] : [text.index];
    let told: Values = await (await this.#condition()).run({ class: int64s([rows.length], rows) });
    let reached = -1;
    return {
      predict: (scale, input, layers) => {
        invariant(scale === reached + 1, `Expected scale ${reached + 1} but received ${scale}.`);
        reached = scale;
        return this.#predict({ told, scale, layers }, input);
      },
      redraw: (scale, input, layers) => {
        invariant(scale === reached && scale > 0, `Expected scale ${reached} but received ${scale}.`);
        return this.#redraw({ told: batchRow(told, 0), scale, layers }, input);
      },
      endGuidance: () => {
        told = batchRow(told, 0);
        return Promise.resolve();
      },
      end: () => {
        // Nothing is kept from scale to scale.
      },
    };
  }

  release(): Promise<void> {
    return this.#sessions.release();
  }

  async #predict(place: Place, { codes }: ScaleInput): Promise<ScalePrediction> {
    invariant(place.scale === 0 || codes, `Expected the codes so far at scale ${place.scale} but received none.`);
    const x = await this.#embedded(place, codes ? 'codes' : 'start', codes ? { codes } : {});
    return this.#through({ ...place, pass: 'ns' }, x);
  }

  async #redraw(place: Place, { codes, own, masked }: MaskedInput): Promise<ScalePrediction> {
    invariant(codes, `Expected the codes so far at scale ${place.scale} but received none.`);
    const x = await this.#embedded(place, 'masked', { codes, own, masked: floats([masked.length, 1], Float32Array.from(masked)) });
    return this.#through({ ...place, pass: 'mask' }, x);
  }

  async #embedded({ told, scale }: Place, entry: Entry, feeds: Readonly<Record<string, Tensor>>): Promise<Tensor> {
    const position = at(this.#architecture.positions, scale);
    return output(await (await this.#embed(entry)).run({ position, cond: output(told, 'cond'), ...feeds }), 'x');
  }

  async #through({ told, layers, pass }: Place & { pass: Pass }, x: Tensor): Promise<ScalePrediction> {
    const first = this.#architecture.base.length;
    const [own, last] = [layers.filter((layer) => layer < first), layers.filter((layer) => layer >= first)];
    const seen = output(await (await this.#base(own)).run({ x, ...adaptive(told, 'base', own) }), 'seen');
    const feeds = { x: seen, head_ada: output(told, `${pass}_head_ada`), ...adaptive(told, pass, last) };
    const outputs = await (await this.#tail(pass, last)).run(feeds);
    return { logits: output(outputs, 'logits') as FloatTensor };
  }

  #condition(): Promise<GraphSession> {
    return this.#sessions.once('condition', () => conditionGraph(this.#architecture));
  }

  #embed(entry: Entry): Promise<GraphSession> {
    return this.#sessions.once(`embed ${entry}`, () => embedGraph(this.#architecture, entry));
  }

  #base(layers: readonly number[]): Promise<GraphSession> {
    return this.#sessions.once(`base ${layers.join(' ')}`, () => baseGraph(this.#architecture, layers));
  }

  #tail(pass: Pass, layers: readonly number[]): Promise<GraphSession> {
    return this.#sessions.once(`${pass} ${layers.join(' ')}`, () => tailGraph(this.#architecture, pass, layers));
  }
}

interface Place {
  /** What the class says to the layers. */
  readonly told: Values;
  readonly scale: number;
  readonly layers: readonly number[];
}

function adaptive(told: Values, blocks: 'base' | Pass, layers: readonly number[]): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(layers.map((layer) => [`${blocks}_ada_${layer}`, output(told, `${blocks}_ada_${layer}`)]));
}
