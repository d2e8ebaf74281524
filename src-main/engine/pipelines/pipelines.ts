import type { Cancellation } from '#base/cancellation.js';
import type { Extent } from '#base/geometry.js';
import { assertNever } from '#base/assert.js';
import { ExpectedError, throwIfCancelled } from '#contract/errors.js';
import type { RunPlan } from '#contract/event.js';
import type { PackCard } from '#contract/pack-card.js';
import type { ControlSettings, EditRequest } from '#contract/request.js';
import { traitsOf } from '#contract/traits.js';
import { blurredPicture, canny } from '#engine/control/canny.js';
import { upsampleMap } from '#engine/image/compositing/composite.js';
import { openPhoto, readFacts } from '#engine/image/files/decode.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { expectWithinLimits } from '#engine/image/files/limits.js';
import { EVERYWHERE } from '#engine/image/working/mask.js';
import { frameWhole } from '#engine/image/working/frame.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import type { Region } from '#engine/image/working/regions.js';
import { workingCopy } from '#engine/image/working/working-copy.js';
import { controlInput, estimateMap, type MapOrigin } from './control-input.js';
import { photoOfMask } from './finish.js';
import { fittedTo, givenFile, modelExtent, pictureBytes, refinesSource, type Fit, type PipelineEvent, type PipelineJob } from './model.js';
import { produce } from './produce.js';
import { mapNotices, openMap, type ReadyMap } from './ready-map.js';
import { stageEdit, stageEmpty, stageExpand, stageFill, type Stage } from './stage.js';

/** Runs a request of any task; the last event is `done`. Throws ExpectedError, CancelledError or a bug. */
export async function* runPipeline(job: PipelineJob, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  const { request, pictures } = job;
  await expectWritableSize(request, request.source === undefined ? undefined : pictures[request.source]);
  yield* runTask({ ...job, model: fittedTo(job.model, await fitOf(job)) }, signal);
}

/**
 * The token grids that a request asks for.
 *
 * @throws ExpectedError `request.invalid` where the pack leaves no such choice.
 */
export async function fitOf(job: FittedJob): Promise<Fit> {
  const { task, scaleCount, modelSide, margins } = job.request;
  expectOffered(job.model.card, job.request);
  return { shape: await shapeOf(job), scaleCount, modelSide, schedule: givenFile(job)?.schedule, ...(task === 'expand' && { margins }) };
}

/** Throws `request.invalid` for a number of scales or a side that the pack does not leave to choose, `pack.unable` for a re-roll that it cannot do. */
export function expectOffered(
  card: PackCard,
  { scaleCount, modelSide, redraw }: Pick<EditRequest, 'scaleCount' | 'modelSide' | 'redraw'>,
): void {
  const { scaleCounts, modelSides, redraws } = traitsOf(card);
  if (redraw && !redraws)
    throw new ExpectedError('pack.unable', `Expected a pack that draws single tokens again but "${card.name}" does not.`);
  expectChoice({ field: 'scaleCount', wanted: scaleCount, choice: scaleCounts }, card.name);
  expectChoice({ field: 'modelSide', wanted: modelSide, choice: modelSides }, card.name);
}

/** As much of a job as says what its model is fitted to. */
type FittedJob = Pick<PipelineJob, 'request' | 'pictures' | 'model' | 'probe'>;

interface Choice {
  readonly field: 'scaleCount' | 'modelSide';
  readonly wanted: number | undefined;
  readonly choice: { readonly least: number; readonly most: number; readonly step?: number } | undefined;
}

function expectChoice({ field, wanted, choice }: Choice, pack: string): void {
  if (wanted === undefined) return;
  const { least, most, step = 1 } = choice ?? { least: 1, most: 0 };
  if (wanted >= least && wanted <= most && (wanted - least) % step === 0) return;
  const range = choice ? `${least} to ${most}${step === 1 ? '' : ` in steps of ${step}`}` : 'nothing';
  throw new ExpectedError('request.invalid', `Expected ${range} as ${field} for the pack "${pack}" but received ${wanted}.`, {
    details: { field },
  });
}

