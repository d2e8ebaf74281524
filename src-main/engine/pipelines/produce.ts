import { at } from '#base/assert.js';
import type { Cancellation } from '#base/cancellation.js';
import type { Rect } from '#base/geometry.js';
import { ExpectedError, throwIfCancelled } from '#contract/errors.js';
import { adaptedExtent } from '#contract/adaptation.js';
import type { Notice, PartPlace, RunPlan, Timings } from '#contract/event.js';
import { firstScales, redrawOf } from '#contract/request.js';
import { traitsOf } from '#contract/traits.js';
import { encodePng } from '#engine/image/files/encode.js';
import { lossesOf } from '#engine/image/files/losses.js';
import type { Region } from '#engine/image/working/regions.js';
import type { ColourMap } from '#engine/image/compositing/colour-map.js';
import { DetailWorkers } from '#engine/detail/workers.js';
import { layersPerScale } from '#engine/sampling/depth-presets.js';
import { patchify } from '#engine/sampling/patchify.js';
import type { DrawOptions, ScaleTokens } from '#engine/sampling/quantiser.js';
import { endedAfter, guidanceOf, guidanceOn, type Guidance } from '#engine/sampling/guidance.js';
import { runRows } from '#engine/sampling/raster-loop.js';
import { runScales, type Redraw, type ScaleStep } from '#engine/sampling/scale-loop.js';
import { temperaturePerScale } from '#engine/sampling/temperature.js';
import { unpackRegions } from '#engine/sampling/tokens.js';
import type { ControlInput } from '#engine/tensor/predictor.js';
import { resizeCubic } from '#engine/tensor/resample.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { EditTrace } from './changed-area.js';
import { detailBytesOf } from './detail-step.js';
import { ResultCanvas } from './finish.js';
import {
  givenFile,
  modelExtent,
  redrawsMask,
  refinesSource,
  type EncodedInstruction,
  type HeldSource,
  type PipelineEvent,
  type PipelineJob,
  type Wish,
} from './model.js';
import { speaksOfObject } from './named-object.js';
import { SourceMemory } from './source-memory.js';
import type { Stage, View } from './stage.js';
import { wordingOf } from './wording.js';

/** More than any published schedule has. */
const MANY_SCALES = 16;

// d code bits · G finest tokenizer grid · S model picture side

/** What all candidates of one request share. */
interface Production {
  readonly job: PipelineJob;
  readonly stage: Stage;
  readonly text: EncodedInstruction['text'];
  readonly clock: Clock;
  /** Tokens to begin with, per region. */
  readonly given: readonly (readonly ScaleTokens[])[];
  /** Scales that every region runs. */
  readonly until: number;
  readonly see: (region: number) => Promise<Seen>;
  readonly workers: DetailWorkers;
}

/** A region as the model sees it, and the control that goes with it. */
export interface Seen {
  readonly view: View;
  readonly control: ControlInput | undefined;
}

/** One region, ready for the scale loop. */
interface RegionWork {
  readonly production: Production;
  /** 0-based. */
  readonly index: number;
  readonly plan: Wish['plan'];
  /** Its picture is decoded behind the scales, so that no preview waits for it. */
  readonly source: Omit<HeldSource, 'features'>;
}

/** A request's picture, and how to see a region of it. */
export interface Staged {
  readonly stage: Stage;
  readonly see: (region: Region) => Promise<Seen>;
}

interface Clock {
  readonly started: number;
  text: number;
  source: number;
  readonly scales: number[];
  readonly previews: number[];
  decode: number;
  composite: number;
}

/** From a staged picture to its candidates: the part that edit, fill, expand and generate have in common. */
export async function* produce(job: PipelineJob, { stage, see }: Staged, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  const clock: Clock = { started: performance.now(), text: 0, source: 0, scales: [], previews: [], decode: 0, composite: 0 };
  // What cannot be seen is refused before anything is announced.
  const first = await see(at(stage.regions, 0));
  const encoded = await spend(clock, 'text', () => job.model.encodeText(instructionOf(job)));
  yield { type: 'started', plan: runPlan(job, stage, encoded.notices) };
  throwIfCancelled(signal);
  const given = givenTokens(job, stage.regions.length);
  const production: Production = {
    job,
    stage,
    text: encoded.text,
    clock,
    given,
    until: lastScale(job, at(given, 0).length),
    see: async (region) => (region === 0 ? first : see(at(stage.regions, region))),
    workers: new DetailWorkers(),
  };
  // Held where it serves all candidates; of many regions it would be the same memory many times.
  const only = stage.regions.length === 1 ? await prepare(production, 0) : undefined;
  try {
    for (let index = 0; index < job.request.count; index++) yield* produceCandidate({ production, only, index }, signal);
  } finally {
    await production.workers.close();
  }
  yield {
    type: 'done',
    timingsMs: timings(job, clock),
    peakRssBytes: job.peakRssBytes(),
    size: adaptedExtent(stage.canvas.extent, job.request.output.adapt),
    provider: job.provider,
  };
}

