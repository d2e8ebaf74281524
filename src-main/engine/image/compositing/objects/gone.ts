import type { Extent } from '#base/geometry.js';
import type { ColourPairs } from '#engine/image/compositing/colour-map.js';
import type { Planes } from '#engine/image/colour/colour.js';
import { gaussian, maxWindow } from '#engine/image/sampling/gauss.js';
import { fillMembrane } from '../membrane.js';
import { bestMap } from './object-map.js';

// n model pixels

/** Of the surroundings so many pixels beside an object are not looked at: a tokenizer smears its edge into them. */
const BESIDE = 2;
/** Windows in which colours on both sides of an outline are averaged: outside and inside. */
const [OUTER_SIGMA, INNER_SIGMA] = [3, 1.5];
const OUTER_REACH = 3;
const STEP_COUNTS = 0.3;

export interface Region {
  /** 1 inside, `[n]`. */
  readonly inside: Float32Array;
  /** Pixels that lie wholly inside, at least one. */
  readonly pixels: readonly number[];
  readonly extent: Extent;
}

/**
 * How little of an object is left, from 0 (it became what lies around it) up (it stands out as before, in other colours): how
 * much better a map of its colours explains its new look than a smooth surface spanned by its new surroundings (0..1), and what
 * is left of the step of colours across its outline. On 40 scenes of each kind removals lie below .8, recolourings above; of
 * three exceptions two are recoloured like their ground. Asked backwards it says how little of an object was there before.
 */
export function remainsOf({ before, after }: ColourPairs, region: Region): number {
  const span = spanError(after, region);
  const { error } = bestMap(before, after, region.pixels);
  const step = outlineStep(after, region) / Math.max(1e-6, outlineStep(before, region));
  return span / Math.max(1e-6, span + error) + STEP_COUNTS * step;
}

/** Root mean square between what an object became and what its surroundings would span across it. */
function spanError(after: Planes, { inside, pixels, extent }: Region): number {
  const known = maxWindow(inside, extent, BESIDE).map((value) => 1 - value);
  const total = after.reduce((sum, plane) => {
    const spanned = fillMembrane(plane, known, extent);
    return sum + pixels.reduce((of, i) => of + (plane[i]! - spanned[i]!) ** 2, 0);
  }, 0);
  return Math.sqrt(total / (3 * pixels.length));
}

/** Root mean square step of colours from outside to inside, along the outline. */
function outlineStep(planes: Planes, { inside, extent }: Region): number {
  const outside = maxWindow(
    inside.map((value) => 1 - value),
    extent,
    1,
  );
  const inner = inside.map((value, i) => value * outside[i]!);
  const near = maxWindow(inside, extent, 1);
  const outer = maxWindow(inside, extent, OUTER_REACH).map((value, i) => value * (1 - near[i]!));
  const sides = [
    { where: outer, sigma: OUTER_SIGMA },
    { where: inner, sigma: INNER_SIGMA },
  ].map(({ where, sigma }) => ({ means: planes.map((plane) => meanAround(plane, where, { extent, sigma })) }));
  let [total, count] = [0, 0];
  for (let i = 0; i < inner.length; i++) {
    if (inner[i] === 0) continue;
    for (let c = 0; c < 3; c++) {
      const step = sides[0]!.means[c]![i]! - sides[1]!.means[c]![i]!;
      if (Number.isNaN(step)) continue;
      total += step ** 2;
      count++;
    }
  }
  return Math.sqrt(total / Math.max(1, count));
}

/** Of the pixels that count; NaN where there are none. */
function meanAround(plane: Float32Array, where: Float32Array, { extent, sigma }: { extent: Extent; sigma: number }): Float32Array {
  const share = gaussian(where, extent, sigma);
  const sum = gaussian(
    plane.map((value, i) => value * where[i]!),
    extent,
    sigma,
  );
  return sum.map((value, i) => (share[i]! > 1e-3 ? value / share[i]! : NaN));
}
