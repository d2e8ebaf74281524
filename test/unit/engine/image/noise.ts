/** Standard deviation of what a tokenizer adds to a picture, of 1. */
export const NOISE = 0.02;

/** The same wavering in every run: even between ±√3·`deviation`. */
export function noisy(place: number, deviation = NOISE): number {
  const hash = Math.imul(place + 1, 0x9e3779b1) >>> 0;
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 0;
  return ((mixed >>> 8) / 2 ** 24 - 0.5) * 2 * Math.sqrt(3) * deviation;
}