/** Packs that learned to fill under certain words get those words where the user gave none. */
function instructionOf(job: PipelineJob): string {
  const { request, model } = job;
  return redrawsMask(job) && request.instruction.trim() === '' ? model.card.defaults.fillInstruction : request.instruction;
}

function runPlan(job: PipelineJob, stage: Stage, notices: readonly Notice[]): RunPlan {
  const { width, height } = stage.canvas.extent;
  const detail = detailBytesOf(job, { ...stage, extent: stage.canvas.extent });
  const { ms, bytes } = job.estimate(job.request.preset, width * height, detail);
  return {
    pack: job.model.card.name,
    preset: job.request.preset,
    provider: job.provider,
    schedule: job.model.quantiser.schedule,
    crop: cropOf(stage, 0),
    ...(stage.regions.length > 1 && { regions: stage.regions.map((_, region) => cropOf(stage, region)) }),
    size: stage.canvas.extent,
    estimateMs: ms * stage.regions.length,
    estimateBytes: bytes,
    notices: [...stage.notices, ...lossesOf(stage.canvas, job.request.output.format), ...notices, ...previewNotices(job)],
  };
}

/** Seen at the start; where memory gets short later, previews end without a word. */
function previewNotices(job: PipelineJob): readonly Notice[] {
  if (!job.request.previews || !job.isShortOfMemory?.()) return [];
  return [{ code: 'previews.off', message: 'Memory is short: the scales are not shown as they form.' }];
}

function cropOf({ regions }: Stage, region: number): Rect {
  return { ...at(regions, region).frame };
}

async function prepare(production: Production, index: number): Promise<RegionWork> {
  const { job, clock, text, given, until } = production;
  const { model, request } = job;
  const { quantiser } = model;
  const { view, control } = await production.see(index);
  const started = performance.now();
  const traits = traitsOf(model.card);
  const { sources = new SourceMemory() } = job;
  const { features, ...source } = needsSource(job) ? await sources.of(model, view.picture) : nothingOf(job, view);
  clock.source += performance.now() - started;
  const guided = guidedBy(job, control);
  const sourceMask = traits.maskEmbedding ? { mask: patchify(view.modelMask, quantiser.patch) } : {};
  return {
    production,
    index,
    source,
    plan: {
      quantiser,
      conditioning: {
        text,
        guided: guided.byInstruction,
        ...(traits.seesSource && { source: { tokens: patchify(features, quantiser.patch), ...sourceMask } }),
        ...(guided.control && { control: guided.control }),
      },
      layers: layersPerScale({
        depth: model.predictor.depth,
        scales: quantiser.scales,
        lateScales: model.card.config.transformer.lateScales,
        lateLayers: Math.min(model.predictor.depth, model.card.presets[request.preset]),
      }),
      ...(source.tokens.length > 0 && { features }),
      guidance: guided.guidance,
      ...((traits.maskEmbedding || traits.sourceFusion) && { modelMask: view.modelMask }),
      ...(!traits.seesSource && { sourceTokens: source.tokens }),
      ...(traits.smoothHoles && { smoothHoles: true }),
      ...(view.keepMask && { keepMask: view.keepMask }),
      lockedScales: request.structure,
      given: at(given, index),
      until,
    },
  };
}

/** Guidance of every scale, and what the second row goes without. */
function guidedBy({ request, model: { card, quantiser } }: PipelineJob, control: ControlInput | undefined) {
  const { defaults } = card;
  const { amount, by } = guidanceOf(request, defaults, control !== undefined);
  const perScale = guidanceOn(quantiser.schedule, amount, defaults.guidanceRamp);
  const isGuidedBy = (what: Guidance['by']) => amount !== 1 && by === what;
  return {
    guidance: endedAfter(perScale, request.guidanceUntil ?? defaults.guidanceUntil),
    byInstruction: isGuidedBy('instruction'),
    control: control && { ...control, guided: isGuidedBy('control') },
  };
}

