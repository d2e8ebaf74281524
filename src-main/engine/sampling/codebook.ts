import { at } from '#base/assert.js';
import type { Grid } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { unpatchify } from './patchify.js';

// V entries · d channels of a code

/** The codes that a vector-quantised token may stand for. */
export class Codebook {
  readonly #codes: FloatTensor; // (V, d)
  readonly #squares: Float64Array; // (V)

  /** @param codes `[V, d]` */
  constructor(codes: FloatTensor) {
    this.#codes = codes;
    this.#squares = squaredLengths(codes);
  }

  /** The same codes at length 1, as tokenizers with a cosine codebook compare them (ViT-VQGAN, LlamaGen). */
  static ofDirections(codes: FloatTensor): Codebook {
    const { dims } = codes;
    const lengths = squaredLengths(codes).map(Math.sqrt);
    return new Codebook(
      floats(
        dims,
        codes.data.map((value, i) => value / lengths[Math.floor(i / at(dims, 1))]!),
      ),
    );
  }

  /** V */
  get entries(): number {
    return at(this.#codes.dims, 0);
  }

  /** d */
  get width(): number {
    return at(this.#codes.dims, 1);
  }

  /** Indices in raster order → `[d, rows, columns]`. */
  codesOf(indices: ArrayLike<number>, grid: Grid): FloatTensor {
    const { width } = this;
    const rows = new Float32Array(indices.length * width);
    for (let token = 0; token < indices.length; token++) {
      rows.set(this.#codes.data.subarray(indices[token]! * width, (indices[token]! + 1) * width), token * width);
    }
    return unpatchify(rows, grid, 1);
  }

  /** The nearest entry of every vector, `[l, d]` → l indices: least |e|² − 2·z·e, in the order of the codebook. */
  nearest(vectors: Float32Array): Uint16Array {
    const indices = new Uint16Array(vectors.length / this.width);
    for (let token = 0; token < indices.length; token++) {
      indices[token] = this.#nearestTo(vectors.subarray(token * this.width, (token + 1) * this.width));
    }
    return indices;
  }

  #nearestTo(vector: Float32Array): number {
    const { data } = this.#codes;
    let best = 0;
    let least = Infinity;
    for (let entry = 0; entry < this.entries; entry++) {
      let product = 0;
      for (let i = 0; i < vector.length; i++) product += vector[i]! * data[entry * vector.length + i]!;
      const distance = this.#squares[entry]! - 2 * product;
      if (distance < least) {
        least = distance;
        best = entry;
      }
    }
    return best;
  }
}

function squaredLengths({ dims: [entries = 0, width = 0], data }: FloatTensor): Float64Array {
  return Float64Array.from({ length: entries }, (_, entry) => {
    let total = 0;
    for (let i = 0; i < width; i++) total += data[entry * width + i]! ** 2;
    return total;
  });
}
