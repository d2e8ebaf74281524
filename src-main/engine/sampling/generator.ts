/**
 * Seeded random numbers, the same on every machine: SplitMix32 spreads the seed, xoshiro128**
 * (Blackman & Vigna, 2018) draws from it. Every scale has a stream of its own, so a run that is
 * continued or branched at scale k draws what an uninterrupted run would have drawn there.
 */
export class ScaleGenerator {
  readonly #state: Uint32Array;

  constructor(seed: number, scale: number) {
    const mix = splitMix32((seed ^ Math.imul(scale + 1, 0x9e37_79b9)) >>> 0);
    this.#state = Uint32Array.from({ length: 4 }, mix);
  }

  /** Uniform in [0, 1) with 24 bits. */
  next(): number {
    const s = this.#state;
    const [a, b, c, d] = [s[0]!, s[1]!, s[2]!, s[3]!];
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const c1 = c ^ a;
    const d1 = d ^ b;
    s[1] = b ^ c1;
    s[0] = a ^ d1;
    s[2] = c1 ^ (b << 9);
    s[3] = rotateLeft(d1, 11);
    return (result >>> 8) / 0x100_0000;
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function splitMix32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e37_79b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85eb_ca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
}
