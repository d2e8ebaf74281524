/** The S-curve from 0 to 1, flat at both ends. */
export function smoothStep(t: number): number {
  return t * t * (3 - 2 * t);
}

/** What is left of a mask's 255 so far outside of it, where its edge is `widthPx` pixels soft. */
export function softEdge(distancePx: number, widthPx: number): number {
  return Math.round(255 * smoothStep(1 - distancePx / (widthPx + 1)));
}
