/** The S-curve from 0 to 1, flat at both ends. */
export function smoothStep(t: number): number {
  return t * t * (3 - 2 * t);
}
