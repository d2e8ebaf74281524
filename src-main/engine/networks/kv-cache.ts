import type { Device, GraphSession, Values } from '#engine/tensor/runner.js';
import { elementCount, type Tensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { poolRows } from './area.js';
import { KINDS, type CacheType } from './kv-rows.js';
import { at, invariant } from '#base/assert.js';
import { cellCount, type Grid } from '#base/geometry.js';

// B batch rows · C width · n source tokens

/** As much of a transformer as its cache needs to know. */
export interface CacheSizes {
  readonly depth: number;
  readonly width: number;
  readonly scales: readonly Grid[];
}

type Numbers = Float32Array | Uint16Array;

/** One scale's pass through a step graph. */
export interface ScaleWish {
  readonly scale: number;
  readonly layers: readonly number[];
  /** The outputs that are wanted besides keys and values. */
  readonly only: readonly string[];
}

/** Keys and values of one picture, wherever they lie: the step graph is run through them. */
export interface RowCache {
  readonly batch: number;
  /** The source once through all layers. Before the first scale. */
  runSource(step: GraphSession, feeds: Values): Promise<void>;
  /** A scale through some layers, with everything before it; its rows stay for later ones. */
  runScale(step: GraphSession, feeds: Values, wish: ScaleWish): Promise<Values>;
  /** Goes on without the batch rows behind the first. */
  keepFirstRow(): Promise<void>;
  /** Gives back what it holds of a device. */
  release(): void;
}

interface LayerRows {
  readonly k: Numbers; // (capacity, B, C)
  readonly v: Numbers;
}

/**
 * How layers with these attention modules keep what they computed. Weights that were rounded to integers keep halves: half
 * the memory, an error far below their own (at most .003 of logits that spread over 4 to 9). Exact weights keep exact rows.
 */
export function cacheTypes(
  attentions: readonly Weights[],
  { readsSource, device = { halves: true }, weight = 'mat_qkv.weight' }: CacheKind,
): readonly CacheType[] {
  return attentions.map((attention, layer) => {
    // Layer 0 holds averages of the source, which are made in float32.
    const exact = !device.halves || (readsSource && layer === 0) || !attention.quantised(weight);
    return exact ? 'float32' : 'float16';
  });
}

interface CacheKind {
  readonly readsSource: boolean;
  readonly device?: Device | undefined;
  /** What the layers call their queries, keys and values; absent = as VAR does. */
  readonly weight?: string;
}

interface CacheOptions {
  readonly batch: number;
  readonly hasSource: boolean;
  /** Per layer; absent = all of them exact. */
  readonly types?: readonly CacheType[];
  /** Nobody reads what the last scale would leave behind; a raster's tokens see each other. */
  readonly lastScale: 'kept' | 'left out';
}

/**
 * Keys and values of one picture: per layer one array, rows first, so that the past of any scale is a
 * view of it and new rows are written right behind. The first rows hold the source; layer 0 keeps its
 * source apart, because there every scale sees it at its own resolution (VAREdit's scale-aligned
 * reference): downsampled into the rows just before the first target row.
 */
export class KvCache implements RowCache {
  readonly hasSource: boolean;
  readonly #sizes: CacheSizes;
  readonly #types: readonly CacheType[];
  readonly #keepsLast: boolean;
  readonly #finest: Grid;
  readonly #layers: readonly LayerRows[];
  readonly #firstSource: LayerRows; // (n, B, C)
  #batch: number;
  /** Target rows per layer: a layer that a scale leaves out gets none of it. */
  #filled: number[];

  constructor(sizes: CacheSizes, { batch, hasSource, types, lastScale }: CacheOptions) {
    const { scales, depth } = sizes;
    const stored = lastScale === 'kept' ? scales : scales.slice(0, -1);
    const targets = stored.reduce((sum, grid) => sum + cellCount(grid), 0);
    this.#sizes = sizes;
    this.#keepsLast = lastScale === 'kept';
    this.#types = types ?? Array.from({ length: depth }, () => 'float32' as const);
    this.#finest = at(scales, scales.length - 1);
    this.#batch = batch;
    this.hasSource = hasSource;
    this.#layers = this.#types.map((type) => this.#allocate(this.#sourceRows + targets, type));
    this.#firstSource = this.#allocate(this.#sourceRows, 'float32');
    this.#filled = Array.from({ length: depth }, () => 0);
  }

  get batch(): number {
    return this.#batch;
  }

  get bytes(): number {
    return [...this.#layers, this.#firstSource].reduce((sum, { k, v }) => sum + k.byteLength + v.byteLength, 0);
  }

  async runSource(step: GraphSession, feeds: Values): Promise<void> {
    await step.run({ ...feeds, ...this.nothingBefore() }, this.sourceOutputs(), []);
  }

  runScale(step: GraphSession, feeds: Values, { scale, layers, only }: ScaleWish): Promise<Values> {
    const inputs = { ...feeds, ...this.pastInputs(scale, layers) };
    const isLeftOut = !this.#keepsLast && scale === this.#sizes.scales.length - 1;
    return step.run(inputs, isLeftOut ? {} : this.freshOutputs(cellCount(at(this.#sizes.scales, scale)), layers), only);
  }

  release(): void {
    // Nothing of it lies on a device, and the next picture writes over it.
  }

  /** Forgets the target rows; the source stays. */
  reset(): void {
    this.#filled = this.#filled.map(() => 0);
  }

  keepFirstRow(): Promise<void> {
    const { width } = this.#sizes;
    for (const rows of [...this.#layers, this.#firstSource]) for (const kind of KINDS) keepEvery(rows[kind], { width, of: this.#rowWidth });
    this.#batch = 1;
    return Promise.resolve();
  }

  /** Where the source prefix is to be written: `k_i`, `v_i` of every layer, `[n, B, C]`. */
  sourceOutputs(): Record<string, Tensor> {
    const outputs: Record<string, Tensor> = {};
    this.#layers.forEach((rows, layer) => {
      for (const kind of KINDS)
        outputs[`${kind}_${layer}`] = this.#view((layer === 0 ? this.#firstSource : rows)[kind], 0, this.#sourceRows);
    });
    return outputs;
  }

  /** The past of every layer as the source sees it: `past_k_i`, `past_v_i` `[0, B, C]`. */
  nothingBefore(): Record<string, Tensor> {
    return Object.fromEntries(
      this.#layers.flatMap((rows, layer) => KINDS.map((kind) => [`past_${kind}_${layer}`, this.#view(rows[kind], 0, 0)])),
    );
  }

  /** The past of the given layers as scale `scale` sees it: `past_k_i`, `past_v_i` `[P, B, C]`. */
  pastInputs(scale: number, layers: readonly number[]): Record<string, Tensor> {
    const inputs: Record<string, Tensor> = {};
    const pooled = layers.includes(0) && this.hasSource ? this.#poolSource(scale) : 0;
    for (const layer of layers) {
      const first = layer === 0 ? this.#sourceRows - pooled : 0;
      for (const kind of KINDS) inputs[`past_${kind}_${layer}`] = this.#view(this.#rows(layer)[kind], first, this.#end(layer));
    }
    return inputs;
  }

  /** Where the rows of a scale with `tokens` tokens are to be written; they count as filled from now on. */
  freshOutputs(tokens: number, layers: readonly number[]): Record<string, Tensor> {
    const outputs: Record<string, Tensor> = {};
    for (const layer of layers) {
      const first = this.#end(layer);
      for (const kind of KINDS) outputs[`${kind}_${layer}`] = this.#view(this.#rows(layer)[kind], first, first + tokens);
      this.#filled[layer]! += tokens;
    }
    return outputs;
  }

  /** Downsamples layer 0's source to a scale's grid; returns how many rows that makes. */
  #poolSource(scale: number): number {
    const to = at(this.#sizes.scales, scale);
    const cells = to[0] * to[1];
    invariant(cells <= this.#sourceRows, `Expected at most ${this.#sourceRows} tokens at a scale but received ${cells}.`);
    const width = this.#rowWidth;
    const start = (this.#sourceRows - cells) * width;
    for (const kind of KINDS) {
      const target = floatsOf(this.#rows(0)[kind]).subarray(start, start + cells * width);
      poolRows(
        { rows: floatsOf(this.#firstSource[kind]).subarray(0, this.#sourceRows * width), width },
        { from: this.#finest, to },
        target,
      );
    }
    return cells;
  }

  #rows(layer: number): LayerRows {
    const rows = this.#layers[layer];
    invariant(rows, `Expected a layer below ${this.#layers.length} but received ${layer}.`);
    return rows;
  }

  #end(layer: number): number {
    return this.#sourceRows + this.#filled[layer]!;
  }

  get #sourceRows(): number {
    return this.hasSource ? cellCount(this.#finest) : 0;
  }

  get #rowWidth(): number {
    return this.#batch * this.#sizes.width;
  }

  #allocate(rows: number, type: CacheType): LayerRows {
    const numbers = (): Numbers => (type === 'float16' ? new Uint16Array(rows * this.#rowWidth) : new Float32Array(rows * this.#rowWidth));
    return { k: numbers(), v: numbers() };
  }

  #view(rows: Numbers, first: number, end: number): Tensor {
    const dims = [end - first, this.#batch, this.#sizes.width];
    const data = rows.subarray(first * this.#rowWidth, end * this.#rowWidth);
    invariant(data.length === elementCount(dims), `Expected room for ${String(end)} rows but received less.`);
    return data instanceof Float32Array ? { dtype: 'float32', dims, data } : { dtype: 'float16', dims, data };
  }
}

/** Moves the first `width` of every `of` numbers together, to the front. */
function keepEvery(numbers: Numbers, { width, of }: { width: number; of: number }): void {
  for (let row = 1; row * of < numbers.length; row++) numbers.copyWithin(row * width, row * of, row * of + width);
}

function floatsOf(numbers: Numbers): Float32Array {
  invariant(numbers instanceof Float32Array, 'Expected rows of floats.');
  return numbers;
}
