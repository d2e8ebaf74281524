import { dirname } from 'node:path';
import { assertNever } from '#base/assert.js';
import { numberedName } from '#base/file-name.js';
import { expectGoing } from '#contract/ending.js';
import type { Candidate, EditEvent, PartPlace, RunPlan } from '#contract/event.js';
import type { EditRequestInput, PictureId, TokenFile } from '#contract/request.js';
import { saveFile } from '#service/files.js';
import type { ProbedEvent } from '#service/run-edit.js';
import type { Service } from '#service/service.js';
import type { Context } from './command.js';
import { npyOf } from './npy.js';
import { makeFolder, scaleFile } from './places.js';

/** Where the parts of a result go. */
export interface Destinations {
  readonly output: string;
  readonly previews?: string | undefined;
  readonly tokens?: string | undefined;
  readonly logits?: string | undefined;
}

export interface TaskRun {
  readonly request: EditRequestInput;
  readonly destinations: Destinations;
  readonly forceTokens?: TokenFile | undefined;
}

export type RunReport = Readonly<Record<string, unknown>>;

interface SavedCandidate {
  readonly output: string;
  readonly candidate: Candidate<PictureId>;
}

/** What is known of a run so far. */
interface Progress {
  plan?: RunPlan;
  done?: Extract<EditEvent, { type: 'done' }>;
  readonly saved: SavedCandidate[];
}

interface Ongoing {
  readonly run: TaskRun;
  readonly service: Service;
  readonly context: Context;
  readonly progress: Progress;
}

/** Runs a wish to its end and saves pictures as they come. Gives the report that `--json` prints. */
export async function runTask(run: TaskRun, context: Context): Promise<RunReport> {
  const ongoing: Ongoing = { run, context, service: await context.service(), progress: { saved: [] } };
  for await (const event of eventsOf(ongoing)) await take(ongoing, event);
  return reportOf(ongoing);
}

function eventsOf({ run, service, context }: Ongoing): AsyncGenerator<ProbedEvent, void> {
  const { request, forceTokens, destinations } = run;
  if (forceTokens === undefined && destinations.logits === undefined) return service.stream('edit.run', request, context.signal);
  const probe = { keepLogits: destinations.logits !== undefined, ...(forceTokens && { forceTokens }) };
  return service.runProbed(request, { probe, signal: context.signal });
}

async function take(ongoing: Ongoing, said: ProbedEvent): Promise<void> {
  const { context, progress } = ongoing;
  const event = expectGoing(said);
  switch (event.type) {
    case 'started':
      progress.plan = event.plan;
      for (const notice of event.plan.notices) context.log(`note: ${notice.message}`);
      context.log(planLine(event.plan));
      return;
    case 'scale':
      context.log(`${partWords(event.part)}scale ${String(event.scale)} of ${String(event.of)}: ${String(event.tokens)} tokens in ${event.ms.toFixed(0)} ms`); // prettier-ignore
      return;
    case 'preview':
      return savePreview(ongoing, event);
    case 'detail':
      context.log(
        `${partWords(event.part)}detail ${String(event.scale)} of ${String(event.of)}: ${String(event.size.width)}×${String(event.size.height)} in ${event.ms.toFixed(0)} ms`,
      );
      return saveDetail(ongoing, event);
    case 'logits':
      return saveLogits(ongoing, event);
    case 'candidate':
      return saveCandidate(ongoing, event.candidate);
    case 'done':
      progress.done = event;
      return;
    default:
      return assertNever(event);
  }
}

function partWords(part: PartPlace | undefined): string {
  return part ? `part ${String(part.index)} of ${String(part.of)}, ` : '';
}

function planLine({ pack, preset, provider, schedule, estimateMs }: RunPlan): string {
  return `${pack}, ${preset}, ${provider}: ${String(schedule.length)} scales, about ${(estimateMs / 1000).toFixed(1)} s`;
}