/** The result's own size against what its format can hold, before any work. Throws `output.too-large`. */
export async function expectWritableSize(
  { task, size, margins, output }: EditRequest,
  source: Parameters<typeof readFacts>[0] | undefined,
): Promise<void> {
  const own = size ?? (source && (await readFacts(source)).size);
  if (!own) return;
  const { left, right, top, bottom } = (task === 'expand' ? margins : undefined) ?? { left: 0, right: 0, top: 0, bottom: 0 };
  expectWithinLimits(output.format, { width: own.width + left + right, height: own.height + top + bottom });
}

/** What the model's picture should look like: the whole canvas, where all of it is worked on. */
export async function shapeOf({ request, pictures }: Pick<PipelineJob, 'request' | 'pictures'>): Promise<Extent | undefined> {
  const { task, mask, source, size, margins, padded } = request;
  if (task === 'fill' || mask !== undefined) return undefined;
  const bytes = source === undefined ? undefined : pictures[source];
  if (size || !bytes) return size;
  const { width, height } = (await readFacts(bytes)).size;
  if (padded) return { width: Math.max(width, height), height: Math.max(width, height) };
  if (task !== 'expand' || !margins) return { width, height };
  return { width: width + margins.left + margins.right, height: height + margins.top + margins.bottom };
}

function runTask(job: PipelineJob, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  const { task } = job.request;
  const { card } = job.model;
  if (!traitsOf(card).fills && task !== 'generate' && task !== 'control') {
    throw new ExpectedError('pack.unable', `Expected the task generate for the pack "${card.name}" but received ${task}.`);
  }
  switch (task) {
    case 'edit':
      return edit(job, signal);
    case 'fill':
      return fill(job, signal);
    case 'expand':
      return expand(job, signal);
    case 'generate':
      return generate(job, signal);
    case 'control':
      return control(job, signal);
    default:
      return assertNever(task);
  }
}

/** Instruction edit (VAREdit), optionally held to a mask. */
async function* edit(job: PipelineJob, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  if (refinesSource(job)) return yield* refine(job, signal);
  if (job.request.instruction.trim() === '') throw new ExpectedError('instruction.missing', 'Expected an instruction but received none.');
  if (traitsOf(job.model.card).seesSource) yield* staged(job, await stageEdit(job), signal);
  else yield* editByClass(job, signal);
}

/** All of a picture drawn anew from its own first scales on (FlexVAR): these are `structure`, and words are not needed. */
async function* refine(job: PipelineJob, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  yield* staged(job, { ...(await stageEdit(job)), weight: EVERYWHERE }, signal);
}

/** Class-conditional editing (VAR): what is named is drawn into the mask. */
async function* editByClass(job: PipelineJob, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  const { name } = job.model.card;
  if (job.request.mask === undefined) {
    const or = traitsOf(job.model.card).refines ? ', or a structure to refine,' : '';
    throw new ExpectedError(
      'mask.empty',
      `Expected a mask${or} because the pack "${name}" draws what is named into one, but received none.`,
    );
  }
  yield* fill(job, signal);
}

/** In-painting with keep masks per scale (VAR, FlexVAR). */
async function* fill(job: PipelineJob, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  yield* staged(job, await stageFill(job), signal);
}

/** Out-painting: in-painting of a new border. */
async function* expand(job: PipelineJob, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  yield* staged(job, await stageExpand(job), signal);
}

async function* staged(job: PipelineJob, stage: Stage, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  throwIfCancelled(signal);
  const map = await openMap(job);
  const see = async (region: Region) => {
    const view = await stage.see(region);
    return { view, control: await controlInput(job, { picture: view.picture, ready: readyIn(stage, map, region) }) };
  };
  yield* produce(job, { stage: withMapNotices(stage, map), see }, signal);
}

function readyIn({ canvas, kept }: Stage, map: ReadyMap | undefined, { frame }: Region): MapOrigin['ready'] {
  return map && { map, place: { canvas: canvas.extent, kept, frame } };
}

function withMapNotices(stage: Stage, map: ReadyMap | undefined): Stage {
  if (!map) return stage;
  const { canvas, kept } = stage;
  return { ...stage, notices: [...stage.notices, ...mapNotices(map, { canvas: canvas.extent, kept })] };
}

