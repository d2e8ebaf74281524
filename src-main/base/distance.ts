import type { Extent, Rect } from './geometry.js';

/** Squared distances above this are not told apart. */
export const FAR = 0x3fff_ffff;

/**
 * Squared Euclidean distance of every pixel of `region` to the nearest seed, exact up to `radius` (FAR beyond).
 * Two passes over the pixels: columns, then the lower envelope of parabolas per row (Felzenszwalb & Huttenlocher 2012).
 */
export function squaredDistances(isSeed: (x: number, y: number) => boolean, region: Rect, radius: number): Int32Array {
  const { width, height } = region;
  const result = new Int32Array(width * height);
  columnDistances({ isSeed, region, radius }, result);
  const envelope = { sites: new Int32Array(width), borders: new Float64Array(width + 1), row: new Int32Array(width) };
  for (let y = 0; y < height; y++) lowerEnvelope(result.subarray(y * width, (y + 1) * width), radius * radius, envelope);
  return result;
}

interface Seeds {
  readonly isSeed: (x: number, y: number) => boolean;
  readonly region: Rect;
  readonly radius: number;
}

function columnDistances({ isSeed, region, radius }: Seeds, result: Int32Array): void {
  const { width, height } = region;
  const since = new Int32Array(width).fill(FAR);
  const visit = (y: number) => {
    for (let x = 0, i = y * width; x < width; x++, i++) {
      since[x] = isSeed(x + region.x, y + region.y) ? 0 : Math.min(FAR, since[x]! + 1);
      const squared = since[x]! > radius ? FAR : since[x]! * since[x]!;
      result[i] = Math.min(result[i]!, squared);
    }
  };
  result.fill(FAR);
  for (let y = 0; y < height; y++) visit(y);
  since.fill(FAR);
  for (let y = height - 1; y >= 0; y--) visit(y);
}

interface Envelope {
  readonly sites: Int32Array;
  readonly borders: Float64Array;
  readonly row: Int32Array;
}

function lowerEnvelope(row: Int32Array, limit: number, { sites, borders, row: given }: Envelope): void {
  given.set(row);
  let last = -1;
  for (let x = 0; x < row.length; x++) {
    if (given[x] === FAR) continue;
    let border = -Infinity;
    while (last >= 0) {
      const site = sites[last]!;
      border = (given[x]! + x * x - (given[site]! + site * site)) / (2 * (x - site));
      if (border > borders[last]!) break;
      last--;
      border = -Infinity;
    }
    last++;
    sites[last] = x;
    borders[last] = border;
  }
  if (last < 0) return;
  for (let x = 0, k = 0; x < row.length; x++) {
    while (k < last && borders[k + 1]! < x) k++;
    const site = sites[k]!;
    const squared = (x - site) ** 2 + given[site]!;
    row[x] = squared <= limit ? squared : FAR;
  }
}

/** `bounds` grown by `margin` on every side, within `extent`. */
export function grown(bounds: Rect, margin: number, extent: Extent): Rect {
  const x = Math.max(0, bounds.x - margin);
  const y = Math.max(0, bounds.y - margin);
  const right = Math.min(extent.width, bounds.x + bounds.width + margin);
  const bottom = Math.min(extent.height, bounds.y + bounds.height + margin);
  return { x, y, width: right - x, height: bottom - y };
}

/** How many pixels `at` lies before (below 0) or behind the `length` ones from `start`; 0 among them. */
export function beyond(at: number, start: number, length: number): number {
  return at < start ? at - start : Math.max(0, at - (start + length - 1));
}
