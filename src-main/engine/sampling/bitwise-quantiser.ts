import { at } from '#base/assert.js';
import { cellCount, type Grid } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { certaintyOfBits, drawBits, signBits, type ScaleBits } from './bits.js';
import { KEPT_BELOW } from './keep-mask.js';
import { patchify, unpatchify } from './patchify.js';
import { residualAt, type DrawOptions, type Quantiser } from './quantiser.js';
import { resizeArea, resizeLinear } from '#engine/tensor/resample.js';

// d code bits per tokenizer cell · p cells per token and axis · D = d·p² bits per token · l tokens of a scale
// G finest tokenizer grid · K scales

export interface QuantiserOptions {
  readonly codeBits: number; // d
  /** Token grids, coarse to fine. */
  readonly schedule: readonly Grid[];
  readonly patchify: number; // p
  /** Code size per scale; 1 in the published tokenizers. */
  readonly gains?: readonly number[];
}

/**
 * Multi-scale residual binary spherical quantisation (BSQ; Infinity). A bit b stands for the code
 * (2b − 1)·g_k/√d; a picture is the sum of all scales' codes, each upsampled to the finest grid.
 */
export class BitwiseQuantiser implements Quantiser {
  readonly schedule: readonly Grid[];
  readonly patch: number;
  readonly codeBits: number;
  readonly #gains: readonly number[];

  constructor(options: QuantiserOptions) {
    this.schedule = options.schedule;
    this.patch = options.patchify;
    this.codeBits = options.codeBits;
    this.#gains = options.gains ?? options.schedule.map(() => 1);
  }

  get scales(): number {
    return this.schedule.length;
  }

  /** Bits per token, D. */
  get valuesPerToken(): number {
    return this.codeBits * this.patch * this.patch;
  }

  /** Tokenizer cells of scale k. */
  grid(k: number): Grid {
    const [rows, columns] = at(this.schedule, k);
    return [rows * this.patch, columns * this.patch];
  }

  get finest(): Grid {
    return this.grid(this.scales - 1);
  }

  tokens(k: number): number {
    return cellCount(at(this.schedule, k));
  }

  /** No codes yet: zeros `[d, G]`. */
  emptySum(): FloatTensor {
    return floats([this.codeBits, ...this.finest]);
  }

  /** Area-downsamples `[c, G]` to scale k's cells. */
  down(map: FloatTensor, k: number): FloatTensor {
    return resizeArea(map, this.grid(k));
  }

  /** `sum` plus the codes of scale k: `[d, G]`. */
  add(sum: FloatTensor, bits: ScaleBits, k: number): FloatTensor {
    const size = at(this.#gains, k) / Math.sqrt(this.codeBits);
    const codes = unpatchify(bits, at(this.schedule, k), this.patch); // (d, h, w)
    for (let i = 0; i < codes.data.length; i++) codes.data[i] = (codes.data[i]! * 2 - 1) * size;
    const fine = resizeLinear(codes, this.finest); // (d, G)
    const data = new Float32Array(sum.data.length);
    for (let i = 0; i < data.length; i++) data[i] = sum.data[i]! + fine.data[i]!;
    return { ...sum, data };
  }

  /** What scale k (≥ 1) reads: the running sum resized to its cells, patchified, `[l, D]`. */
  nextInput(sum: FloatTensor, k: number): FloatTensor {
    return patchify(resizeLinear(sum, this.grid(k)), this.patch);
  }

  /** The bits that bring `sum` closest to `features` at scale k. */
  quantise(features: FloatTensor, sum: FloatTensor, k: number): ScaleBits {
    return signBits(patchify(residualAt(this, { features, sum, k }), this.patch).data);
  }

  draw(guided: Float32Array, options: DrawOptions, scale: number): ScaleBits {
    return drawBits(guided, options, scale);
  }

  certainty(guided: Float32Array, tokens: ScaleBits, options: DrawOptions): Float32Array {
    return certaintyOfBits(guided, tokens, { ...options, size: this.valuesPerToken });
  }

  kept(mask: FloatTensor, k: number): Uint8Array {
    const shares = patchify(this.down(mask, k), this.patch); // (l, p²)
    const cells = this.patch * this.patch;
    const kept = new Uint8Array(this.tokens(k) * this.valuesPerToken);
    for (let i = 0; i < kept.length; i++) {
      const token = Math.floor(i / this.valuesPerToken);
      kept[i] = shares.data[token * cells + (i % cells)]! < KEPT_BELOW ? 1 : 0;
    }
    return kept;
  }
}
