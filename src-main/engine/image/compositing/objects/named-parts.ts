import type { Extent } from '#base/geometry.js';
import { maxWindow } from '#engine/image/sampling/gauss.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { partsOf } from './parts.js';

/** What lies so near to the named object, as a share of the height, belongs to it: a roof, a wheel, what was cut off. */
const NEAR = 8 / 256;
/** A part is named where a finder is about as sure of it as of the surest, in log-odds. */
const AS_SURE = 3;

/** Where objects stand that are spoken of. */
export interface Standing {
  /** Log-odds per cell, `[1, h, w]`, over all of the picture. */
  readonly odds: FloatTensor;
  /** Below, nothing is seen. */
  readonly least: number;
}

/**
 * Of what an edit changed the parts that show what was spoken of, and what lies next to them; all of it where none does.
 * A model with two objects before it sometimes takes both. `inside` is `[n]`, 1 = changed.
 */
export function namedParts(inside: Float32Array, extent: Extent, { odds, least }: Standing): Float32Array {
  const { labels, sizes } = partsOf(inside, extent);
  if (sizes.length <= 2) return inside;
  const surest = surestOf(labels, sizes.length, { extent, odds });
  const best = Math.max(...surest.subarray(1));
  if (best < least) return inside;
  const isNamed = Array.from(surest, (value, part) => part > 0 && value >= Math.max(least, best - AS_SURE));
  const named = inside.map((_, i) => (isNamed[labels[i]!] ? 1 : 0));
  const near = maxWindow(named, extent, Math.round(NEAR * extent.height));
  for (let i = 0; i < labels.length; i++) if (labels[i]! > 0 && near[i]! > 0) isNamed[labels[i]!] = true;
  return inside.map((_, i) => (isNamed[labels[i]!] ? 1 : 0));
}

/** Per part the best odds of the cells that its pixels lie in. */
function surestOf(labels: Int32Array, count: number, { extent, odds }: { extent: Extent; odds: FloatTensor }): Float32Array {
  const [, rows = 1, columns = 1] = odds.dims;
  const surest = new Float32Array(count).fill(-Infinity);
  for (let i = 0; i < labels.length; i++) {
    const part = labels[i]!;
    if (part === 0) continue;
    const [x, y] = [i % extent.width, Math.trunc(i / extent.width)];
    const cell = Math.trunc((y * rows) / extent.height) * columns + Math.trunc((x * columns) / extent.width);
    surest[part] = Math.max(surest[part]!, odds.data[cell]!);
  }
  return surest;
}
