import type { Cancellation } from '#base/cancellation.js';
import { grown } from '#base/distance.js';
import type { Extent, Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import { colourSpaceOf } from '#engine/image/colour/colour.js';
import type { NativeRows } from '#engine/image/compositing/composite-rows.js';
import type { KernelPool } from '#engine/kernels/pool.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { fillScale, keepHeights } from './field.js';
import { isLedByModel, type Guide } from './guide.js';
import { findLines, scaleOfLines } from './lines.js';
import { meltBytes, meltCopied, type Copied } from './melt.js';
import { MOST_SOURCES, peelHole } from './peel.js';
import { buildPyramid, shapesOf } from './pyramid.js';
import { CopiedRows, EnlargedRows, MixedRows, pictureOf } from './rows.js';
import { RADIUS, Scale } from './scale.js';
import { unlikeIn, type Unlike } from './unlike.js';
import { windowAround, type Scene } from './window.js';
import { DetailWorkers } from './workers.js';

/** One hole of one photograph, and what is wished of its detail. */
export interface DetailJob extends Scene {
  readonly guide?: Guide | undefined;
  /** The part of the hole that is filled; absent = all of it. */
  readonly within?: Rect | undefined;
  /** What is looked at around the hole, in photo pixels; absent = its longer side. */
  readonly window?: Rect | undefined;
  /** Scales that are told of: the finest ones, the photograph's own among them. */
  readonly shown: number;
  /** Seeds of the told scales, coarse to fine; the last one holds for the rest. */
  readonly seeds: readonly number[];
  /** The told scale to stop at (1-based). */
  readonly until?: number | undefined;
  /** What lies higher or lower than a place of the hole is less likely to belong there. */
  readonly keepsHeight?: boolean;
  /** The model's pixels stay where the photograph has nothing like them. */
  readonly keepsUnlike?: boolean;
  /** Absent = workers of its own. */
  readonly workers?: DetailWorkers | undefined;
  readonly limitBytes?: number | undefined;
}

/** A told scale that is done. */
export interface DetailScale {
  /** 1-based, of `of`. */
  readonly scale: number;
  readonly of: number;
  /** Of the window, in pixels of the scale. */
  readonly size: Extent;
  readonly region: Rect;
  /** The window as it looks, `[1, 3, h, w]` sRGB, at most so many pixels to a side. To be asked before the next scale. */
  picture(mostPx: number): FloatTensor;
}

/** The hole's pixels, in the photograph's own colours. */
export interface Detail {
  readonly rows: NativeRows;
  readonly scale: number;
  readonly of: number;
  /** Memory allowed no finer scale. */
  readonly cutShort: boolean;
}

/** Of the pyramid and the fields; the pictures of a run come on top. */
export const MOST_BYTES = 400 * 2 ** 20;
/** Scratch memory and what alignment costs. */
const WASTE_BYTES = 2 ** 22;
/** Two of a model of 1024 pixels to each pixel of the hole. */
const MOST_GUIDED_PIXELS = 2 ** 22;

/**
 * Goes on where the tokenizer ends: the hole of a photograph (every pixel of weight above 0) is written anew, scale by scale up
 * to the photograph's own resolution, with the photograph's own pixels. What lies in the hole is never read. The same job gives
 * the same bytes on any number of workers. Undefined where there is nothing to copy. Throws CancelledError.
 */
export async function* detailScales(job: DetailJob, signal: Cancellation): AsyncGenerator<DetailScale, Detail | undefined> {
  const hole = paintedBounds(job.weight.values, job.weight.extent, job.within);
  if (!hole) return undefined;
  const window = job.window ?? windowAround(hole, job.weight.extent);
  const { halvings, bytes } = budgetOf(window, hole, job);
  const workers = job.workers ?? new DetailWorkers();
  try {
    const pool = workers.poolOf(bytes);
    const scales = await buildPyramid(pool, { scene: job, window, halvings, hole }, signal);
    if (job.keepsHeight) keepHeights(scales);
    return yield* climb({ job, pool, scales, window, hole, halvings }, signal);
  } finally {
    if (!job.workers) await workers.close();
  }
}

interface Climb {
  readonly job: DetailJob;
  readonly pool: KernelPool;
  /** Fine to coarse. */
  readonly scales: readonly Scale[];
  readonly window: Rect;
  readonly hole: Rect;
  readonly halvings: number;
}

async function* climb(run: Climb, signal: Cancellation): AsyncGenerator<DetailScale, Detail | undefined> {
  const { job, scales, window, halvings } = run;
  const top = scales.length - 1;
  const of = Math.max(1, Math.min(job.shown, top + 1 + halvings));
  const last = Math.max(0, of - Math.min(of, job.until ?? of) - halvings);
  if (top < 0) return undefined;
  const seenAt = scaleOfLines(scales);
  const lines = isLedByModel(job.guide) ? [] : findLines(scales[seenAt]!, seenAt);
  if (!(await peelHole(scales[top]!, { lines, shrink: 2 ** top }, signal))) return undefined;
  let unlike: Unlike | undefined;
  for (let l = top; l >= last; l--) {
    const told = of - l - halvings;
    const seed = job.seeds[Math.min(job.seeds.length, Math.max(1, told)) - 1]!;
    const place = { top, level: l, seed, guide: job.guide, window, shrink: 2 ** (l + halvings), lines: l >= seenAt ? lines : [] };
    const led = await fillScale(scales[l]!, place, signal);
    if (led && job.keepsUnlike) unlike = unlikeIn(scales[l]!, { window, shrink: 2 ** (l + halvings) });
    if (told >= 1) yield toldScale(run, l, { scale: told, of });
  }
  const scale = of - last - halvings;
  const rows = scale === of ? await copiedRows(run, signal) : await enlargedRows(run, last);
  return { rows: unlike ? new MixedRows(rows, unlike.share, unlike.frame) : rows, scale, of, cutShort: halvings > 0 };
}

function toldScale({ scales, window }: Climb, level: number, place: { readonly scale: number; readonly of: number }): DetailScale {
  const { extent, planes } = scales[level]!;
  const picture = (mostPx: number) => pictureOf(planes, { ...extent, step: Math.ceil(Math.max(extent.width, extent.height) / mostPx) });
  return { ...place, size: extent, region: window, picture };
}

/** Exactly, by the field of offsets, in the photograph's own samples. */
async function copiedRows({ job, pool, scales, window }: Climb, signal: Cancellation): Promise<NativeRows> {
  const finest = scales[0]!;
  const { width } = job.photo.extent;
  const across = finest.extent.width;
  const origin = finest.ints('origin').map((at) => (at < 0 ? -1 : (window.y + Math.trunc(at / across)) * width + window.x + (at % across)));
  const box = { ...finest.box, x: window.x + finest.box.x, y: window.y + finest.box.y };
  const copied: Copied = { scene: job, box, origin };
  // The fields are not needed any more.
  pool.release(scales[0]!.pointer);
  return new CopiedRows(copied, await meltCopied(pool, copied, signal));
}

async function enlargedRows({ job, scales, window, hole, halvings }: Climb, level: number): Promise<NativeRows> {
  const { extent, planes } = scales[level]!;
  const shrink = 2 ** (level + halvings);
  const frame = { x: window.x, y: window.y, width: extent.width * shrink, height: extent.height * shrink };
  const picture = pictureOf(planes, { ...extent, step: 1 });
  return new EnlargedRows(picture, { frame, box: grown(hole, RADIUS, job.photo.extent), space: await colourSpaceOf(job.photo) });
}

/** What the detail scales of a hole take, in bytes. */
export function detailBytes(hole: Rect, canvas: Extent, window = windowAround(hole, canvas)): number {
  return budgetOf(window, hole, {}).bytes;
}

/** How often the photograph is halved before the finest scale so that everything fits, and what that takes. */
function budgetOf(
  window: Rect,
  hole: Rect,
  { limitBytes = MOST_BYTES }: Pick<DetailJob, 'limitBytes'>,
): { halvings: number; bytes: number } {
  const shapes = shapesOf(window, hole);
  const needs = shapes.map(({ extent, box }, halvings) => {
    const scales = shapes.slice(halvings).reduce((sum, shape) => sum + Scale.bytes(shape.extent, shape.box), WASTE_BYTES);
    const [pixels, inBox] = [extent.width * extent.height, box.width * box.height];
    // Guides are of scales that the model resolves, four bytes in the window and in the box.
    const guides = 8 * Math.min(MOST_GUIDED_PIXELS, pixels);
    return Math.ceil(Math.max(scales + guides + pixels + 4 * (inBox + MOST_SOURCES), halvings === 0 ? meltBytes(box) : 0));
  });
  const fits = needs.findIndex((bytes) => bytes <= limitBytes);
  const halvings = fits < 0 ? needs.length - 1 : fits;
  return { halvings, bytes: needs[halvings]! };
}
