/** Rounds halves to the even neighbour, as the training code does. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** `count` of `depth` layers at equal distances, the first and the last always among them (VARiant). */
export function layerSubset(depth: number, count: number): readonly number[] {
  if (count >= depth) return Array.from({ length: depth }, (_, layer) => layer);
  if (count <= 1) return [0];
  const layers = Array.from({ length: count }, (_, i) => roundHalfEven((i * (depth - 1)) / (count - 1)));
  return [...new Set(layers)];
}

export interface DepthPlan {
  readonly depth: number;
  readonly scales: number;
  /** How many of the last scales run fewer layers. */
  readonly lateScales: number;
  /** Layers that those scales run. */
  readonly lateLayers: number;
}

/** The layers of every scale: all of them on early scales, a subset on late ones (VARiant). */
export function layersPerScale(plan: DepthPlan): readonly (readonly number[])[] {
  const full = layerSubset(plan.depth, plan.depth);
  const late = layerSubset(plan.depth, plan.lateLayers);
  return Array.from({ length: plan.scales }, (_, scale) => (scale >= plan.scales - plan.lateScales ? late : full));
}
