import { at, invariant } from '#base/assert.js';
import { cellCount } from '#base/geometry.js';
import type { PredictionRun, ScaleInput, ScalePrediction } from '#engine/tensor/predictor.js';
import { batchRow, output, type Values } from '#engine/tensor/runner.js';
import { floats, int64s, joinedFloats, type FloatTensor, type Tensor } from '#engine/tensor/tensor.js';
import type { RowCache } from '../kv-cache.js';
import type { ControlFeatures } from './control.js';
import type { RotaryTables } from './rotary-positions.js';
import type { InfinitySessions } from './sessions.js';

// l tokens of the scale · D bits per token · P tokenizer cells per token

/** The condition graph's answer. */
export interface TextCondition {
  readonly outputs: Values;
  readonly bias: Tensor; // (B, 1, 1, T)
  readonly batch: number;
}

interface RunState {
  readonly sessions: InfinitySessions;
  readonly rotary: RotaryTables;
  /** Rows of the batch that go through the network together: all of them, or each by itself. */
  readonly parts: readonly BatchPart[];
  /** Called after the last scale: nobody reads the caches any more. */
  readonly finished: () => void;
}

/** Some rows of a batch, with what they were told and what they remember. */
export interface BatchPart {
  readonly text: TextCondition;
  readonly cache: RowCache;
  readonly control?: ControlFeatures | undefined;
}

/** One picture in the making: its text, its cache, and how far it has come. */
export class InfinityRun implements PredictionRun {
  readonly #state: RunState;
  #parts: readonly BatchPart[];
  #next = 0;

  constructor(state: RunState) {
    this.#state = state;
    this.#parts = state.parts;
  }

  async predict(scale: number, input: ScaleInput, layers: readonly number[]): Promise<ScalePrediction> {
    const { sessions, finished } = this.#state;
    const { config } = sessions.architecture;
    invariant(scale === this.#next, `Expected scale ${this.#next} but received ${scale}.`);
    this.#next += 1;
    const predictions: ScalePrediction[] = [];
    for (const part of this.#parts) predictions.push(await this.#predictPart(part, { scale, input, layers }));
    if (this.#next === config.scales.length) finished();
    return { ...at(predictions, 0), logits: stacked(predictions.map(({ logits }) => logits)) };
  }

  async endGuidance(): Promise<void> {
    const [first, ...others] = this.#parts;
    invariant(first, 'Expected a run that has begun.');
    for (const { cache } of others) cache.release();
    if (first.cache.batch > 1) await first.cache.keepFirstRow();
    this.#parts = [{ ...first, text: textRow(first.text, 0) }];
  }

  end(): void {
    for (const { cache } of this.#parts) cache.release();
  }

  async #predictPart({ text, cache, control }: BatchPart, { scale, input, layers }: ScaleWork): Promise<ScalePrediction> {
    const { sessions, rotary } = this.#state;
    const { config } = sessions.architecture;
    const held = control?.[scale];
    const session = await sessions.step(layers, held !== undefined);
    const embedded = await this.#embed(text, scale, input);
    const shared = { ...sharedFeeds(text, layers), ...at(rotary.scales, scale) };
    const only = config.copyGate ? ['logits', 'gate'] : ['logits'];
    const outputs = await cache.runScale(session, { ...embedded, ...shared, ...held }, { scale, layers, only });
    const logits = output(outputs, 'logits') as FloatTensor;
    return config.copyGate ? { logits, gate: output(outputs, 'gate') as FloatTensor } : { logits };
  }

  /** The tokens of the scale: `x` `[B, l, C]` and, with a copy gate, `pull` `[l, D]`. */
  async #embed(text: TextCondition, scale: number, input: ScaleInput): Promise<Values> {
    const session = await this.#state.sessions.embed(scale === 0);
    const feeds: Record<string, Tensor> = { cond: output(text.outputs, 'cond'), level: int64s([], [scale]) };
    if (scale > 0) {
      invariant(input.codes, `Expected the codes so far at scale ${scale} but received none.`);
      feeds['codes'] = input.codes;
    }
    return session.run({ ...feeds, ...this.#sourceFeeds(scale, input) });
  }

  /** Where there is no source, there is nothing to copy anywhere: no residual, all mask. */
  #sourceFeeds(scale: number, input: ScaleInput): Record<string, Tensor> {
    const { config, cellsPerToken } = this.#state.sessions.architecture;
    const tokens = cellCount(at(config.scales, scale));
    const feeds: Record<string, Tensor> = {};
    if (config.sourceFusion || config.copyGate) feeds['residual'] = input.residual ?? floats([tokens, config.tokenBits]);
    if (config.sourceFusion)
      feeds['mask'] = input.mask ?? floats([tokens, cellsPerToken], new Float32Array(tokens * cellsPerToken).fill(1));
    return feeds;
  }
}

interface ScaleWork {
  readonly scale: number;
  readonly input: ScaleInput;
  readonly layers: readonly number[];
}

/** `[b, l, D]` each → `[B, l, D]`; one alone as it is. */
function stacked(parts: readonly FloatTensor[]): FloatTensor {
  const [first, ...others] = parts;
  invariant(first, 'Expected at least one row.');
  if (others.length === 0) return first;
  const [, ...dims] = first.dims;
  const rows = parts.reduce((sum, part) => sum + at(part.dims, 0), 0);
  return floats([rows, ...dims], joinedFloats(parts.map(({ data }) => data)));
}

/** What one row of a batch was told. */
export function textRow({ outputs, bias }: TextCondition, index: number): TextCondition {
  return { outputs: batchRow(outputs, index), bias: output(batchRow({ bias }, index), 'bias'), batch: 1 };
}

/** What the text says to a step through the given layers. */
export function sharedFeeds({ outputs, bias }: TextCondition, layers: readonly number[]): Record<string, Tensor> {
  const names = ['gss', 'head_ada', ...layers.flatMap((layer) => [`text_k_${layer}`, `text_v_${layer}`])];
  return { ...Object.fromEntries(names.map((name) => [name, output(outputs, name)])), text_bias: bias };
}
