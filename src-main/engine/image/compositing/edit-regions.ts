import type { Extent } from '#base/geometry.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';

/** An edited region whose fit misses by more than `low` in at least this share of its pixels holds new content. */
const MISFIT_SHARE = 0.2;
/** When more of the picture than this was edited, the map says "light and colour", not where an object is. */
const WHOLE_PICTURE = 0.6;

interface Misfit {
  /** Error of the fitted colour map per model pixel. */
  readonly error: Float32Array;
  readonly extent: Extent;
  readonly low: number;
}

/**
 * 1 in every connected region of the edit map (`[…, h', w']`, above a half = edited) that a colour map cannot explain:
 * there the object came, went or changed shape, and a mixture with the old pixels would leave a ghost. `[h·w]`
 */
export function structuralRegions(editMap: FloatTensor, misfit: Misfit): Float32Array {
  const [rows = 1, columns = 1] = editMap.dims.slice(-2);
  const { width, height } = misfit.extent;
  const cellOf = Int32Array.from({ length: width * height }, (_, i) => {
    const row = Math.trunc((Math.trunc(i / width) * rows) / height);
    return row * columns + Math.trunc(((i % width) * columns) / width);
  });
  const { labels, count } = labelRegions(editMap.data, { width: columns, height: rows });
  const structural = misfitRegions({ cellOf, labels, count }, misfit);
  return Float32Array.from(cellOf, (cell) => (structural[labels[cell]!] ? 1 : 0));
}

interface Regions {
  readonly cellOf: Int32Array;
  readonly labels: Int32Array;
  readonly count: number;
}

/** By label; label 0 is everything that was not edited. */
function misfitRegions({ cellOf, labels, count }: Regions, { error, low }: Misfit): boolean[] {
  const [pixels, misses] = [new Float64Array(count + 1), new Float64Array(count + 1)];
  cellOf.forEach((cell, i) => {
    const label = labels[cell]!;
    pixels[label]!++;
    if (error[i]! > low) misses[label]!++;
  });
  if (1 - pixels[0]! / cellOf.length > WHOLE_PICTURE) return [];
  return Array.from(pixels, (total, label) => label > 0 && misses[label]! >= MISFIT_SHARE * total);
}

/** Connected regions of cells above a half (sides and corners touch), numbered from 1. */
function labelRegions(map: Float32Array, { width, height }: Extent): { labels: Int32Array; count: number } {
  const labels = new Int32Array(map.length);
  let count = 0;
  for (let start = 0; start < map.length; start++) {
    if (map[start]! <= 0.5 || labels[start]! > 0) continue;
    count++;
    labels[start] = count;
    const open = [start];
    for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
      for (const next of neighbours(cell, { width, height })) {
        if (map[next]! <= 0.5 || labels[next]! > 0) continue;
        labels[next] = count;
        open.push(next);
      }
    }
  }
  return { labels, count };
}

function neighbours(cell: number, { width, height }: Extent): number[] {
  const [x, y] = [cell % width, Math.trunc(cell / width)];
  const around: number[] = [];
  for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
    for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) around.push(v * width + u);
  }
  return around;
}