/** A picture from words, a control map, or both (ControlAR), or from the first scales of another (FlexVAR). */
async function* generate(job: PipelineJob, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  const size = modelExtent(job.model);
  const guide = job.request.source === undefined ? undefined : await openPhoto(pictureBytes(job, job.request.source, 'source'));
  const seen = guide && (await workingCopy(guide, frameWhole(guide.extent, size.width / size.height), size));
  const stage = stageEmpty(job.model, job.request.size ?? guide?.extent ?? size);
  const map = await openMap(job);
  const see = async (region: Region) => {
    const control = await controlInput(job, { picture: seen, ready: readyIn(stage, map, region) });
    const view = await stage.see(region);
    return { control, view: seen && refinesSource(job) ? { ...view, picture: seen } : view };
  };
  // A picture that is drawn from the map alone has no shape of its own.
  const notices = job.request.size || guide ? withMapNotices(stage, map).notices : (map?.notices ?? []);
  yield* produce(job, { stage: { ...stage, notices }, see }, signal);
}

/** Makes a control map of a photograph: edges at its own resolution, or the pack's depth estimate. */
async function* control(job: PipelineJob, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  const started = performance.now();
  const settings = job.request.control;
  if (!settings) throw new ExpectedError('request.invalid', 'Expected control settings but received none.');
  const photo = await openPhoto(pictureBytes(job, job.request.source, 'source'));
  throwIfCancelled(signal);
  yield { type: 'started', plan: mapPlan(job, photo) };
  const mask = settings.kind === 'canny' ? cannyMask(photo, settings) : await depthMask(job, photo);
  if (settings.invert) mask.values.forEach((value, i) => (mask.values[i] = 255 - value));
  const picture = await encodePhoto(photoOfMask(mask, 'png'), job.request.output);
  const { schedule } = job.model.quantiser;
  const tokens = { pack: job.model.card.name, schedule: schedule.map(([rows, columns]): [number, number] => [rows, columns]), tokens: [] };
  yield { type: 'candidate', candidate: { index: 0, picture, tokens, seed: job.request.seed, changedPixels: 0, changedOutsideMask: 0 } };
  const total = job.loadMs + performance.now() - started;
  const timingsMs = { load: job.loadMs, text: 0, source: 0, scales: [], previews: [], decode: 0, composite: total - job.loadMs, total };
  yield { type: 'done', timingsMs, peakRssBytes: job.peakRssBytes(), size: photo.extent, provider: job.provider };
}

function mapPlan(job: PipelineJob, photo: Photo): RunPlan {
  const { width, height } = photo.extent;
  const { ms, bytes } = job.estimate('draft', width * height);
  const crop = { x: 0, y: 0, width, height };
  const { preset } = job.request;
  return {
    pack: job.model.card.name,
    preset,
    provider: job.provider,
    schedule: [],
    crop,
    size: photo.extent,
    estimateMs: ms,
    estimateBytes: bytes,
    notices: photo.notices,
  };
}

function cannyMask(photo: Photo, { low, high, blur }: ControlSettings): Mask {
  const picture = blurredPicture({ ...photo.extent, ...eightBitColours(photo) }, blur);
  return { extent: photo.extent, values: canny(picture, low, high) };
}

/** Edges are looked for in 8-bit colours; transparency has none. */
function eightBitColours({ channels, samples }: Photo): { readonly channels: number; readonly samples: Uint8Array } {
  const colours = channels < 3 ? 1 : 3;
  const pixels = samples.length / channels;
  const shift = samples instanceof Uint16Array ? 8 : 0;
  const bytes = new Uint8Array(pixels * colours);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let colour = 0; colour < colours; colour++) bytes[pixel * colours + colour] = samples[pixel * channels + colour]! >> shift;
  }
  return { channels: colours, samples: bytes };
}

async function depthMask(job: PipelineJob, photo: Photo): Promise<Mask> {
  const settings = job.request.control;
  if (!settings) throw new Error('Expected control settings.');
  const size = job.model.depth?.sizeFor(photo.extent) ?? modelExtent(job.model);
  const frame = frameWhole(photo.extent, size.width / size.height);
  const plane = await estimateMap(job, settings, await workingCopy(photo, frame, size));
  return upsampleMap({ ...plane, dims: plane.dims.slice(1) }, frame, photo.extent);
}
