import type { ColourMap } from '#engine/image/compositing/colour-map.js';
import type { Cancellation } from '#base/cancellation.js';
import type { Extent, Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import type { DetailReport, Notice, PartPlace } from '#contract/event.js';
import { detailBytes, detailScales, type Detail, type DetailJob, type DetailScale } from '#engine/detail/detail.js';
import type { DetailWorkers } from '#engine/detail/workers.js';
import { restBeside } from '#engine/image/compositing/beside-mask.js';
import { matchSurroundings } from '#engine/image/compositing/surroundings.js';
import { encodePng } from '#engine/image/files/encode.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import type { Region } from '#engine/image/working/regions.js';
import { dilate, openMask } from '#engine/image/working/mask.js';
import type { EditTrace } from './changed-area.js';
import { modelExtent, pictureBytes, type PipelineEvent, type PipelineJob } from './model.js';
import type { DecodedStage } from './stage.js';

/** What a candidate drew in one region. */
export interface DrawnRegion {
  readonly region: Region;
  readonly trace: EditTrace;
  readonly index: number;
  readonly seed: number;
  /** What the wish does to colours alone, where that is all it does. */
  readonly wish?: ColourMap;
  /** Which of several regions it is. */
  readonly part?: PartPlace;
}

export interface Redrawn extends DrawnRegion {
  /** Where it is shown. */
  readonly weight: Mask;
  /**
   * `hole`: nothing of what was there counts. `removal`: it became what lies around it. `unled`: it shall, and the model does
   * not know how. `change`: something else came.
   */
  readonly kind: 'hole' | 'removal' | 'unled' | 'change';
}

interface Setting {
  readonly job: PipelineJob;
  readonly stage: DecodedStage;
}

/** Kept from hole to hole. */
interface Working extends Setting {
  readonly workers: DetailWorkers;
}

/** What the detail scales made, and what there is to say of it. */
export interface Detailed {
  readonly detail?: Detail;
  /** Where it is shown. */
  readonly weight: Mask;
  readonly report?: DetailReport;
  readonly notices: readonly Notice[];
}

/** How far a pack leads that says nothing of it: a little, and wholly where an instruction says what is to be there. */
const [LITTLE, WHOLLY] = [0.3, 1];
/** Model pixels that a pack resolves which says nothing of it. */
const USUALLY_RESOLVES = 3;
/** Beside what an instruction changed lies what it changed a little. */
const GROWTH_PX = 3;
const MOST_PREVIEW_PX = 768;

/** Whether what is drawn anew is to be written with the photograph's own pixels. */
export function wantsDetail({ request }: Pick<PipelineJob, 'request'>): boolean {
  return request.detail !== 'off' && !request.whole && request.task !== 'generate' && request.task !== 'control';
}

/** Goes on where the tokenizer ends, and tells of every scale. Throws CancelledError. */
export async function* writeDetail(
  { job, stage, workers }: Working,
  redrawn: Redrawn,
  signal: Cancellation,
): AsyncGenerator<PipelineEvent, Detailed> {
  const { canvas, kept } = stage;
  const { region } = redrawn;
  const weight = shownIn({ job, stage }, redrawn);
  const sources = await copySources(job, stage);
  const lead = leadOf(job, redrawn);
  const seeds = seedsOf(job, redrawn);
  const wish: DetailJob = {
    photo: canvas,
    weight: redrawn.kind === 'change' ? dilate(solid(weight), GROWTH_PX) : weight,
    within: region.reach,
    ...(sources && { allowed: sources.allowed }),
    guide: await guideOf({ job, stage }, { ...redrawn, weight }, lead),
    ...(kept && { window: sourcesOfBorder(kept, canvas), keepsHeight: kept.width < canvas.extent.width }),
    shown: shownScales(job, region.frame),
    seeds,
    until: job.request.stopAtDetail,
    keepsUnlike: redrawn.kind === 'change',
    workers,
  };
  const detail = yield* told(job, redrawn, detailScales(wish, signal));
  const notices = [...(sources?.notices ?? []), ...noticesOf(detail), ...(await besideMask(stage, redrawn))];
  if (!detail) return { weight: redrawn.weight, notices };
  const { scale, of } = detail;
  const made = Array.from({ length: scale }, (_, k) => seeds[Math.min(k, seeds.length - 1)]!);
  const report = { lead, ledBy: lead >= WHOLLY ? ('model' as const) : ('photograph' as const), scale, of, seeds: made };
  return { detail, weight, report, notices };
}

/**
 * What is copied and melted needs no soft edge, and a hole grown by one would lose the pixels next to it, which tell most. It
 * stays where it was asked for, and where the model's own pixels may be shown. Old pixels of a grown canvas always end hard:
 * there is nothing beside them that new ones could be blended with.
 */
function shownIn({ job, stage: { kept, mask } }: Setting, { kind, weight }: Redrawn): Mask {
  // Up to where the melt meets known pixels, or the step between would show.
  if (!mask && kind === 'removal') return dilate(solid(weight), GROWTH_PX);
  const isHard = kept !== undefined || (job.request.blend === undefined && kind !== 'change');
  return isHard && mask ? mask : weight;
}

async function* told(
  job: PipelineJob,
  { index, part }: DrawnRegion,
  scales: AsyncGenerator<DetailScale, Detail | undefined>,
): AsyncGenerator<PipelineEvent, Detail | undefined> {
  let started = performance.now();
  for (;;) {
    const { done, value } = await scales.next();
    if (done) return value;
    const { scale, of, size, region } = value;
    const ms = performance.now() - started;
    const shows = job.request.previews && job.isShortOfMemory?.() !== true;
    const picture = shows ? await encodePng(value.picture(MOST_PREVIEW_PX)) : undefined;
    yield { type: 'detail', candidate: index, scale, of, size, region, ms, ...(part && { part }), ...(picture && { picture }) };
    started = performance.now();
  }
}

/** What stands out beside a mask is continued into the hole, so it is offered to take it in. */
async function besideMask({ canvas, kept, mask }: DecodedStage, { region, kind }: Redrawn): Promise<readonly Notice[]> {
  if (!mask || kept || kind === 'change') return [];
  const growPx = await restBeside(canvas, mask, region.reach);
  if (growPx === undefined) return [];
  const message = 'A shadow or a rest of the object lies beside the mask and may be continued into it: a larger mask takes it in.';
  return [{ code: 'mask.edge', message, details: { growPx } }];
}

function noticesOf(detail: Detail | undefined): readonly Notice[] {
  if (!detail) {
    return [{ code: 'detail.no-source', message: 'There is nothing to copy detail from: the model’s own pixels are shown.' }];
  }
  return detail.cutShort ? [{ code: 'detail.memory', message: 'Memory is short: the finest detail was left out.' }] : [];
}

function leadOf({ request, model }: PipelineJob, { kind }: Redrawn): number {
  if (kind === 'unled') return 0;
  if (typeof request.detail === 'number') return request.detail;
  const own = model.card.lead ?? LITTLE;
  return kind !== 'hole' || (request.task === 'edit' && request.instruction.trim() !== '') ? Math.max(WHOLLY, own) : own;
}

function seedsOf({ request }: PipelineJob, { index, seed }: Redrawn): readonly number[] {
  const { detailSeeds } = request;
  return detailSeeds ? detailSeeds.map((own, k) => (k === detailSeeds.length - 1 ? (own + index) >>> 0 : own)) : [seed];
}

async function guideOf(
  { job: { model }, stage }: Setting,
  { trace, region, weight, kind }: Redrawn,
  lead: number,
): Promise<DetailJob['guide']> {
  if (lead <= 0) return undefined;
  const { canvas, kept } = stage;
  const { frame } = region;
  const picture = await matchSurroundings({ photo: canvas, frame, after: trace.after, weight, ...(kept && { kept }) });
  // Where an object went nothing new comes: a bit of the next object is none of its ground, though it may join well.
  return { picture, frame, resolves: model.card.resolves ?? USUALLY_RESOLVES, lead, holdsOff: kind === 'removal' };
}

/** The scales that are finer than the model's picture, the photograph's own in any case. */
function shownScales({ model }: PipelineJob, frame: Rect): number {
  return Math.max(1, Math.ceil(Math.log2(frame.width / modelExtent(model).width)));
}

/** Where a canvas is written anew, before its pixels are known: under a mask, or around what is kept. */
interface Redrawing {
  readonly extent: Extent;
  readonly mask?: Mask | undefined;
  readonly kept?: Rect | undefined;
  readonly regions: readonly Pick<Region, 'reach'>[];
}

/** What the detail scales will take at most at one time, in bytes; of an edit without a mask nobody knows before. */
export function detailBytesOf(job: Pick<PipelineJob, 'request'>, { extent, mask, kept, regions }: Redrawing): number {
  if (!wantsDetail(job)) return 0;
  if (kept) return detailBytes(borderOf(kept, extent), extent, sourcesOfBorder(kept, { extent }));
  const holes = mask ? regions.map(({ reach }) => paintedBounds(mask.values, mask.extent, reach)) : [];
  return holes.reduce((most, hole) => Math.max(most, hole ? detailBytes(hole, extent) : 0), 0);
}

/** The box of a grown canvas that holds all that is new. */
function borderOf(kept: Rect, { width, height }: Extent): Rect {
  const [right, bottom] = [kept.x + kept.width, kept.y + kept.height];
  const [isWider, isHigher] = [kept.width < width, kept.height < height];
  const [fromX, toX] = isHigher ? [0, width] : [kept.x > 0 ? 0 : right, right < width ? width : kept.x];
  const [fromY, toY] = isWider ? [0, height] : [kept.y > 0 ? 0 : bottom, bottom < height ? height : kept.y];
  return { x: fromX, y: fromY, width: toX - fromX, height: toY - fromY };
}

/**
 * A grown border continues what lies within its own width, and within half of the old picture at least. One around a corner
 * runs along all of the picture.
 */
function sourcesOfBorder(kept: Rect, { extent }: Pick<Photo, 'extent'>): Rect {
  if (kept.width < extent.width && kept.height < extent.height) return { x: 0, y: 0, ...extent };
  const across = sourcesAlong({ start: kept.x, length: kept.width, whole: extent.width });
  const down = sourcesAlong({ start: kept.y, length: kept.height, whole: extent.height });
  return { x: across.start, y: down.start, width: across.length, height: down.length };
}

function sourcesAlong({ start, length, whole }: { start: number; length: number; whole: number }): { start: number; length: number } {
  const [before, behind] = [start, whole - start - length];
  const reach = (margin: number) => Math.min(length, Math.max(margin, Math.ceil(length / 2)));
  if (before > 0 === behind > 0) return { start: 0, length: whole };
  if (before > 0) return { start: 0, length: before + reach(before) };
  return { start: whole - behind - reach(behind), length: behind + reach(behind) };
}

/** Where detail may be copied from, as the request says; on a grown canvas the mask is of the old picture. */
async function copySources(
  job: PipelineJob,
  { canvas, kept }: DecodedStage,
): Promise<{ allowed: Mask; notices: readonly Notice[] } | undefined> {
  const { copy } = job.request;
  if (!copy) return undefined;
  const place = kept ?? { x: 0, y: 0, ...canvas.extent };
  const { mask, notices } = await openMask(pictureBytes(job, copy.mask, 'mask'), { width: place.width, height: place.height });
  const allowed = { extent: canvas.extent, values: new Uint8Array(canvas.extent.width * canvas.extent.height) };
  for (let y = 0; y < place.height; y++) {
    const to = (place.y + y) * canvas.extent.width + place.x;
    for (let x = 0; x < place.width; x++) {
      const painted = mask.values[y * place.width + x]!;
      allowed.values[to + x] = (copy.only ? painted >= HALF : painted === 0) ? 255 : 0;
    }
  }
  return { allowed, notices };
}

const HALF = 128;

function solid({ extent, values }: Mask): Mask {
  return { extent, values: values.map((value) => (value > 0 ? 255 : 0)) };
}
