import type { TransformerConfig } from '#contract/pack-card.js';
import type { Conditioning, PredictionRun, ScalePredictor } from '#engine/tensor/predictor.js';
import { output, type Runner } from '#engine/tensor/runner.js';
import { floatData, floats, type Tensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { KvCache } from '../kv-cache.js';
import { openedWhole, SessionCache } from '../session-cache.js';
import { describe, withGrids, type Architecture } from './architecture.js';
import { conditionFeeds } from './condition-graph.js';
import { encodeControl } from './control.js';
import { rotaryTables, type RotaryTables } from './rotary-positions.js';
import { InfinityRun, sharedFeeds, type TextCondition } from './run.js';
import { InfinitySessions } from './sessions.js';

/**
 * Opens a next-scale transformer of the Infinity family (Infinity, Han et al. 2024; VAREdit, Mao et al.
 * 2025), published or built-in. Depth subsets are opened when a scale first asks for them.
 *
 * @throws ExpectedError `weights.refused` where the weights do not fit the card.
 */
export async function openInfinity(runner: Runner, weights: Weights, config: TransformerConfig): Promise<InfinityPredictor> {
  const architecture = describe(weights, config, runner.provider);
  return new InfinityPredictor(await openedWhole(new InfinitySessions(new SessionCache(runner), architecture)));
}

/** A source prefix that lies ready in a cache, and what it was made from. */
interface PreparedCache {
  /** The token grids that it was made for. */
  readonly scales: string;
  readonly cache: KvCache;
  readonly origin: PrefixOrigin | undefined;
}

/** Copies: a caller may write into its own arrays later. */
interface PrefixOrigin {
  readonly tokens: Float32Array;
  readonly mask: Float32Array;
  readonly text: Float32Array;
}

/** The cache of the last finished run, whatever its shape: the next one writes over it, or goes on from its source. */
interface Spare {
  prepared?: PreparedCache | undefined;
}

export class InfinityPredictor implements ScalePredictor {
  readonly #sessions: InfinitySessions;
  readonly #rotary: RotaryTables;
  readonly #spare: Spare;

  constructor(sessions: InfinitySessions, spare: Spare = {}) {
    this.#sessions = sessions;
    this.#spare = spare;
    this.#rotary = rotaryTables(this.#architecture.config, this.#architecture.headWidth);
  }

  get #architecture(): Architecture {
    return this.#sessions.architecture;
  }

  get #scales(): string {
    return String(this.#architecture.config.scales);
  }

  get schedule(): TransformerConfig['scales'] {
    return this.#architecture.config.scales;
  }

  /** The same weights for pictures of another shape. */
  fitted(shape: Pick<TransformerConfig, 'scales' | 'rotary'>): InfinityPredictor {
    return new InfinityPredictor(this.#sessions.on(withGrids(this.#architecture, shape)), this.#spare);
  }

  get depth(): number {
    return this.#architecture.config.depth;
  }

  async begin(conditioning: Conditioning): Promise<PredictionRun> {
    const text = await this.#encodeText(conditioning);
    const prepared = await this.#prepareCache(conditioning, text);
    const control = conditioning.control && (await encodeControl(this.#sessions, conditioning.control));
    return new InfinityRun({
      sessions: this.#sessions,
      rotary: this.#rotary,
      text,
      cache: prepared.cache,
      ...(control && { control }),
      finished: () => (this.#spare.prepared = prepared),
    });
  }

  async release(): Promise<void> {
    this.#spare.prepared = undefined;
    await this.#sessions.release();
  }

  async #encodeText({ text, guided }: Conditioning): Promise<TextCondition> {
    const feeds = conditionFeeds(this.#architecture, text, guided);
    const outputs = await (await this.#sessions.condition()).run(feeds);
    return { outputs, bias: feeds['text_bias']!, batch: guided ? 2 : 1 };
  }

  async #prepareCache(conditioning: Conditioning, text: TextCondition): Promise<PreparedCache> {
    const origin = this.#originOf(conditioning, text);
    const spare = this.#takeSpare(text.batch, origin !== undefined);
    if (spare && sameOrigin(spare.origin, origin)) return spare;
    const cache = spare?.cache ?? new KvCache(this.#architecture.config, { batch: text.batch, hasSource: origin !== undefined });
    if (origin) await this.#runPrefix(origin, { text, cache });
    return { scales: this.#scales, cache, origin };
  }

  #takeSpare(batch: number, hasSource: boolean): PreparedCache | undefined {
    const spare = this.#spare.prepared;
    this.#spare.prepared = undefined;
    if (spare?.scales !== this.#scales || spare.cache.batch !== batch || spare.cache.hasSource !== hasSource) return undefined;
    spare.cache.reset();
    return spare;
  }

  #originOf({ source }: Conditioning, text: TextCondition): PrefixOrigin | undefined {
    if (!source) return undefined;
    const { sourceTokens, cellsPerToken } = this.#architecture;
    const mask = source.mask ? source.mask.data.slice() : new Float32Array(sourceTokens * cellsPerToken);
    return { tokens: source.tokens.data.slice(), mask, text: floatData(output(text.outputs, 'text_memory')).slice() };
  }

  /** The source once through all layers, straight into the cache. */
  async #runPrefix({ tokens, mask }: PrefixOrigin, { text, cache }: { text: TextCondition; cache: KvCache }): Promise<void> {
    const { config, sourceTokens, cellsPerToken, blocks } = this.#architecture;
    const layers = [...blocks.keys()];
    const source: Record<string, Tensor> = {
      source: floats([sourceTokens, config.tokenBits], tokens),
      cond: output(text.outputs, 'cond'),
    };
    if (config.maskEmbedding) source['mask'] = floats([sourceTokens, cellsPerToken], mask);
    const embedded = await (await this.#sessions.source()).run(source);
    const feeds = { ...embedded, ...sharedFeeds(text, layers), ...this.#rotary.source, ...cache.nothingBefore() };
    // The pull is what the logits of a scale need; nobody asks for those of the source.
    const unasked = config.copyGate ? { pull: floats([sourceTokens, config.tokenBits]) } : {};
    await (await this.#sessions.step(layers, false)).run({ ...feeds, ...unasked }, cache.sourceOutputs());
  }
}

function sameOrigin(a: PrefixOrigin | undefined, b: PrefixOrigin | undefined): boolean {
  if (!a || !b) return a === b;
  return sameValues(a.tokens, b.tokens) && sameValues(a.mask, b.mask) && sameValues(a.text, b.text);
}

function sameValues(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
