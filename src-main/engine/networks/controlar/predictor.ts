import { at, invariant } from '#base/assert.js';
import { cellCount, type Grid } from '#base/geometry.js';
import type { ControlArConfig } from '#contract/pack-card.js';
import type { Conditioning, ControlInput, RasterPredictor, RasterRun } from '#engine/tensor/predictor.js';
import { output, type Feeds, type GraphSession, type Runner } from '#engine/tensor/runner.js';
import { floats, int64s, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { KvCache } from '../kv-cache.js';
import { captionGraph, causalBias, embedGraph, encodePrefix } from '../llamagen/prefix.js';
import { rotaryOfGrid, rotaryOfText, rotaryRow, type RotaryRows } from '../llamagen/rotary-grid.js';
import { openedWhole, SessionCache } from '../session-cache.js';
import { describeControlAr, type ControlArArchitecture } from './architecture.js';
import { controlGraph } from './condition-graph.js';
import { dinov2Graph, dinov2Picture, dinov2Positions } from './dinov2.js';
import { stepGraph } from './step-graph.js';

// B 2 under guidance, else 1 · T text rows · n image tokens · C width

/**
 * Opens a LlamaGen transformer with ControlAR's conditional decoding (Li et al. 2024), published names: what a control
 * picture says of a token is added to the hidden state that predicts it.
 *
 * @throws ExpectedError `weights.refused` where the weights do not fit the card.
 */
export async function openControlAr(runner: Runner, weights: Weights, config: ControlArConfig): Promise<ControlArPredictor> {
  return openedWhole(new ControlArPredictor(new SessionCache(runner), describeControlAr(weights, config, runner.fusedAttention)));
}

/** What a run starts from. */
export interface RasterStart {
  readonly text: FloatTensor; // (T, width): T5's hidden states of the prompt, unpadded
  readonly guided: boolean;
  /** The control encoder's features `[n, A]`; absent = no control. */
  readonly features?: FloatTensor;
  readonly strength: number;
}

export class ControlArPredictor implements RasterPredictor {
  readonly #sessions: SessionCache;
  readonly #architecture: ControlArArchitecture;

  constructor(sessions: SessionCache, architecture: ControlArArchitecture) {
    this.#sessions = sessions;
    this.#architecture = architecture;
  }

  /** The same weights for pictures of another shape. */
  fitted(scales: ControlArConfig['scales']): ControlArPredictor {
    return new ControlArPredictor(this.#sessions, { ...this.#architecture, config: { ...this.#architecture.config, scales } });
  }

  get depth(): number {
    return this.#architecture.config.depth;
  }

  async openAlways(): Promise<void> {
    await this.#once('caption', captionGraph);
    await this.#once('embed', embedGraph);
    await this.#once('step', stepGraph);
  }

  async beginRaster({ text, guided, control }: Conditioning): Promise<RasterRun> {
    if (text.kind !== 'features') throw new Error(`Expected text features but received ${text.kind}.`);
    const features = control && { features: await this.#encodeControl(control) };
    return this.begin({ text: text.features, guided, ...features, strength: control?.strength ?? 0 });
  }

  async begin(start: RasterStart): Promise<RasterRun> {
    const { config, headWidth } = this.#architecture;
    const batch = start.guided ? 2 : 1;
    return new ControlArRun({
      architecture: this.#architecture,
      batch,
      prefix: await encodePrefix(await this.#once('caption', captionGraph), this.#architecture, { text: start.text, batch }),
      control: await this.controlTokens(start),
      rotary: rotaryOfGrid(gridOf(config), headWidth),
      cache: new KvCache(
        { depth: config.depth, width: config.width, scales: [[1, at(start.text.dims, 0)], gridOf(config)] },
        { batch, hasSource: false, lastScale: 'kept' },
      ),
      embed: await this.#once('embed', embedGraph),
      step: await this.#once('step', stepGraph),
    });
  }

  /** What is added before each controlled layer, `[n, C]`, times the strength. */
  async controlTokens({ features, strength }: Pick<RasterStart, 'features' | 'strength'>): Promise<readonly FloatTensor[] | undefined> {
    if (!features) return undefined;
    const outputs = await (await this.#once('control', controlGraph)).run({ features });
    return this.#architecture.controlled.map((_, fusion) => {
      const { dims, data } = output(outputs, `control_${fusion}`) as FloatTensor;
      return floats(
        dims,
        data.map((value) => value * strength),
      );
    });
  }

  release(): Promise<void> {
    return this.#sessions.release();
  }

  async #encodeControl({ map }: ControlInput): Promise<FloatTensor> {
    const { weights, config, fusedAttention } = this.#architecture;
    const encoder = weights.at('adapter', 'model');
    const session = await this.#once('dinov2', () => dinov2Graph(encoder, fusedAttention));
    const grid = gridOf(config);
    const feeds = { picture: dinov2Picture(map, grid, config.control), positions: dinov2Positions(encoder, grid) };
    return output(await session.run(feeds), 'features') as FloatTensor;
  }

  #once(key: string, build: (architecture: ControlArArchitecture) => ReturnType<typeof stepGraph>): Promise<GraphSession> {
    return this.#sessions.once(key, () => build(this.#architecture));
  }
}

/** Rows and columns of the picture's tokens. */
function gridOf({ scales }: ControlArConfig): Grid {
  return [scales.length, at(scales, 0)[1]];
}

interface RunState {
  readonly architecture: ControlArArchitecture;
  readonly batch: number;
  readonly prefix: FloatTensor; // (B, T, C)
  readonly control: readonly FloatTensor[] | undefined; // (n, C) each
  readonly rotary: RotaryRows;
  readonly cache: KvCache;
  readonly embed: GraphSession;
  readonly step: GraphSession;
}

class ControlArRun implements RasterRun {
  readonly #state: RunState;
  /** Tokens that were predicted so far. */
  #predicted = 0;

  constructor(state: RunState) {
    this.#state = state;
  }

  async next(previous: number | undefined): Promise<FloatTensor> {
    invariant((previous === undefined) === (this.#predicted === 0), 'Expected the token before all but the first.');
    const logits = previous === undefined ? await this.#readText() : await this.#readToken(previous);
    this.#predicted += 1;
    return logits;
  }

  /** The last row of the text predicts the first token. */
  #readText(): Promise<FloatTensor> {
    const { prefix, architecture } = this.#state;
    const length = at(prefix.dims, 1);
    return this.#run(prefix, rotaryOfText(length, architecture.headWidth), causalBias(length));
  }

  async #readToken(token: number): Promise<FloatTensor> {
    const { batch, embed, architecture, rotary, prefix } = this.#state;
    const { data } = output(await embed.run({ ids: int64s([batch], new Array<number>(batch).fill(token)) }), 'tokens') as FloatTensor;
    const seen = at(prefix.dims, 1) + this.#predicted;
    invariant(this.#predicted < cellCount(gridOf(architecture.config)), 'Expected no token behind the last.');
    return this.#run(floats([batch, 1, architecture.config.width], data), rotaryRow(rotary, this.#predicted - 1), floats([1, 1, 1, seen]));
  }

  async #run(x: FloatTensor, angles: RotaryRows, bias: FloatTensor): Promise<FloatTensor> {
    const { step, cache, architecture } = this.#state;
    const layers = [...architecture.layers.keys()];
    const length = at(x.dims, 1);
    const feeds: Feeds = { x, ...angles, bias, ...this.#controlFeeds(length), ...cache.pastInputs(0, layers) };
    return output(await step.run(feeds, cache.freshOutputs(length, layers)), 'logits') as FloatTensor;
  }

  /** Control of the token that is predicted next, at the last of `length` rows; none for the unconditional batch row. */
  #controlFeeds(length: number): Record<string, FloatTensor> {
    const { architecture, batch, control } = this.#state;
    const { width } = architecture.config;
    const feeds = architecture.controlled.map((_, fusion) => {
      const rows = floats([batch, length, width]);
      const own = control?.[fusion]?.data.subarray(this.#predicted * width, (this.#predicted + 1) * width);
      if (own) rows.data.set(own, (length - 1) * width);
      return [`control_${fusion}`, rows] as const;
    });
    return Object.fromEntries(feeds);
  }
}
