/**
 * The temperature of every scale: one for all, or a curve that is straight between its values, the first scale's and the
 * last one's at its ends. High and then low draws a free composition with calm detail (ECM; HMAR and Switti cool late scales).
 */
export function temperaturePerScale(wished: number | readonly number[], scales: number): readonly number[] {
  const curve = typeof wished === 'number' ? [wished] : wished;
  return Array.from({ length: scales }, (_, scale) => onCurve(curve, (scale * (curve.length - 1)) / Math.max(1, scales - 1)));
}

/** @param place in values from the first */
function onCurve(curve: readonly number[], place: number): number {
  const before = Math.floor(place);
  const [left = 0, right = left] = [curve[before], curve[before + 1]];
  return left + (right - left) * (place - before);
}