function samplingOf({ request, model }: PipelineJob, seed: number): { sampling: DrawOptions; temperatures: readonly number[] } {
  const { temperature, topP, topK } = model.card.defaults;
  const temperatures = temperaturePerScale(request.temperature ?? temperature, model.quantiser.scales);
  const sampling = { temperature: at(temperatures, 0), topP: request.topP ?? topP, topK: request.topK ?? topK, seed };
  return { sampling, temperatures };
}

/** A picture of a class alone owes nothing to any source. */
function needsSource(job: PipelineJob): boolean {
  return job.request.task !== 'generate' || traitsOf(job.model.card).seesSource || refinesSource(job);
}

function nothingOf({ model }: PipelineJob, { picture }: View): HeldSource {
  return { features: model.quantiser.emptySum(), tokens: [], before: () => Promise.resolve(picture) };
}

function givenTokens(job: PipelineJob, regions: number): Production['given'] {
  const file = givenFile(job);
  if (!file) return Array.from({ length: regions }, () => []);
  const { redraw } = job.request;
  const given = unpackRegions(redraw ? firstScales(file, redraw.scale) : file, job.model.card.name, job.model.quantiser);
  if (given.length === regions) return given;
  throw new ExpectedError('tokens.invalid', `Expected tokens of ${regions} parts of the mask but received those of ${given.length}.`);
}

function lastScale(job: PipelineJob, given: number): number {
  const { scales } = job.model.quantiser;
  const until = Math.min(scales, job.request.stopAtScale ?? scales);
  if (given > until) throw new ExpectedError('request.invalid', `Expected stopAtScale of at least ${given} but received ${until}.`);
  const { redraw } = job.request;
  if (redraw && redraw.scale > until) {
    throw new ExpectedError('request.invalid', `Expected a scale from 1 to ${until} to redraw but received ${redraw.scale}.`, {
      details: { field: 'redraw' },
    });
  }
  return until;
}

interface CandidateWork {
  readonly production: Production;
  /** The only region, prepared already. */
  readonly only: RegionWork | undefined;
  readonly index: number;
}

async function* produceCandidate({ production, only, index }: CandidateWork, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  const { stage, clock, workers } = production;
  const { request } = production.job;
  const redraw = redrawOf(request, index);
  // Of a re-roll nothing differs but what is drawn again, and what follows from it.
  const seed = redraw ? request.seed : (request.seed + index) >>> 0;
  const job = redraw ? { ...production.job, request: { ...request, redraw } } : production.job;
  const canvas = new ResultCanvas(job, stage, { isLast: index === request.count - 1, workers });
  for (const region of stage.regions.keys()) {
    throwIfCancelled(signal);
    const work = only ?? (await prepare(production, region));
    const drawn = yield* drawRegion(work, { index, seed, redraw: redraw && { ...redraw, scale: redraw.scale - 1 } }, signal);
    throwIfCancelled(signal);
    const trace = await traceOf(work, drawn);
    const wish = await wishOf(work, signal);
    const started = performance.now();
    yield* canvas.place({ region: at(stage.regions, region), trace, index, seed, ...(wish && { wish }), ...partPlace(work) }, signal);
    clock.composite += performance.now() - started;
  }
  yield { type: 'candidate', candidate: await spend(clock, 'composite', () => canvas.candidate(index, seed)) };
}

interface Place {
  /** Of the candidate. */
  readonly index: number;
  readonly seed: number;
  readonly redraw: Redraw | undefined;
}

interface Drawn {
  readonly tokens: readonly ScaleTokens[];
  readonly last: ScaleStep;
  /** All codes decoded, where the last preview has shown them. */
  readonly shown: FloatTensor | undefined;
}

async function* drawRegion(work: RegionWork, place: Place, signal: Cancellation): AsyncGenerator<PipelineEvent, Drawn> {
  const { clock } = work.production;
  const tokens: ScaleTokens[] = [];
  let last: ScaleStep | undefined;
  let shown: FloatTensor | undefined;
  for await (const step of stepsOf(work, place, signal)) {
    tokens.push(step.tokens);
    last = step;
    clock.scales.push(step.ms);
    clock.source += step.beginMs ?? 0;
    shown = yield* report(work, step, place.index);
  }
  if (!last) throw new Error('Expected at least one scale to run.');
  return { tokens, last, shown };
}

