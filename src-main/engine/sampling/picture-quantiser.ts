import { at } from '#base/assert.js';
import type { Grid } from '#base/geometry.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { resizeCubic } from '#engine/tensor/resample.js';
import type { Codebook } from './codebook.js';
import { CodebookQuantiser } from './codebook-quantiser.js';
import { patchify } from './patchify.js';
import type { DrawOptions } from './quantiser.js';

// d channels of a code · l tokens of a scale · h, w grid of a scale · G finest grid

export interface PictureQuantiserOptions {
  readonly schedule: readonly Grid[];
  /** Of directions: codes at length 1. */
  readonly codebook: Codebook;
  /** Per scale whether its tokens are drawn by arg-max, whatever the temperature. */
  readonly certain: readonly boolean[];
}

/**
 * Every scale is the whole picture at its own size (FlexVAR, Jiao et al. 2025): nothing is summed, so what takes the place
 * of a running sum is the codes of the last scale alone, `[d, h, w]`.
 */
export class PictureQuantiser extends CodebookQuantiser {
  readonly #certain: readonly boolean[];

  constructor({ schedule, codebook, certain }: PictureQuantiserOptions) {
    super(schedule, codebook);
    this.#certain = certain;
  }

  /** The codes of scale k, `[d, h, w]`: a picture that owes nothing to the scales before. */
  add(_sum: FloatTensor, tokens: ArrayLike<number>, k: number): FloatTensor {
    return this.codebook.codesOf(tokens, at(this.schedule, k));
  }

  /** The scale before, enlarged from its own grid. */
  nextInput(codes: FloatTensor, k: number): FloatTensor {
    return patchify(resizeCubic(codes, at(this.schedule, k)), 1);
  }

  quantise(features: FloatTensor, _sum: FloatTensor, k: number): Uint16Array {
    // Nearest in direction, so the vectors' own lengths have no say.
    return this.codebook.nearest(patchify(this.down(features, k), 1).data);
  }

  override draw(guided: Float32Array, options: DrawOptions, scale: number): Uint16Array {
    const isCertain = at(this.#certain, scale) && options.byChance !== true;
    return super.draw(guided, isCertain ? { ...options, temperature: 0 } : options, scale);
  }
}
