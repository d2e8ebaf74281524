import { at } from '#base/assert.js';
import type { Grid } from '#base/geometry.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import type { Codebook } from './codebook.js';
import { CodebookQuantiser } from './codebook-quantiser.js';
import { patchify } from './patchify.js';
import { residualAt } from './quantiser.js';
import { resizeCubic } from '#engine/tensor/resample.js';

// d channels of a code · V codebook entries · l tokens of a scale · G finest grid, H rows and W columns of it

/** The 3×3 convolution that follows every upsampling. */
export interface CodeFilter {
  readonly weight: Float32Array; // (d, d, 3, 3)
  readonly bias: Float32Array; // (d)
}

export interface VectorQuantiserOptions {
  readonly schedule: readonly Grid[];
  readonly codebook: Codebook;
  /** φ, shared among neighbouring scales. */
  readonly filters: readonly CodeFilter[];
}

/** Published VAR tokenizers mix half of φ's answer into a code. */
const FILTERED_SHARE = 0.5;

/**
 * Multi-scale residual vector quantisation (VAR, Tian et al. 2024): a token is the index of the nearest codebook
 * entry; its code is upsampled bicubically to the finest grid and smoothed by φ before it is summed.
 */
export class VectorQuantiser extends CodebookQuantiser {
  readonly #filters: readonly CodeFilter[];

  constructor({ schedule, codebook, filters }: VectorQuantiserOptions) {
    super(schedule, codebook);
    this.#filters = filters;
  }

  add(sum: FloatTensor, tokens: ArrayLike<number>, k: number): FloatTensor {
    const codes = this.codebook.codesOf(tokens, at(this.schedule, k)); // (d, h, w)
    const fine = this.#smoothed(resizeCubic(codes, this.finest), k); // (d, G)
    return { ...sum, data: sum.data.map((value, i) => value + fine[i]!) };
  }

  nextInput(sum: FloatTensor, k: number): FloatTensor {
    return patchify(this.down(sum, k), 1);
  }

  quantise(features: FloatTensor, sum: FloatTensor, k: number): Uint16Array {
    return this.codebook.nearest(patchify(residualAt(this, { features, sum, k }), 1).data);
  }

  #smoothed(codes: FloatTensor, k: number): Float32Array {
    const filtered = convolve(codes, at(this.#filters, nearestTick(this.#filters.length, k / Math.max(1, this.scales - 1))));
    return codes.data.map((value, i) => (1 - FILTERED_SHARE) * value + FILTERED_SHARE * filtered[i]!);
  }
}

/**
 * Which of `count` filters serves the scale at `place` (0 first, 1 last): ticks at equal distances, the first in from
 * the end by 1/12 (four filters) or half a share. Two scales of ten lie midway between two ticks, where rounding
 * decides: the ticks are summed as NumPy's linspace sums them.
 */
function nearestTick(count: number, place: number): number {
  const margin = count === 4 ? 1 / 3 / count : 1 / 2 / count;
  const step = count > 1 ? (1 - margin - margin) / (count - 1) : 0;
  let nearest = 0;
  let least = Infinity;
  for (let i = 0; i < count; i++) {
    const tick = i > 0 && i === count - 1 ? 1 - margin : i * step + margin;
    if (Math.abs(tick - place) < least) {
      least = Math.abs(tick - place);
      nearest = i;
    }
  }
  return nearest;
}

/** 3×3, zero-padded: `[d, H, W]` → `[d, H, W]`. */
function convolve({ dims: [channels = 0, height = 0, width = 0], data }: FloatTensor, { weight, bias }: CodeFilter): Float32Array {
  const cells = height * width;
  const result = new Float32Array(channels * cells);
  const total = new Float64Array(cells);
  for (let out = 0; out < channels; out++) {
    total.fill(bias[out]!);
    for (let input = 0; input < channels; input++) {
      const plane = data.subarray(input * cells, (input + 1) * cells);
      const kernel = weight.subarray((out * channels + input) * 9, (out * channels + input + 1) * 9);
      addFiltered(total, { plane, height, width }, kernel);
    }
    result.set(total, out * cells);
  }
  return result;
}

interface Plane {
  readonly plane: Float32Array;
  readonly height: number;
  readonly width: number;
}

function addFiltered(total: Float64Array, { plane, height, width }: Plane, kernel: Float32Array): void {
  for (let tap = 0; tap < 9; tap++) {
    const weight = kernel[tap]!;
    const down = Math.floor(tap / 3) - 1;
    const right = (tap % 3) - 1;
    for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
      for (let x = Math.max(0, -right); x < Math.min(width, width - right); x++) {
        total[y * width + x]! += weight * plane[(y + down) * width + x + right]!;
      }
    }
  }
}
