import type { BatchEntry } from '#contract/batch.js';
import { ExpectedError, throwIfCancelled, toErrorData } from '#contract/errors.js';
import { JOB_BYTES, type BatchId, type FarmEvent, type FarmJob, type FarmPartEntry } from '#contract/farm.js';
import type { EditRequest, PictureId } from '#contract/request.js';
import type { EngineJob } from '#engine/door/engine.js';
import type { FarmEntry, FarmRun } from '#service/farm.js';
import { jobOf } from '#service/service.js';
import { namedPictures, renamePictures } from '#service/task-rules.js';
import { addJobs } from './add-jobs.js';
import { digestOf } from '#service/digest.js';
import { Follower } from './follow.js';
import { batchId, classOf, queueName, resultKey } from './job.js';
import { BULK, cancelledKey } from './settings.js';
import { hasJob } from './states.js';
import { packDigestOf, type FarmWorld } from './world.js';

/** Workers begin soon, and a large batch still goes in large bulks. The same bounds at every try. */
const FIRST_BULK = 8;
const BULK_GROWTH = 4;

/** Submits bulk by bulk, telling what has happened so far, and follows to the end. */
export async function* submitBatch(world: FarmWorld, entries: readonly FarmEntry[], run: FarmRun): AsyncGenerator<FarmEvent, void> {
  const { signal, watched = false } = run;
  const batch = await identify(world, entries, signal);
  await world.queues.redis.del(cancelledKey(batch));
  yield { type: 'batch', batch, entries: entries.map(planOf) };
  const followed = { batch, total: entries.length, signal, watched };
  const follower = new Follower(world, followed);
  try {
    await follower.sayWatched();
    for (const [number, bulk] of bulksOf(entries).entries()) {
      const prepared: FarmPartEntry[] = [];
      for (const entry of bulk) {
        throwIfCancelled(signal);
        prepared.push(await prepare(world, entry, batch));
        yield* follower.compareNow();
      }
      await world.store.putPart({ version: 1, batch, total: entries.length, entries: prepared }, number);
      await addJobs(world, prepared.filter(hasJob), followed);
      follower.add(prepared);
    }
    yield* follower.compare();
    if (run.detach !== true) yield* follower.rest();
  } finally {
    await follower.close();
  }
}

function planOf({ source, output, format }: FarmEntry): BatchEntry {
  return { source, output, format, state: 'waiting' };
}

/** The same pictures with the same wish are the same batch, whoever submits them and however often. */
async function identify(world: FarmWorld, entries: readonly FarmEntry[], signal: AbortSignal): Promise<BatchId> {
  const packs = new Map<string, string>();
  const parts = [world.version];
  for (const entry of entries) {
    throwIfCancelled(signal);
    const names = entry.packs.join('\n');
    const pack = packs.get(names) ?? (await packDigestOf(world, entry.packs));
    packs.set(names, pack);
    // What cannot be read is refused when its turn comes.
    const print = await entry.fingerprint().catch((error: unknown) => toErrorData(error).code);
    parts.push(digestOf([entry.output, pack, print]));
  }
  return batchId(parts);
}

function bulksOf(entries: readonly FarmEntry[]): readonly (readonly FarmEntry[])[] {
  const bulks: (readonly FarmEntry[])[] = [];
  let size = FIRST_BULK;
  for (let at = 0; at < entries.length; at += size, size = Math.min(BULK, size * BULK_GROWTH)) bulks.push(entries.slice(at, at + size));
  return bulks;
}

/** The job of a picture, whose pictures are in the store; or why it was refused. Throws what concerns all: `output.unwritable`. */
async function prepare(world: FarmWorld, entry: FarmEntry, batch: BatchId): Promise<FarmPartEntry> {
  const { source, output, format } = entry;
  const plan = { source, output, format };
  const opened = await openEntry(world, entry);
  if (opened === 'kept') return { ...plan, kept: true };
  if ('error' in opened) return { ...plan, error: opened.error };
  try {
    const { engineJob, bytes } = opened;
    const pack = await packDigestOf(world, entry.packs);
    const { request, tokens } = await putPictures(world, engineJob.request);
    const unnamed = { version: 1 as const, batch, output, request, ...(tokens !== undefined && { tokens }), pack };
    const job: FarmJob = { ...unnamed, result: resultKey(unnamed, world.version) };
    if (Buffer.byteLength(JSON.stringify(job)) > JOB_BYTES) return { ...plan, error: toErrorData(tooLong()) };
    return { ...plan, queue: queueName({ pack, engine: world.version, memory: classOf(bytes) }), job };
  } finally {
    await opened.close();
  }
}

function tooLong(): ExpectedError {
  return new ExpectedError('request.invalid', `Expected settings of at most ${String(JOB_BYTES)} bytes for the farm but received more.`);
}

interface Opened {
  readonly engineJob: EngineJob;
  /** What it will need, by the forecast. */
  readonly bytes: number;
  close(): Promise<void>;
}

async function openEntry(
  world: FarmWorld,
  entry: FarmEntry,
): Promise<Opened | 'kept' | { readonly error: NonNullable<FarmPartEntry['error']> }> {
  try {
    const opened = await entry.open();
    if (opened === 'kept') return 'kept';
    try {
      const engineJob = await jobOf(world, opened.request);
      const forecast = await world.engine.forecast(engineJob);
      return { engineJob, bytes: forecast[opened.request.preset].bytes, close: () => opened.close() };
    } catch (error) {
      await opened.close();
      throw error;
    }
  } catch (error) {
    const { code, message, advice } = toErrorData(error);
    return { error: { code, message, advice } };
  }
}

/** Pictures are there before the job that names them. */
async function putPictures({ store, pictures }: FarmWorld, request: EditRequest): Promise<{ request: EditRequest; tokens?: string }> {
  const digests = new Map<PictureId, string>();
  for (const id of namedPictures(request)) digests.set(id, await store.put((await pictures.get(id)).bytes));
  const { resume, ...wish } = renamePictures(request, digests);
  // A picture that were still called by its old name would be nobody's on another machine.
  const renamed = new Set(digests.values());
  if (!namedPictures(wish).every((id) => renamed.has(id))) throw new Error('Expected every picture of a job to be renamed.');
  if (!resume) return { request: wish };
  return { request: wish, tokens: await store.put(new TextEncoder().encode(JSON.stringify(resume))) };
}
