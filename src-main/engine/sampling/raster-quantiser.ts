import { at } from '#base/assert.js';
import { cellCount, type Grid } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Codebook } from './codebook.js';
import { drawIndices } from './indices.js';
import { KEPT_BELOW } from './keep-mask.js';
import { patchify } from './patchify.js';
import type { DrawOptions, Quantiser } from './quantiser.js';

// d channels of a code · V codebook entries · G the whole grid, H rows of W tokens

/**
 * One token per cell, row by row (LlamaGen, Sun et al. 2024). A row takes the place that a scale has in residual
 * quantisers: rows add up to the picture as scales do.
 */
export class RasterQuantiser implements Quantiser {
  readonly schedule: readonly Grid[];
  readonly patch = 1;
  readonly valuesPerToken = 1;
  readonly #codebook: Codebook;

  /** @param schedule H grids of one row and W columns */
  constructor({ schedule, codebook }: { readonly schedule: readonly Grid[]; readonly codebook: Codebook }) {
    this.schedule = schedule;
    this.#codebook = codebook;
  }

  get scales(): number {
    return this.schedule.length;
  }

  get finest(): Grid {
    return [this.scales, this.#columns];
  }

  /** V */
  get entries(): number {
    return this.#codebook.entries;
  }

  get #columns(): number {
    return at(this.schedule, 0)[1];
  }

  tokens(k: number): number {
    return cellCount(at(this.schedule, k));
  }

  emptySum(): FloatTensor {
    return floats([this.#codebook.width, ...this.finest]);
  }

  /** There is no coarser picture: the same map, whatever the row. */
  down(map: FloatTensor): FloatTensor {
    return map;
  }

  add(sum: FloatTensor, tokens: ArrayLike<number>, k: number): FloatTensor {
    const codes = this.#codebook.codesOf(tokens, [1, this.#columns]); // (d, 1, W)
    const data = sum.data.slice();
    for (let channel = 0; channel < this.#codebook.width; channel++) {
      const row = codes.data.subarray(channel * this.#columns, (channel + 1) * this.#columns);
      data.set(row, this.#start(channel, k));
    }
    return { ...sum, data };
  }

  /** Row k − 1 as codes, `[W, d]`. */
  nextInput(sum: FloatTensor, k: number): FloatTensor {
    return patchify(this.#row(sum, k - 1), 1);
  }

  quantise(features: FloatTensor, _sum: FloatTensor, k: number): Uint16Array {
    return this.#codebook.nearest(patchify(this.#row(features, k), 1).data);
  }

  /** @param scale which token of the picture comes first in `guided`: each has a random number of its own. */
  draw(guided: Float32Array, options: DrawOptions, scale: number): Uint16Array {
    return drawIndices(guided, this.entries, { options, scale });
  }

  kept(mask: FloatTensor, k: number): Uint8Array {
    return Uint8Array.from(this.#row(mask, k).data, (share) => (share < KEPT_BELOW ? 1 : 0));
  }

  /** `[c, G]` → `[c, 1, W]` */
  #row(map: FloatTensor, k: number): FloatTensor {
    const [channels = 0] = map.dims;
    const row = floats([channels, 1, this.#columns]);
    for (let channel = 0; channel < channels; channel++) {
      const start = this.#start(channel, k);
      row.data.set(map.data.subarray(start, start + this.#columns), channel * this.#columns);
    }
    return row;
  }

  #start(channel: number, k: number): number {
    return (channel * this.scales + k) * this.#columns;
  }
}
