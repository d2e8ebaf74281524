import { overlaps, union, type Extent, type Rect } from '#base/geometry.js';
import { MOST_REGIONS } from '#contract/request.js';
import { grown } from '#base/distance.js';
import { paintedBounds } from '#base/painted-bounds.js';
import type { Mask } from '#engine/image/files/photo.js';
import { frameAround, LEAST_SIDE, type FrameOptions } from './frame.js';

/** A part of the picture that is worked on by itself. */
export interface Region {
  /** What the model sees, in picture pixels; may reach beyond the picture. */
  readonly frame: Rect;
  /** All that the region may touch: no other region reaches into it. */
  readonly reach: Rect;
}

export interface MaskRegion extends Region {
  /** What is painted. */
  readonly bounds: Rect;
  /** Width of the soft edge around it, in pixels. */
  readonly softEdgePx: number;
}

export interface RegionOptions extends FrameOptions {
  /** Width of the soft edge that a frame asks for, in pixels. */
  softEdgePx(frame: Rect): number;
}

/**
 * Painted pixels of one cell always come to lie in one frame: it leaves at least .22 of its side around what it holds,
 * so that two of them whose painted parts are less than .44 of a side apart overlap. A quarter is safely below.
 */
const CELLS_PER_SIDE = 4;

/**
 * The painted parts of a mask that lie apart, each with a frame of its own, in reading order; parts whose frames or soft
 * edges would overlap are one. A part is the same whatever else is painted far from it. Where there would be more than
 * `MOST_REGIONS`, frames are wider.
 */
export function maskRegions(mask: Mask, options: RegionOptions): readonly MaskRegion[] {
  for (let minSide = options.minSide; ; minSide *= 2) {
    const wide = { ...options, minSide };
    const regions = joined(paintedCells(mask, Math.max(minSide, LEAST_SIDE)), (bounds) => regionOf(bounds, mask.extent, wide));
    if (regions.length <= MOST_REGIONS) return regions.sort((a, b) => a.bounds.y - b.bounds.y || a.bounds.x - b.bounds.x);
  }
}

/** All that is painted, in one frame. */
export function wholeRegion(bounds: Rect, extent: Extent, options: RegionOptions): MaskRegion {
  return regionOf(bounds, extent, options);
}

function regionOf(bounds: Rect, extent: Extent, options: RegionOptions): MaskRegion {
  const frame = frameAround(bounds, extent, options);
  const softEdgePx = options.softEdgePx(frame);
  return { bounds, frame, softEdgePx, reach: union(frame, grown(bounds, Math.ceil(softEdgePx), extent)) };
}

/** Round by round, so that what becomes of a part depends on its neighbours alone, never on an order. */
function joined(parts: readonly Rect[], regionAround: (bounds: Rect) => MaskRegion): MaskRegion[] {
  const regions = parts.map(regionAround);
  const groups = new Groups(regions.length);
  const order = regions.map((_, i) => i).sort((a, b) => regions[a]!.reach.x - regions[b]!.reach.x);
  order.forEach((i, place) => {
    const { reach } = regions[i]!;
    for (let next = place + 1; next < order.length; next++) {
      const other = regions[order[next]!]!.reach;
      if (other.x >= reach.x + reach.width) break;
      if (overlaps(reach, other)) groups.join(i, order[next]!);
    }
  });
  const merged = groups.mapped(parts, union);
  return merged.length === parts.length ? regions : joined(merged, regionAround);
}

/** Bounds of what is painted in each cell of a grid, those of neighbouring cells joined where one frame will hold them. */
function paintedCells({ extent, values }: Mask, frameSide: number): readonly Rect[] {
  const side = Math.floor(frameSide / CELLS_PER_SIDE);
  const columns = Math.ceil(extent.width / side);
  const cells = new Map<number, Rect>();
  const painted = paintedBounds(values, extent) ?? { x: 0, y: 0, width: 0, height: 0 };
  const right = painted.x + painted.width;
  for (let y = painted.y; y < painted.y + painted.height; y++) {
    for (let x = painted.x, at = y * extent.width + x; x < right; x++, at++) {
      if (values[at] === 0) continue;
      const end = Math.min(right, (Math.trunc(x / side) + 1) * side);
      let last = x;
      for (let next = x; next < end; next++) if (values[y * extent.width + next]! > 0) last = next;
      const key = Math.trunc(y / side) * columns + Math.trunc(x / side);
      const run = { x, y, width: last - x + 1, height: 1 };
      const cell = cells.get(key);
      cells.set(key, cell ? union(cell, run) : run);
      [x, at] = [end - 1, y * extent.width + end - 1];
    }
  }
  return neighboursJoined(cells, columns, side);
}

function neighboursJoined(cells: ReadonlyMap<number, Rect>, columns: number, side: number): readonly Rect[] {
  const keys = [...cells.keys()];
  const bounds = [...cells.values()];
  const places = new Map(keys.map((key, i) => [key, i]));
  const groups = new Groups(keys.length);
  keys.forEach((key, i) => {
    for (const step of [1, columns - 1, columns, columns + 1]) {
      const other = places.get(key + step);
      if (other !== undefined && areNear(bounds[i]!, bounds[other]!, side)) groups.join(i, other);
    }
  });
  return groups.mapped(bounds, union);
}

function areNear(a: Rect, b: Rect, gap: number): boolean {
  return overlaps({ x: a.x - gap, y: a.y - gap, width: a.width + 2 * gap, height: a.height + 2 * gap }, b);
}

/** Which of `count` things belong together (union–find with path halving). */
class Groups {
  readonly #parent: Int32Array;

  constructor(count: number) {
    this.#parent = Int32Array.from({ length: count }, (_, i) => i);
  }

  join(a: number, b: number): void {
    this.#parent[this.#root(b)] = this.#root(a);
  }

  /** One value per group. */
  mapped<T>(values: readonly T[], merge: (a: T, b: T) => T): T[] {
    const merged = new Map<number, T>();
    values.forEach((value, i) => {
      const root = this.#root(i);
      const held = merged.get(root);
      merged.set(root, held === undefined ? value : merge(held, value));
    });
    return [...merged.values()];
  }

  #root(of: number): number {
    const parent = this.#parent;
    let i = of;
    while (parent[i] !== i) i = parent[i] = parent[parent[i]!]!;
    return i;
  }
}
