import { chances } from '#base/chances.js';
import type { Extent } from '#base/geometry.js';
import { lumaOf, type Plane } from '#engine/tensor/closeness.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { modelExtent, type TokenizerModel } from './model.js';
import { tokenise } from './tokenise.js';

// n side of a piece in pixels · k waves across it, in any direction

/** Of the contrast of a detail so much must be left: the limit that cameras are told by, too (MTF50). */
const LEFT = 0.5;
/** The picture is looked at in square pieces of so many pixels (Welch 1967): large enough for details of 32. */
const PIECE = 64;
/** Pieces to a side, at most: they overlap where the picture is small. */
const PIECES = 8;
/** Radii of the leaves, in pixels; small ones are many (∝ r⁻³), so that every size of detail is as strong as in photographs. */
const [SMALLEST, LARGEST] = [0.7, 48];
/** How often the leaves would cover the picture. */
const COVERED = 12;
/** Lightest minus darkest leaf: what a photograph's textures have, so that no rounding is met. */
const CONTRAST = 0.6;

/**
 * Model pixels across the finest detail that a tokenizer keeps: half the wave of which half the contrast is left once a picture
 * of dead leaves (Lee, Mumford, Huang 2001) was encoded and decoded. Contrast is what the two have in common (Kirk et al. 2014),
 * so that invented texture counts for nothing. 1 = all of it.
 */
export async function resolutionOf(model: TokenizerModel): Promise<number> {
  const leaves = deadLeaves(modelExtent(model));
  const { sum } = await tokenise(model, leaves);
  const kept = await model.coder.decode(floats([1, ...sum.dims], sum.data));
  return finestKept(lumaOf(leaves), lumaOf(kept));
}

/** Exported for its test. */
export function finestKept(before: Plane, after: Plane): number {
  const n = Math.min(PIECE, before.width, before.height);
  const shares = keptByWaves(before, after, n);
  const last = shares.length - 1;
  for (let k = 2; k <= last; k++) {
    if (shares[k]! >= LEFT) continue;
    const [above, below] = [shares[k - 1]!, shares[k]!];
    const waves = above <= LEFT ? k - 1 : k - 1 + (above - LEFT) / (above - below);
    return n / (2 * waves);
  }
  return n / (2 * last);
}

/** Share of the contrast that is left, by waves across a piece, the mean over all directions and pieces. */
function keptByWaves(before: Plane, after: Plane, n: number): Float64Array {
  const [common, all] = [new Float64Array(n / 2 + 1), new Float64Array(n / 2 + 1)];
  const spectrum = new Spectrum(n);
  for (const y of startsOf(before.height, n)) {
    for (const x of startsOf(before.width, n)) {
      const from = y * before.width + x;
      const [a, b] = [spectrum.of(before, from), spectrum.of(after, from)];
      a.real.forEach((real, i) => {
        const waves = Math.round(Math.hypot(Math.trunc(i / n), Math.min(i % n, n - (i % n))));
        if (waves > n / 2) return;
        common[waves]! += real * b.real[i]! + a.imaginary[i]! * b.imaginary[i]!;
        all[waves]! += real * real + a.imaginary[i]! * a.imaginary[i]!;
      });
    }
  }
  return common.map((value, k) => value / Math.max(1e-12, all[k]!));
}

function startsOf(side: number, n: number): readonly number[] {
  const count = Math.min(PIECES, Math.max(1, Math.ceil((2 * (side - n)) / n) + 1));
  return Array.from({ length: count }, (_, i) => Math.round(((side - n) * i) / Math.max(1, count - 1)));
}

interface Complex {
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

/** Fourier transform of pieces of n × n pixels under a raised cosine. */
class Spectrum {
  readonly #n: number;
  readonly #cosines: Float64Array;

  constructor(n: number) {
    this.#n = n;
    this.#cosines = Float64Array.from({ length: n }, (_, i) => Math.cos((2 * Math.PI * i) / n));
  }

  /** `[n / 2 + 1, n]`: waves across times waves down; the other half says the same. */
  of({ values, width }: Plane, from: number): Complex {
    const n = this.#n;
    const window = this.#cosines.map((cosine) => (1 - cosine) / 2);
    const half = complex((n / 2 + 1) * n);
    for (let y = 0; y < n; y++) {
      const row = {
        real: window.map((share, x) => share * window[y]! * (values[from + y * width + x]! - 0.5)),
        imaginary: new Float64Array(n),
      };
      for (let k = 0; k <= n / 2; k++) this.#wave(row, { start: 0, k }, { to: half, at: k * n + y });
    }
    const whole = complex(half.real.length);
    for (let i = 0; i < whole.real.length; i++) this.#wave(half, { start: i - (i % n), k: i % n }, { to: whole, at: i });
    return whole;
  }

  #wave({ real, imaginary }: Complex, { start, k }: { start: number; k: number }, { to, at }: { to: Complex; at: number }): void {
    const [n, cosines] = [this.#n, this.#cosines];
    for (let i = 0; i < n; i++) {
      const [cosine, sine] = [cosines[(i * k) % n]!, cosines[(i * k + (3 * n) / 4) % n]!];
      to.real[at]! += real[start + i]! * cosine + imaginary[start + i]! * sine;
      to.imaginary[at]! += imaginary[start + i]! * cosine - real[start + i]! * sine;
    }
  }
}

function complex(length: number): Complex {
  return { real: new Float64Array(length), imaginary: new Float64Array(length) };
}

/** `[1, 3, h, w]`, gray: discs that lie over each other, the same at every call. */
function deadLeaves({ width, height }: Extent): FloatTensor {
  const chance = chances(1);
  const values = new Float32Array(width * height).fill(0.5);
  const largest = Math.min(LARGEST, Math.max(width, height) / 3);
  // Area of a leaf on average, where radii are as rare as r⁻³.
  const area = (2 * Math.PI * Math.log(largest / SMALLEST)) / (SMALLEST ** -2 - largest ** -2);
  for (let leaf = 0; leaf < (COVERED * width * height) / area; leaf++) {
    const radius = (SMALLEST ** -2 - chance() * (SMALLEST ** -2 - largest ** -2)) ** -0.5;
    const [x, y] = [chance() * width, chance() * height];
    lay(values, { width, height }, { x, y, radius, light: 0.5 + CONTRAST * (chance() - 0.5) });
  }
  const picture = floats([1, 3, height, width]);
  for (let c = 0; c < 3; c++) picture.data.set(values, c * values.length);
  return picture;
}

interface Leaf {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly light: number;
}

function lay(values: Float32Array, { width, height }: Extent, { x, y, radius, light }: Leaf): void {
  const reach = radius + 1;
  for (let v = Math.max(0, Math.floor(y - reach)); v < Math.min(height, y + reach); v++) {
    for (let u = Math.max(0, Math.floor(x - reach)); u < Math.min(width, x + reach); u++) {
      const covered = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(u + 0.5 - x, v + 0.5 - y)));
      values[v * width + u]! += covered * (light - values[v * width + u]!);
    }
  }
}
