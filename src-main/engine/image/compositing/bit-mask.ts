import type { Extent } from '#base/geometry.js';

const WORD = 32;

/** Yes or no per pixel, 32 to a word: what grows by squares grows as fast as words are read. */
export class BitMask {
  readonly extent: Extent;
  /** Words per row. */
  readonly #stride: number;
  readonly #words: Int32Array;

  private constructor(extent: Extent, words: Int32Array) {
    this.extent = extent;
    this.#stride = Math.ceil(extent.width / WORD);
    this.#words = words;
  }

  /** Where a plane is above `threshold`. */
  static above(plane: Float32Array, extent: Extent, threshold: number): BitMask {
    const stride = Math.ceil(extent.width / WORD);
    const words = new Int32Array(stride * extent.height);
    for (let y = 0, i = 0; y < extent.height; y++) {
      for (let x = 0; x < extent.width; x++, i++) if (plane[i]! > threshold) words[y * stride + (x >> 5)]! |= 1 << (x & 31);
    }
    return new BitMask(extent, words);
  }

  get isEmpty(): boolean {
    for (const word of this.#words) if (word !== 0) return false;
    return true;
  }

  /** Writes `value` into a plane wherever the answer is yes. */
  fill(plane: Float32Array, value: number): void {
    const { width, height } = this.extent;
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) if ((this.#words[y * this.#stride + (x >> 5)]! >> (x & 31)) & 1) plane[i] = value;
    }
  }

  equals(other: BitMask): boolean {
    for (let i = 0; i < this.#words.length; i++) if (this.#words[i] !== other.#words[i]) return false;
    return true;
  }

  and(other: BitMask): BitMask {
    const words = new Int32Array(this.#words.length);
    for (let i = 0; i < words.length; i++) words[i] = this.#words[i]! & other.#words[i]!;
    return new BitMask(this.extent, words);
  }

  /** All that lies in a square of `2·radius + 1` around something; `radius` below 32. */
  grown(radius: number): BitMask {
    const across = this.#grownAcross(radius);
    const words = new Int32Array(across.length);
    const { height } = this.extent;
    for (let y = 0; y < height; y++) {
      const target = y * this.#stride;
      for (let near = Math.max(0, y - radius); near <= Math.min(height - 1, y + radius); near++) {
        const from = near * this.#stride;
        for (let i = 0; i < this.#stride; i++) words[target + i]! |= across[from + i]!;
      }
    }
    return new BitMask(this.extent, words);
  }

  #grownAcross(radius: number): Int32Array {
    const words = this.#words;
    const across = new Int32Array(words.length);
    const spare = this.#stride * WORD - this.extent.width;
    for (let i = 0; i < words.length; i++) {
      const column = i % this.#stride;
      const [left, word] = [column > 0 ? words[i - 1]! : 0, words[i]!];
      const right = column + 1 < this.#stride ? words[i + 1]! : 0;
      let all = word;
      for (let k = 1; k <= radius; k++) all |= (word << k) | (left >>> (WORD - k)) | (word >>> k) | (right << (WORD - k));
      across[i] = column + 1 < this.#stride ? all : (all << spare) >>> spare;
    }
    return across;
  }
}
