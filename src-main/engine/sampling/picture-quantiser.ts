import { at } from '#base/assert.js';
import { cellCount, type Grid } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { resizeArea, resizeCubic } from '#engine/tensor/resample.js';
import type { Codebook } from './codebook.js';
import { drawIndices } from './indices.js';
import { keptTokens } from './keep-mask.js';
import { patchify } from './patchify.js';
import type { DrawOptions, Quantiser } from './quantiser.js';

// d channels of a code · l tokens of a scale · h, w grid of a scale · G finest grid

export interface PictureQuantiserOptions {
  readonly schedule: readonly Grid[];
  /** Of directions: codes at length 1. */
  readonly codebook: Codebook;
  /** Per scale whether its tokens are drawn by arg-max, whatever the request says. */
  readonly certain: readonly boolean[];
}

/**
 * Every scale is the whole picture at its own size (FlexVAR, Jiao et al. 2025): nothing is summed, so what takes the place
 * of a running sum is the codes of the last scale alone, `[d, h, w]`.
 */
export class PictureQuantiser implements Quantiser {
  readonly schedule: readonly Grid[];
  readonly patch = 1;
  readonly valuesPerToken = 1;
  readonly #codebook: Codebook;
  readonly #certain: readonly boolean[];

  constructor({ schedule, codebook, certain }: PictureQuantiserOptions) {
    this.schedule = schedule;
    this.#codebook = codebook;
    this.#certain = certain;
  }

  get scales(): number {
    return this.schedule.length;
  }

  get finest(): Grid {
    return at(this.schedule, this.scales - 1);
  }

  /** V */
  get entries(): number {
    return this.#codebook.entries;
  }

  tokens(k: number): number {
    return cellCount(at(this.schedule, k));
  }

  emptySum(): FloatTensor {
    return floats([this.#codebook.width, ...this.finest]);
  }

  down(map: FloatTensor, k: number): FloatTensor {
    return resizeArea(map, at(this.schedule, k));
  }

  /** The codes of scale k, `[d, h, w]`: a picture that owes nothing to the scales before. */
  add(_sum: FloatTensor, tokens: ArrayLike<number>, k: number): FloatTensor {
    return this.#codebook.codesOf(tokens, at(this.schedule, k));
  }

  /** The scale before, enlarged from its own grid. */
  nextInput(codes: FloatTensor, k: number): FloatTensor {
    return patchify(resizeCubic(codes, at(this.schedule, k)), 1);
  }

  quantise(features: FloatTensor, _sum: FloatTensor, k: number): Uint16Array {
    // Nearest in direction, so the vectors' own lengths have no say.
    return this.#codebook.nearest(patchify(this.down(features, k), 1).data);
  }

  draw(guided: Float32Array, options: DrawOptions, scale: number): Uint16Array {
    return drawIndices(guided, this.entries, { options: at(this.#certain, scale) ? { ...options, temperature: 0 } : options, scale });
  }

  kept(mask: FloatTensor, k: number): Uint8Array {
    return keptTokens(mask, at(this.schedule, k));
  }
}