async function savePreview(
  { run, service }: Ongoing,
  { candidate, scale, picture, part }: Extract<EditEvent, { type: 'preview' }>,
): Promise<void> {
  const folder = run.destinations.previews;
  if (folder === undefined) return;
  const path = scaleFile(folder, { candidate, part: part?.index, scale, extension: '.png' });
  await saveInFolder(path, (await service.pictures.get(picture)).bytes);
}

async function saveDetail(
  { run, service }: Ongoing,
  { candidate, scale, picture, part }: Extract<EditEvent, { type: 'detail' }>,
): Promise<void> {
  const folder = run.destinations.previews;
  if (folder === undefined || picture === undefined) return;
  await saveInFolder(
    scaleFile(folder, { candidate, part: part?.index, scale, extension: '.png', stem: 'detail' }),
    (await service.pictures.get(picture)).bytes,
  );
}

async function saveLogits({ run, progress }: Ongoing, event: Extract<ProbedEvent, { type: 'logits' }>): Promise<void> {
  const { scale, dims, data, part } = event;
  const folder = run.destinations.logits;
  if (folder === undefined) return;
  // The engine counts the scales of logits from 0, files count as people do.
  const path = scaleFile(folder, { candidate: progress.saved.length, part: part?.index, scale: scale + 1, extension: '.npy' });
  await saveInFolder(path, npyOf(dims, data));
}

async function saveInFolder(path: string, bytes: Uint8Array): Promise<void> {
  await makeFolder(dirname(path));
  await saveFile(path, bytes);
}

async function saveCandidate({ run, service, context, progress }: Ongoing, candidate: Candidate<PictureId>): Promise<void> {
  const { request, destinations } = run;
  const count = request.count ?? 1;
  const output = numberedName(destinations.output, candidate.index, count);
  await saveFile(output, (await service.pictures.get(candidate.picture)).bytes);
  if (destinations.tokens !== undefined) await saveJson(numberedName(destinations.tokens, candidate.index, count), candidate.tokens);
  // A batch may make more pictures than the service holds.
  for (const id of [candidate.picture, candidate.changedMask]) if (id !== undefined) await service.pictures.remove(id);
  for (const notice of candidate.notices ?? []) context.log(`note: ${notice.message}`);
  context.log(`saved ${output}`);
  progress.saved.push({ output, candidate });
}

export async function saveJson(path: string, value: unknown): Promise<void> {
  await saveFile(path, new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}

/** One candidate is the report; of several it is the first, and `outputs` has them all. */
function reportOf({ run, progress }: Ongoing): RunReport {
  const { plan, done, saved } = progress;
  const [first] = saved;
  if (first === undefined || done === undefined) throw new Error('Expected a run to end with a picture but it gave none.');
  return {
    ...done.size,
    pack: plan?.pack ?? first.candidate.tokens.pack,
    preset: plan?.preset ?? run.request.preset ?? null,
    provider: done.provider,
    timingsMs: done.timingsMs,
    peakRssBytes: done.peakRssBytes,
    ...(plan && { estimateMs: plan.estimateMs, estimateBytes: plan.estimateBytes }),
    ...candidateReport(first),
    ...noticesOf(plan, saved),
    ...(saved.length > 1 && { outputs: saved.map(candidateReport) }),
  };
}

/** What was said beforehand, and of the pictures themselves; what is said of several, once. */
function noticesOf(plan: RunPlan | undefined, saved: readonly SavedCandidate[]): RunReport {
  const all = [...(plan?.notices ?? []), ...saved.flatMap(({ candidate }) => candidate.notices ?? [])];
  const notices = [...new Map(all.map((notice) => [notice.message, notice])).values()];
  return notices.length > 0 ? { notices } : {};
}

function candidateReport({ output, candidate }: SavedCandidate): RunReport {
  const { seed, changedPixels, changedOutsideMask, detail, notices, tokens } = candidate;
  return { output, seed, changedPixels, changedOutsideMask, ...(detail && { detail }), ...(notices && { notices }), tokens };
}
