import type { Cancellation } from '#base/cancellation.js';
import type { Rect } from '#base/geometry.js';
import { ExpectedError, throwIfCancelled } from '#contract/errors.js';
import type { Notice, RunPlan, Timings } from '#contract/event.js';
import { encodePng } from '#engine/image/files/encode.js';
import { lossesOf } from '#engine/image/files/losses.js';
import { layersPerScale } from '#engine/sampling/depth-presets.js';
import { patchify } from '#engine/sampling/patchify.js';
import type { DrawOptions, ScaleTokens } from '#engine/sampling/quantiser.js';
import { guidancePerScale } from '#engine/sampling/guidance.js';
import { runRows } from '#engine/sampling/raster-loop.js';
import { runScales, type ScalePlan, type ScaleStep } from '#engine/sampling/scale-loop.js';
import { unpackTokens } from '#engine/sampling/tokens.js';
import type { ControlInput } from '#engine/tensor/predictor.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { finishOnCanvas, type Finished } from './finish.js';
import { redrawsMask, traitsOf, type EncodedInstruction, type PipelineEvent, type PipelineJob } from './model.js';
import type { Stage } from './stage.js';
import { tokenise } from './tokenise.js';

/** More than any published schedule has. */
const MANY_SCALES = 16;

// d code bits · G finest tokenizer grid · S model picture side

/** What all candidates of one request share. */
interface Production {
  readonly job: PipelineJob;
  readonly stage: Stage;
  readonly plan: Omit<ScalePlan, 'sampling' | 'predictor'>;
  readonly sampling: Omit<DrawOptions, 'seed'>;
  /** The source as the tokenizer can hold it. */
  readonly source: { readonly tokens: readonly ScaleTokens[]; readonly before: FloatTensor };
  readonly clock: Clock;
}

