import { at } from '#base/assert.js';
import type { TransformerConfig } from '#contract/pack-card.js';
import type { Conditioning, PredictionRun, ScalePredictor } from '#engine/tensor/predictor.js';
import { output, type Runner } from '#engine/tensor/runner.js';
import { floatData, floats, joinedFloats, type Tensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { KvCache, type RowCache } from '../kv-cache.js';
import { openedWhole, SessionCache } from '../session-cache.js';
import { describe, withGrids, type Architecture } from './architecture.js';
import { conditionFeeds } from './condition-graph.js';
import { encodeControl } from './control.js';
import { rotaryTables, type RotaryTables } from './rotary-positions.js';
import { mostTokensTogether } from './rows-together.js';
import { InfinityRun, sharedFeeds, textRow, type TextCondition } from './run.js';
import { InfinitySessions } from './sessions.js';

/**
 * Opens a next-scale transformer of the Infinity family (Infinity, Han et al. 2024; VAREdit, Mao et al.
 * 2025), published or built-in. Depth subsets are opened when a scale first asks for them.
 *
 * @throws ExpectedError `weights.refused` where the weights do not fit the card.
 */
export async function openInfinity(runner: Runner, weights: Weights, config: TransformerConfig): Promise<InfinityPredictor> {
  const architecture = describe(weights, config, runner);
  return new InfinityPredictor(await openedWhole(new InfinitySessions(new SessionCache(runner), architecture)));
}

/** A source prefix that lies ready in the caches of a batch's parts, and what it was made from. */
interface PreparedCaches {
  /** The token grids that they were made for. */
  readonly scales: string;
  /** How many rows each was made for. */
  readonly batches: readonly number[];
  readonly caches: readonly RowCache[];
  readonly origin: PrefixOrigin | undefined;
}

/** Only what lies in the CPU's own memory waits for the next request. */
interface SpareCaches extends PreparedCaches {
  readonly caches: readonly KvCache[];
}

/** Caches of at most this size stay for the next request, which then need not read the same source again. */
const MAX_SPARE_BYTES = 1024 ** 3;

/** Copies: a caller may write into its own arrays later. */
interface PrefixOrigin {
  readonly tokens: Float32Array;
  readonly mask: Float32Array;
  readonly text: Float32Array;
}

/** The caches of the last finished run, whatever their shape: the next one writes over them, or goes on from their source. */
interface Spare {
  prepared?: SpareCaches | undefined;
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

  async begin(conditioning: Conditioning, layers: readonly (readonly number[])[] = []): Promise<PredictionRun> {
    const isByControl = conditioning.control?.guided === true;
    const text = await this.#encodeText(conditioning);
    // Guided by the control, the second row differs in nothing but that it has none.
    const texts = isByControl ? [text, text] : this.#inTurn(text);
    const control = conditioning.control && (await encodeControl(this.#sessions, conditioning.control));
    const controls = isByControl ? [control, undefined] : texts.map(() => control);
    for (const [scale, subset] of layers.entries()) {
      for (const held of controls) await this.#sessions.step(subset, held?.[scale] !== undefined);
    }
    const prepared = await this.#prepareCaches(conditioning, texts);
    return new InfinityRun({
      sessions: this.#sessions,
      rotary: this.#rotary,
      parts: texts.map((told, i) => ({ text: told, cache: at(prepared.caches, i), control: controls[i] })),
      finished: () => {
        this.#keep(prepared);
        for (const cache of prepared.caches) cache.release();
      },
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

  /** The rows of a batch as they go through the network: together, or one after the other. */
  #inTurn(text: TextCondition): readonly TextCondition[] {
    const { sourceTokens, config } = this.#architecture;
    const isLarge = sourceTokens > mostTokensTogether(config.width);
    return isLarge ? Array.from({ length: text.batch }, (_, row) => textRow(text, row)) : [text];
  }

  async #prepareCaches(conditioning: Conditioning, texts: readonly TextCondition[]): Promise<PreparedCaches> {
    const origin = this.#originOf(conditioning, texts);
    const batches = texts.map(({ batch }) => batch);
    const spare = this.#takeSpare(batches, origin !== undefined);
    if (spare && sameOrigin(spare.origin, origin)) return spare;
    const caches = spare?.caches ?? batches.map((batch) => this.#sessions.newCache(batch, origin !== undefined));
    try {
      if (origin) for (const [i, text] of texts.entries()) await this.#runPrefix(origin, { text, cache: at(caches, i) });
    } catch (error) {
      for (const cache of caches) cache.release();
      throw error;
    }
    return { scales: this.#scales, batches, caches, origin };
  }

  #takeSpare(batches: readonly number[], hasSource: boolean): SpareCaches | undefined {
    const spare = this.#spare.prepared;
    this.#spare.prepared = undefined;
    const fits = spare?.scales === this.#scales && String(spare.batches) === String(batches);
    if (!fits || !spare.caches.every((cache) => cache.hasSource === hasSource)) return undefined;
    for (const cache of spare.caches) cache.reset();
    return spare;
  }

  /** Caches that lost rows on the way are of no use, and large ones make room for the decoder. */
  #keep(prepared: PreparedCaches): void {
    const caches = prepared.caches.filter((cache) => cache instanceof KvCache);
    const isWhole = caches.length === prepared.caches.length && caches.every((cache, i) => cache.batch === prepared.batches[i]);
    const bytes = caches.reduce((sum, cache) => sum + cache.bytes, 0);
    if (isWhole && bytes <= MAX_SPARE_BYTES) this.#spare.prepared = { ...prepared, caches };
  }

  #originOf({ source }: Conditioning, texts: readonly TextCondition[]): PrefixOrigin | undefined {
    if (!source) return undefined;
    const { sourceTokens, cellsPerToken } = this.#architecture;
    const mask = source.mask ? source.mask.data.slice() : new Float32Array(sourceTokens * cellsPerToken);
    return {
      tokens: source.tokens.data.slice(),
      mask,
      text: joinedFloats(texts.map(({ outputs }) => floatData(output(outputs, 'text_memory')))),
    };
  }

  /** The source once through all layers, straight into the cache. */
  async #runPrefix({ tokens, mask }: PrefixOrigin, { text, cache }: { text: TextCondition; cache: RowCache }): Promise<void> {
    const { config, sourceTokens, cellsPerToken, blocks } = this.#architecture;
    const layers = [...blocks.keys()];
    const source: Record<string, Tensor> = {
      source: floats([sourceTokens, config.tokenBits], tokens),
      cond: output(text.outputs, 'cond'),
    };
    if (config.maskEmbedding) source['mask'] = floats([sourceTokens, cellsPerToken], mask);
    const embedded = await (await this.#sessions.source()).run(source);
    const feeds = { ...embedded, ...sharedFeeds(text, layers), ...this.#rotary.source };
    // The pull is what the logits of a scale need; nobody asks for those of the source.
    const unasked = config.copyGate ? { pull: floats([sourceTokens, config.tokenBits]) } : {};
    await cache.runSource(await this.#sessions.step(layers, false), { ...feeds, ...unasked });
  }
}

function sameOrigin(a: PrefixOrigin | undefined, b: PrefixOrigin | undefined): boolean {
  if (!a || !b) return a === b;
  return sameValues(a.tokens, b.tokens) && sameValues(a.mask, b.mask) && sameValues(a.text, b.text);
}

function sameValues(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
