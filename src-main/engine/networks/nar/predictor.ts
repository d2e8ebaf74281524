import { at, invariant } from '#base/assert.js';
import type { Grid } from '#base/geometry.js';
import { cellsOf, diagonalsOf, type Diagonal } from '#engine/tensor/diagonals.js';
import type { Conditioning, PredictionRun, ScaleInput, ScalePrediction, ScalePredictor } from '#engine/tensor/predictor.js';
import { output, type GraphSession, type Runner } from '#engine/tensor/runner.js';
import { floats, int64s, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { KvCache } from '../kv-cache.js';
import { captionGraph, causalBias, embedGraph, encodePrefix } from '../llamagen/prefix.js';
import { rotaryOfGrid, rotaryOfText, type RotaryRows } from '../llamagen/rotary-grid.js';
import { openedWhole, SessionCache } from '../session-cache.js';
import { describeNar, type NarArchitecture, type NarSizes } from './architecture.js';
import { stepGraph } from './step-graph.js';

// B 2 under guidance, else 1 · T text rows · l tokens of a diagonal · V codebook entries · C width

/**
 * Opens a LlamaGen transformer that draws next neighbours (NAR, He et al. 2025), published names: all tokens of an
 * anti-diagonal at once, from what their left and upper neighbours say.
 *
 * @throws ExpectedError `weights.refused` where the weights do not fit the card.
 */
export async function openNar(runner: Runner, weights: Weights, config: NarSizes): Promise<NarPredictor> {
  return openedWhole(new NarPredictor(new SessionCache(runner), describeNar(weights, config, runner.fusedAttention)));
}

export class NarPredictor implements ScalePredictor {
  readonly schedule: readonly Grid[];
  readonly #sessions: SessionCache;
  readonly #architecture: NarArchitecture;

  constructor(sessions: SessionCache, architecture: NarArchitecture) {
    this.#sessions = sessions;
    this.#architecture = architecture;
    this.schedule = diagonalsOf(architecture.config.grid).map(({ first, last }): Grid => [1, last - first + 1]);
  }

  get depth(): number {
    return this.#architecture.config.depth;
  }

  async openAlways(): Promise<void> {
    for (const name of ['caption', 'embed', 'step'] as const) await this.#once(name);
  }

  async begin({ text, guided }: Conditioning): Promise<NarRun> {
    if (text.kind !== 'features') throw new Error(`Expected text features but received ${text.kind}.`);
    const { config, width, heads } = this.#architecture;
    const batch = guided ? 2 : 1;
    const prefix = await encodePrefix(await this.#once('caption'), this.#architecture, { text: text.features, batch });
    return new NarRun({
      architecture: this.#architecture,
      prefix,
      rotary: rotaryOfGrid(config.grid, width / heads),
      cache: new KvCache(
        { depth: config.depth, width, scales: [[1, at(prefix.dims, 1)], config.grid] },
        { batch, hasSource: false, lastScale: 'kept' },
      ),
      embed: await this.#once('embed'),
      step: await this.#once('step'),
    });
  }

  release(): Promise<void> {
    return this.#sessions.release();
  }

  #once(key: keyof typeof GRAPHS): Promise<GraphSession> {
    return this.#sessions.once(key, () => GRAPHS[key](this.#architecture));
  }
}

const GRAPHS = { caption: captionGraph, embed: embedGraph, step: stepGraph } as const;

interface RunState {
  readonly architecture: NarArchitecture;
  readonly prefix: FloatTensor; // (B, T, C)
  readonly rotary: RotaryRows;
  readonly cache: KvCache;
  readonly embed: GraphSession;
  readonly step: GraphSession;
}

/** Logits of the neighbours of what was read, `[B, L, V]` each. */
export interface Neighbours {
  readonly right: FloatTensor;
  readonly below: FloatTensor;
}

export class NarRun implements PredictionRun {
  readonly #state: RunState;
  readonly #diagonals: readonly Diagonal[];
  #next = 0;

  constructor(state: RunState) {
    this.#state = state;
    this.#diagonals = diagonalsOf(state.architecture.config.grid);
  }

  async predict(scale: number, { previous }: Pick<ScaleInput, 'previous'>): Promise<ScalePrediction> {
    invariant(scale === this.#next, `Expected diagonal ${this.#next} but received ${scale}.`);
    this.#next += 1;
    if (scale === 0) return { logits: lastOf(await this.readText()) };
    invariant(previous, `Expected the tokens of diagonal ${scale - 1} but received none.`);
    const neighbours = await this.readDiagonal(scale - 1, previous);
    return { logits: joined(neighbours, at(this.#diagonals, scale - 1), at(this.#diagonals, scale)) };
  }

  async endGuidance(): Promise<void> {
    if (this.#state.cache.batch > 1) await this.#state.cache.keepFirstRow();
  }

  end(): void {
    this.#state.cache.release();
  }

  /** Text rows see the text before them. */
  readText(): Promise<Neighbours> {
    const { prefix, architecture } = this.#state;
    const [, length = 0] = prefix.dims;
    return this.#read(prefix, rotaryOfText(length, architecture.width / architecture.heads), causalBias(length));
  }

  /** Tokens of a diagonal, rows ascending, see the text, all earlier diagonals and each other. */
  async readDiagonal(index: number, tokens: ArrayLike<number>): Promise<Neighbours> {
    const { embed, architecture, rotary, prefix, cache } = this.#state;
    const { length } = tokens;
    const ids = Array.from({ length: cache.batch * length }, (_, i) => tokens[i % length]!);
    const { data } = output(await embed.run({ ids: int64s([ids.length], ids) }), 'tokens') as FloatTensor;
    const cells = this.#diagonals.slice(0, index + 1).map((diagonal) => cellsOf(diagonal, architecture.config.grid));
    const seen = at(prefix.dims, 1) + cells.reduce((sum, some) => sum + some.length, 0);
    const x = floats([cache.batch, length, architecture.width], data);
    return this.#read(x, rowsOf(rotary, at(cells, index)), floats([1, 1, length, seen]));
  }

  async #read(x: FloatTensor, angles: RotaryRows, bias: FloatTensor): Promise<Neighbours> {
    const { step, cache, architecture } = this.#state;
    const layers = [...architecture.layers.keys()];
    const outputs = await step.run({ x, ...angles, bias, ...cache.pastInputs(0, layers) }, cache.freshOutputs(at(x.dims, 1), layers));
    return { right: output(outputs, 'right') as FloatTensor, below: output(outputs, 'below') as FloatTensor };
  }
}

function rowsOf({ cos, sin }: RotaryRows, cells: readonly number[]): RotaryRows {
  const [, pairs = 0] = cos.dims;
  const gathered = ({ data }: FloatTensor) => {
    const rows = floats([cells.length, pairs]);
    cells.forEach((cell, i) => {
      rows.data.set(data.subarray(cell * pairs, (cell + 1) * pairs), i * pairs);
    });
    return rows;
  };
  return { cos: gathered(cos), sin: gathered(sin) };
}

/** The first token of a picture lies to the right of the text and below it: `[B, 1, V]`. */
function lastOf({ right, below }: Neighbours): FloatTensor {
  const [batch = 0, length = 0, entries = 0] = right.dims;
  const logits = floats([batch, 1, entries]);
  for (let b = 0; b < batch; b++) {
    const row = { right: rowAt(right, b, length - 1), below: rowAt(below, b, length - 1) };
    logits.data.set(mean(row.right, row.below), b * entries);
  }
  return logits;
}

/** What the neighbours on one diagonal say of the next, `[B, l, V]`: the mean of both where a token has two. */
function joined({ right, below }: Neighbours, from: Diagonal, to: Diagonal): FloatTensor {
  const [batch = 0, , entries = 0] = right.dims;
  const length = to.last - to.first + 1;
  const logits = floats([batch, length, entries]);
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < length; i++) {
      const row = to.first + i;
      const left = row <= from.last ? rowAt(right, b, row - from.first) : undefined;
      const above = row > from.first ? rowAt(below, b, row - 1 - from.first) : undefined;
      logits.data.set(left && above ? mean(left, above) : (left ?? above)!, (b * length + i) * entries);
    }
  }
  return logits;
}

function rowAt({ dims: [, length = 0, entries = 0], data }: FloatTensor, batch: number, row: number): Float32Array {
  const start = (batch * length + row) * entries;
  return data.subarray(start, start + entries);
}

function mean(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => (value + b[i]!) / 2);
}