/** A request's picture and control, ready for the model. */
export interface Staged {
  readonly stage: Stage;
  readonly control: ControlInput | undefined;
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
export async function* produce(job: PipelineJob, { stage, control }: Staged, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  const clock: Clock = { started: performance.now(), text: 0, source: 0, scales: [], previews: [], decode: 0, composite: 0 };
  const encoded = await timed(clock, 'text', () => job.model.encodeText(instructionOf(job)));
  yield { type: 'started', plan: runPlan(job, stage, encoded.notices) };
  throwIfCancelled(signal);
  const production = await prepare({ job, stage, control, clock, text: encoded.text });
  for (let index = 0; index < job.request.count; index++) yield* produceCandidate(production, index, signal);
  yield {
    type: 'done',
    timingsMs: timings(job, clock),
    peakRssBytes: job.peakRssBytes(),
    size: stage.canvas.extent,
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
  const { ms, bytes } = job.estimate(job.request.preset, width * height);
  return {
    pack: job.model.card.name,
    preset: job.request.preset,
    provider: job.provider,
    schedule: job.model.quantiser.schedule,
    crop: cropOf(stage),
    size: stage.canvas.extent,
    estimateMs: ms,
    estimateBytes: bytes,
    notices: [
      ...stage.notices,
      ...lossesOf(stage.canvas, job.request.output.format),
      ...grayNotices(job, stage),
      ...notices,
      ...previewNotices(job),
    ],
  };
}

/** Only brightness of an edit can be told in gray; a wish that speaks of colour would be lost without a word. */
function grayNotices({ request }: PipelineJob, { canvas }: Stage): readonly Notice[] {
  if (canvas.channels > 2 || request.source === undefined) return [];
  return [{ code: 'image.gray', message: 'The picture is gray and stays gray: only brightness is taken from the result.' }];
}

/** Seen at the start; where memory gets short later, previews end without a word. */
function previewNotices(job: PipelineJob): readonly Notice[] {
  if (!job.request.previews || !job.isShortOfMemory?.()) return [];
  return [{ code: 'previews.off', message: 'Memory is short: the scales are not shown as they form.' }];
}

function cropOf(stage: Stage): Rect {
  return { ...stage.frame };
}

interface Preparation {
  readonly job: PipelineJob;
  readonly stage: Stage;
  readonly control: ControlInput | undefined;
  readonly clock: Clock;
  readonly text: EncodedInstruction['text'];
}

async function prepare({ job, stage, control, clock, text }: Preparation): Promise<Production> {
  const { model, request } = job;
  const { quantiser } = model;
  const started = performance.now();
  const traits = traitsOf(model.card);
  const { features, ...source } = needsSource(job) ? await encodeSource(job, stage) : nothingOf(job, stage);
  clock.source = performance.now() - started;
  const { defaults } = model.card;
  const guidance = request.guidance ?? defaults.guidance;
  const sourceMask = traits.maskEmbedding ? { mask: patchify(stage.modelMask, quantiser.patch) } : {};
  const given = givenTokens(job);
  return {
    job,
    stage,
    clock,
    source,
    sampling: samplingOf(job),
    plan: {
      quantiser,
      conditioning: {
        text,
        guided: guidance !== 1,
        ...(traits.seesSource && { source: { tokens: patchify(features, quantiser.patch), ...sourceMask } }),
        ...(control && { control }),
      },
      layers: layersPerScale({
        depth: model.predictor.depth,
        scales: quantiser.scales,
        lateScales: model.card.config.transformer.lateScales,
        lateLayers: Math.min(model.predictor.depth, model.card.presets[request.preset]),
      }),
      ...(source.tokens.length > 0 && { features }),
      guidance: guidancePerScale(guidance, quantiser.scales, defaults.guidanceRamp),
      ...((traits.maskEmbedding || traits.sourceFusion) && { modelMask: stage.modelMask }),
      ...(!traits.seesSource && { sourceTokens: source.tokens }),
      ...(stage.keepMask && { keepMask: stage.keepMask }),
      lockedScales: request.structure,
      given,
      until: lastScale(job, given.length),
    },
  };
}

function samplingOf({ request, model }: PipelineJob): Production['sampling'] {
  const { temperature, topP, topK } = model.card.defaults;
  return { temperature: request.temperature ?? temperature, topP: request.topP ?? topP, topK: request.topK ?? topK };
}

/** A picture of a class alone owes nothing to any source. */
function needsSource({ request, model }: PipelineJob): boolean {
  return request.task !== 'generate' || traitsOf(model.card).seesSource;
}

/** Features `[d, G]`, tokens, and what the tokenizer keeps of the staged picture, `[1, 3, S, S]`. */
async function encodeSource({ model }: PipelineJob, stage: Stage) {
  const { features, tokens, sum } = await tokenise(model, stage.picture);
  return { features, tokens, before: await model.coder.decode(batched(sum)) };
}

function nothingOf({ model }: PipelineJob, stage: Stage): Awaited<ReturnType<typeof encodeSource>> {
  return { features: model.quantiser.emptySum(), tokens: [], before: stage.picture };
}

function givenTokens(job: PipelineJob): readonly ScaleTokens[] {
  const file = job.probe?.forceTokens ?? job.request.resume;
  return file ? unpackTokens(file, job.model.card.name, job.model.quantiser) : [];
}

function lastScale(job: PipelineJob, given: number): number {
  const { scales } = job.model.quantiser;
  const until = Math.min(scales, job.request.stopAtScale ?? scales);
  if (given > until) throw new ExpectedError('request.invalid', `Expected stopAtScale of at least ${given} but received ${until}.`);
  return until;
}

async function* produceCandidate(production: Production, index: number, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
  const { job, clock } = production;
  const seed = (job.request.seed + index) >>> 0;
  const tokens: ScaleTokens[] = [];
  let last: ScaleStep | undefined;
  for await (const step of stepsOf(production, seed, signal)) {
    tokens.push(step.tokens);
    last = step;
    clock.scales.push(step.ms);
    clock.source += step.beginMs ?? 0;
    yield* report(production, step, index);
  }
  if (!last) throw new Error('Expected at least one scale to run.');
  throwIfCancelled(signal);
  yield { type: 'candidate', candidate: await finish(production, { index, seed, tokens, last }) };
}

function stepsOf({ job, plan, sampling }: Production, seed: number, signal: Cancellation): AsyncGenerator<ScaleStep, void> {
  const { predictor } = job.model;
  const seeded = { ...plan, sampling: { ...sampling, seed } };
  return 'beginRaster' in predictor ? runRows({ ...seeded, predictor }, signal) : runScales({ ...seeded, predictor }, signal);
}

async function* report(production: Production, step: ScaleStep, candidate: number): AsyncGenerator<PipelineEvent, void> {
  const { job, plan, clock } = production;
  const place = { candidate, scale: step.scale + 1, of: plan.quantiser.scales };
  yield { type: 'scale', ...place, tokens: plan.quantiser.tokens(step.scale), ms: step.ms };
  if (job.probe?.keepLogits) yield { type: 'logits', scale: step.scale, dims: step.logits.dims, data: step.logits.data };
  if (!job.request.previews || !isShown(step.scale, plan.quantiser.scales) || job.isShortOfMemory?.()) return;
  const started = performance.now();
  const picture = await encodePng(await previewPicture(production, step));
  const ms = performance.now() - started;
  clock.previews.push(ms);
  yield { type: 'preview', ...place, picture, ms };
}

/** Rows of a raster come by the dozen, and each picture of them costs a full decode: a few are shown. */
function isShown(scale: number, scales: number): boolean {
  const every = scales > MANY_SCALES ? Math.ceil(scales / MANY_SCALES) : 1;
  return (scale + 1) % every === 0 || scale === scales - 1;
}

/** Decoding the sum at the scale's own size costs a fraction of a full decode, and shows what the scale knows. */
async function previewPicture({ job, plan }: Production, { sum, scale }: ScaleStep): Promise<FloatTensor> {
  return job.model.coder.decode(batched(plan.quantiser.down(sum, scale)));
}

async function finish(production: Production, made: { index: number; seed: number; tokens: readonly ScaleTokens[]; last: ScaleStep }) {
  const { job, stage, source, plan, clock } = production;
  const decoding = performance.now();
  const after = await job.model.coder.decode(batched(made.last.sum));
  clock.decode += performance.now() - decoding;
  const { gate } = made.last;
  const trace = {
    quantiser: plan.quantiser,
    tokens: made.tokens,
    sourceTokens: source.tokens,
    before: source.before,
    after,
    ...(gate && { gate }),
  };
  const finished: Finished = { index: made.index, seed: made.seed, trace };
  const compositing = performance.now();
  const candidate = await finishOnCanvas(job, stage, finished);
  clock.composite += performance.now() - compositing;
  return candidate;
}

function batched(map: FloatTensor): FloatTensor {
  return floats([1, ...map.dims], map.data);
}

async function timed<T>(clock: Clock, phase: 'text', work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  clock[phase] = performance.now() - started;
  return result;
}

function timings(job: PipelineJob, clock: Clock): Timings {
  const { text, source, scales, previews, decode, composite } = clock;
  return { load: job.loadMs, text, source, scales, previews, decode, composite, total: job.loadMs + performance.now() - clock.started };
}
