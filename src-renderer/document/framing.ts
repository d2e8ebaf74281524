import type { Extent } from '#base/geometry.js';
import { affineOf, after, cropOf, inverseOf, type Affine, type Framing } from '#contract/framing.js';
import type { MaskHistory, MaskList } from '#contract/mask.js';
import { EMPTY_MASK, rasterise, runsOf, withStep } from './mask.js';

/** From a picture that was framed one way to the same framed another way. */
export interface Reframing {
  readonly from: Extent;
  readonly to: Extent;
  readonly map: Affine;
}

/** `was` undefined = the picture as it was before it was framed. */
export function reframingOf(original: Extent, is: Framing, was?: Framing): Reframing {
  const before = was ? cropOf(was, original) : original;
  const { width, height } = cropOf(is, original);
  const back: Affine = was ? inverseOf(affineOf(was, original)) : [1, 0, 0, 1, 0, 0];
  return { from: { width: before.width, height: before.height }, to: { width, height }, map: after(affineOf(is, original), back) };
}

/** The same places of the picture are painted, as far as they are still there. */
export function framedMask(history: MaskHistory, { from, to, map }: Reframing): MaskHistory {
  if (history.length === 0) return EMPTY_MASK;
  const values = rasterise(history, from);
  const [a, b, c, d, e, f] = inverseOf(map);
  const framed = new Uint8Array(to.width * to.height);
  for (let y = 0; y < to.height; y++) {
    for (let x = 0; x < to.width; x++) {
      const u = Math.floor(a * (x + 0.5) + c * (y + 0.5) + e);
      const w = Math.floor(b * (x + 0.5) + d * (y + 0.5) + f);
      if (u >= 0 && w >= 0 && u < from.width && w < from.height) framed[y * to.width + x] = values[w * from.width + u]!;
    }
  }
  return withStep(EMPTY_MASK, { kind: 'runs', runs: { ...runsOf(framed), erase: false } });
}

export function framedMasks({ masks, active }: MaskList, reframing: Reframing): MaskList {
  return { masks: masks.map((mask) => ({ ...mask, history: framedMask(mask.history, reframing) })), active };
}
