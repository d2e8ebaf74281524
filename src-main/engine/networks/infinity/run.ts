import { at, invariant } from '#base/assert.js';
import { cellCount } from '#base/geometry.js';
import type { PredictionRun, ScaleInput, ScalePrediction } from '#engine/tensor/predictor.js';
import { output, type Feeds } from '#engine/tensor/runner.js';
import { floats, int64s, type FloatTensor, type Tensor } from '#engine/tensor/tensor.js';
import type { KvCache } from '../kv-cache.js';
import type { ControlFeatures } from './control.js';
import type { RotaryTables } from './rotary-positions.js';
import type { InfinitySessions } from './sessions.js';

// l tokens of the scale · D bits per token · P tokenizer cells per token

/** The condition graph's answer. */
export interface TextCondition {
  readonly outputs: Feeds;
  readonly bias: Tensor; // (B, 1, 1, T)
  readonly batch: number;
}

interface RunState {
  readonly sessions: InfinitySessions;
  readonly rotary: RotaryTables;
  readonly text: TextCondition;
  readonly cache: KvCache;
  readonly control?: ControlFeatures;
  /** Called after the last scale: the cache is free again. */
  readonly finished: () => void;
}

/** One picture in the making: its text, its cache, and how far it has come. */
export class InfinityRun implements PredictionRun {
  readonly #state: RunState;
  #next = 0;

  constructor(state: RunState) {
    this.#state = state;
  }

  async predict(scale: number, input: ScaleInput, layers: readonly number[]): Promise<ScalePrediction> {
    const { sessions, cache, control } = this.#state;
    const { config } = sessions.architecture;
    invariant(scale === this.#next, `Expected scale ${this.#next} but received ${scale}.`);
    this.#next += 1;
    const held = control?.[scale];
    const session = await sessions.step(layers, held !== undefined);
    const embedded = await this.#embed(scale, input);
    const shared = { ...sharedFeeds(this.#state.text, layers), ...at(this.#state.rotary.scales, scale) };
    const feeds = { ...embedded, ...shared, ...cache.pastInputs(scale, layers), ...held };
    const outputs = await session.run(feeds, cache.freshOutputs(cellCount(at(config.scales, scale)), layers));
    if (this.#next === config.scales.length) this.#state.finished();
    const logits = output(outputs, 'logits') as FloatTensor;
    return config.copyGate ? { logits, gate: output(outputs, 'gate') as FloatTensor } : { logits };
  }

  /** The tokens of the scale: `x` `[B, l, C]` and, with a copy gate, `pull` `[l, D]`. */
  async #embed(scale: number, input: ScaleInput): Promise<Feeds> {
    const { sessions, text } = this.#state;
    const session = await sessions.embed(scale === 0);
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

/** What the text says to a step through the given layers. */
export function sharedFeeds({ outputs, bias }: TextCondition, layers: readonly number[]): Record<string, Tensor> {
  const names = ['gss', 'head_ada', ...layers.flatMap((layer) => [`text_k_${layer}`, `text_v_${layer}`])];
  return { ...Object.fromEntries(names.map((name) => [name, output(outputs, name)])), text_bias: bias };
}
