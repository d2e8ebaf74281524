import { at } from '#base/assert.js';
import { cellCount, type Grid } from '#base/geometry.js';
import { resizeArea } from '#engine/tensor/resample.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Codebook } from './codebook.js';
import { certaintyOfIndices, drawIndices } from './indices.js';
import { keptTokens } from './keep-mask.js';
import type { DrawOptions, Quantiser } from './quantiser.js';

/** What quantisers have in common whose token is the index of a codebook's entry, on one grid a scale. */
export abstract class CodebookQuantiser implements Quantiser {
  readonly schedule: readonly Grid[];
  readonly patch = 1;
  readonly valuesPerToken = 1;
  protected readonly codebook: Codebook;

  constructor(schedule: readonly Grid[], codebook: Codebook) {
    this.schedule = schedule;
    this.codebook = codebook;
  }

  abstract add(sum: FloatTensor, tokens: ArrayLike<number>, k: number): FloatTensor;
  abstract nextInput(sum: FloatTensor, k: number): FloatTensor;
  abstract quantise(features: FloatTensor, sum: FloatTensor, k: number): Uint16Array;

  get scales(): number {
    return this.schedule.length;
  }

  get finest(): Grid {
    return at(this.schedule, this.scales - 1);
  }

  /** V */
  get entries(): number {
    return this.codebook.entries;
  }

  tokens(k: number): number {
    return cellCount(at(this.schedule, k));
  }

  emptySum(): FloatTensor {
    return floats([this.codebook.width, ...this.finest]);
  }

  down(map: FloatTensor, k: number): FloatTensor {
    return resizeArea(map, at(this.schedule, k));
  }

  draw(guided: Float32Array, options: DrawOptions, scale: number): Uint16Array {
    return drawIndices(guided, this.entries, { options, scale });
  }

  certainty(guided: Float32Array, tokens: ArrayLike<number>, options: DrawOptions): Float32Array {
    return certaintyOfIndices(guided, tokens, { ...options, entries: this.entries });
  }

  kept(mask: FloatTensor, k: number): Uint8Array {
    return keptTokens(mask, at(this.schedule, k));
  }
}
