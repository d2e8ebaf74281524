import type { Cancellation } from '#base/cancellation.js';
import { grown } from '#base/distance.js';
import type { Extent, Rect } from '#base/geometry.js';
import type { KernelPool } from '#engine/kernels/pool.js';
import { DEPTH_UNIT, RADIUS, Scale } from './scale.js';
import { countSources, fillFinest, type Place } from './window.js';

/** The coarsest scale is the first whose hole is at most so deep, or whose window is this small. */
const SHALLOW_PX = 5;
const SMALLEST_SIDE = 64;
/** A coarser scale with fewer patches to copy from would decide for too little. */
const LEAST_SOURCES = 64;

/** Sizes of window and box, scale by scale; more than are needed. */
export function shapesOf(window: Rect, hole: Rect): readonly { readonly extent: Extent; readonly box: Rect }[] {
  const shapes = [];
  let extent: Extent = { width: window.width, height: window.height };
  let bounds = { ...hole, x: hole.x - window.x, y: hole.y - window.y };
  for (;;) {
    shapes.push({ extent, box: grown(bounds, RADIUS, extent) });
    if (Math.min(extent.width, extent.height) < SMALLEST_SIDE) return shapes;
    extent = { width: (extent.width + 1) >> 1, height: (extent.height + 1) >> 1 };
    const [x, y] = [bounds.x >> 1, bounds.y >> 1];
    bounds = { x, y, width: ((bounds.x + bounds.width + 1) >> 1) - x, height: ((bounds.y + bounds.height + 1) >> 1) - y };
  }
}

/** Scales of a window, fine to coarse (Wexler, Shechtman, Irani 2007): means of known pixels; a cell is known if half of it is. */
export async function buildPyramid(
  pool: KernelPool,
  place: Place & { readonly hole: Rect },
  signal: Cancellation,
): Promise<readonly Scale[]> {
  const shapes = shapesOf(place.window, place.hole).slice(place.halvings);
  const [first, ...coarser] = shapes;
  if (!first) return [];
  const finest = new Scale(pool, first.extent, first.box);
  await fillFinest(finest, place, signal);
  await pool.run({ name: 'texture', pointer: finest.pointer, pieces: finest.rowsOfBands }, signal);
  await measure(finest, signal);
  const scales = [finest];
  for (const { extent, box } of coarser) {
    const fine = scales.at(-1)!;
    if (fine.get('deepest') <= SHALLOW_PX * DEPTH_UNIT) break;
    const scale = new Scale(pool, extent, box);
    scale.set({ coarser: fine.pointer });
    await pool.run({ name: 'halve', pointer: scale.pointer, pieces: scale.rowsOfBands }, signal);
    await measure(scale, signal);
    if (countSources(scale, LEAST_SOURCES) < LEAST_SOURCES) break;
    scales.push(scale);
  }
  scales.forEach((scale, l) => {
    scale.set({ coarser: scales[l + 1]?.pointer ?? 0 });
  });
  return scales;
}

async function measure(scale: Scale, signal: Cancellation): Promise<void> {
  const { pool, pointer } = scale;
  await pool.run({ name: 'mark', pointer, pieces: scale.rowsOfBands }, signal);
  await pool.run({ name: 'depths', pointer, pieces: 1 }, signal);
}