function stepsOf(
  { production: { job }, plan }: RegionWork,
  { seed, redraw }: Place,
  signal: Cancellation,
): AsyncGenerator<ScaleStep, void> {
  const { predictor } = job.model;
  const seeded = { ...plan, ...samplingOf(job, seed), ...(redraw && { redraw }) };
  return 'beginRaster' in predictor ? runRows({ ...seeded, predictor }, signal) : runScales({ ...seeded, predictor }, signal);
}

/** Returns the preview where it is of all codes at their own size. */
async function* report(work: RegionWork, step: ScaleStep, candidate: number): AsyncGenerator<PipelineEvent, FloatTensor | undefined> {
  const { plan, production } = work;
  const { job, clock } = production;
  const place = { candidate, scale: step.scale + 1, of: plan.quantiser.scales, ...partPlace(work) };
  yield { type: 'scale', ...place, tokens: plan.quantiser.tokens(step.scale), ms: step.ms };
  if (job.probe?.keepLogits) {
    yield { type: 'logits', scale: step.scale, dims: step.logits.dims, data: step.logits.data, ...partPlace(work) };
  }
  if (!job.request.previews || !isShown(step.scale, plan.quantiser.scales) || job.isShortOfMemory?.()) return undefined;
  const started = performance.now();
  // Decoding the sum at the scale's own size costs a fraction of a full decode, and shows what the scale knows.
  const codes = plan.quantiser.down(step.sum, step.scale);
  const decoded = await job.model.coder.decode(batched(codes));
  const picture = await encodePng(decoded);
  const ms = performance.now() - started;
  clock.previews.push(ms);
  yield { type: 'preview', ...place, picture, ms };
  return codes === step.sum ? decoded : undefined;
}

function partPlace({ production: { stage }, index }: RegionWork): { part?: PartPlace } {
  const of = stage.regions.length;
  return of === 1 ? {} : { part: { index: index + 1, of, crop: cropOf(stage, index) } };
}

/** Rows of a raster come by the dozen, and each picture of them costs a full decode: a few are shown. */
function isShown(scale: number, scales: number): boolean {
  const every = scales > MANY_SCALES ? Math.ceil(scales / MANY_SCALES) : 1;
  return (scale + 1) % every === 0 || scale === scales - 1;
}

async function traceOf({ production: { job, clock }, plan, source }: RegionWork, { tokens, last, shown }: Drawn): Promise<EditTrace> {
  job.reclaimMemory?.();
  const { coder } = job.model;
  const before = await spend(clock, 'decode', source.before);
  const after = await spend(clock, 'decode', async () => wholePicture(job, shown ?? (await coder.decode(batched(last.sum)))));
  const { gate } = last;
  return { quantiser: plan.quantiser, tokens, sourceTokens: source.tokens, before, after, ...(gate && { gate }) };
}

/** `[1, 3, S, S]`: where every scale is a picture of its own size, one that was stopped at is enlarged. */
function wholePicture({ model }: PipelineJob, picture: FloatTensor): FloatTensor {
  const { width, height } = modelExtent(model);
  const large = resizeCubic({ ...picture, dims: picture.dims.slice(1) }, [height, width]);
  if (large.data === picture.data) return picture;
  return batched({ ...large, data: large.data.map((value) => Math.min(1, Math.max(0, value))) });
}

/** Asked behind the scales, so that no preview waits for it; only an edit by instruction can be one of colours alone. */
async function wishOf({ production: { job, clock }, plan }: RegionWork, signal: Cancellation): Promise<ColourMap | undefined> {
  const { request, wishes } = job;
  if (!wishes || request.task !== 'edit' || request.whole || redrawsMask(job) || isAboutThing(job)) return undefined;
  return spend(clock, 'text', () => wishes.mapOf({ job, plan }, signal));
}

/** Whether the words want a thing gone, there or in a colour: asking what they do to colours alone takes longer than the edit. */
function isAboutThing({ model, request: { instruction } }: PipelineJob): boolean {
  return wordingOf(instruction) !== undefined && speaksOfObject(model, instruction);
}

function batched(map: FloatTensor): FloatTensor {
  return floats([1, ...map.dims], map.data);
}

async function spend<T>(clock: Clock, phase: 'text' | 'decode' | 'composite', work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  clock[phase] += performance.now() - started;
  return result;
}

function timings(job: PipelineJob, clock: Clock): Timings {
  const { text, source, scales, previews, decode, composite } = clock;
  return { load: job.loadMs, text, source, scales, previews, decode, composite, total: job.loadMs + performance.now() - clock.started };
}
