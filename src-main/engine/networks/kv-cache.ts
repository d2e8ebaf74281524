import { floats, type FloatTensor, type Tensor } from '#engine/tensor/tensor.js';
import { poolRows } from './area.js';
import { at, invariant } from '#base/assert.js';
import { cellCount, type Grid } from '#base/geometry.js';

// B batch rows · C width · n source tokens

const KINDS = ['k', 'v'] as const;

/** As much of a transformer as its cache needs to know. */
export interface CacheSizes {
  readonly depth: number;
  readonly width: number;
  readonly scales: readonly Grid[];
}

interface LayerRows {
  readonly k: Float32Array; // (capacity, B, C)
  readonly v: Float32Array;
}

/**
 * Keys and values of one picture: per layer one array, rows first, so that the past of any scale is a
 * view of it and new rows are written right behind. The first rows hold the source; layer 0 keeps its
 * source apart, because there every scale sees it at its own resolution (VAREdit's scale-aligned
 * reference): downsampled into the rows just before the first target row.
 */
export class KvCache {
  readonly batch: number;
  readonly hasSource: boolean;
  readonly #sizes: CacheSizes;
  readonly #finest: Grid;
  readonly #layers: readonly LayerRows[];
  readonly #firstSource: LayerRows; // (n, B, C)
  /** Target rows per layer: a layer that a scale leaves out gets none of it. */
  #filled: number[];

  constructor(sizes: CacheSizes, { batch, hasSource }: { batch: number; hasSource: boolean }) {
    const { scales, depth } = sizes;
    const targets = scales.reduce((sum, [rows, columns]) => sum + rows * columns, 0);
    this.#sizes = sizes;
    this.#finest = at(scales, scales.length - 1);
    this.batch = batch;
    this.hasSource = hasSource;
    this.#layers = Array.from({ length: depth }, () => this.#allocate(this.#sourceRows + targets));
    this.#firstSource = this.#allocate(this.#sourceRows);
    this.#filled = Array.from({ length: depth }, () => 0);
  }

  /** Forgets the target rows; the source stays. */
  reset(): void {
    this.#filled = this.#filled.map(() => 0);
  }

  /** Where the source prefix is to be written: `k_i`, `v_i` of every layer, `[n, B, C]`. */
  sourceOutputs(): Record<string, FloatTensor> {
    const outputs: Record<string, FloatTensor> = {};
    this.#layers.forEach((rows, layer) => {
      for (const kind of KINDS)
        outputs[`${kind}_${layer}`] = this.#view((layer === 0 ? this.#firstSource : rows)[kind], 0, this.#sourceRows);
    });
    return outputs;
  }

  /** The past of every layer as the source sees it: `past_k_i`, `past_v_i` `[0, B, C]`. */
  nothingBefore(): Record<string, FloatTensor> {
    const nothing = this.#view(new Float32Array(0), 0, 0);
    return Object.fromEntries(this.#layers.flatMap((_, layer) => KINDS.map((kind) => [`past_${kind}_${layer}`, nothing])));
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
  freshOutputs(tokens: number, layers: readonly number[]): Record<string, FloatTensor> {
    const outputs: Record<string, FloatTensor> = {};
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
      const target = this.#rows(0)[kind].subarray(start, start + cells * width);
      poolRows({ rows: this.#firstSource[kind], width }, { from: this.#finest, to }, target);
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
    return this.batch * this.#sizes.width;
  }

  #allocate(rows: number): LayerRows {
    return { k: new Float32Array(rows * this.#rowWidth), v: new Float32Array(rows * this.#rowWidth) };
  }

  #view(rows: Float32Array, first: number, end: number): FloatTensor {
    const { width } = this.#sizes;
    return floats([end - first, this.batch, width], rows.subarray(first * this.#rowWidth, end * this.#rowWidth));
  }
}
