import { TextDecoder } from 'node:util';
import * as v from 'valibot';
import { expectGoing } from '#contract/ending.js';
import { ExpectedError, throwIfCancelled } from '#contract/errors.js';
import type { EditEvent } from '#contract/event.js';
import type { FarmJob, FarmProgress, FarmResult } from '#contract/farm.js';
import { TokenFile, type EditRequest } from '#contract/request.js';
import type { Engine, EngineJob } from '#engine/door/engine.js';
import type { JobQueue } from '#jobs/queue.js';
import type { Library } from '#packs/library.js';
import { parseBoundedJson } from '#packs/json-file.js';
import { runEdit } from '#service/run-edit.js';
import { withPacks } from '#service/service.js';
import { namedPictures } from '#service/task-rules.js';
import { packDigest } from './digest.js';
import { FarmPictures } from './pictures.js';
import type { FarmStore } from './store.js';

const TOKENS_DEPTH = 6;

export interface RunWorld {
  readonly engine: Pick<Engine, 'run'>;
  readonly library: Library;
  readonly queue: JobQueue;
  readonly store: FarmStore;
}

export interface RunWatch {
  readonly signal: AbortSignal;
  /** Of a picture that nobody looks at there are no previews. */
  readonly previews: boolean;
  readonly onProgress: (progress: FarmProgress) => void;
}

/** What a run measured beside its result. */
export interface Ran {
  /** Null where the result was there already. */
  readonly loadMs: number | null;
}

/**
 * One job to its result. A result that is there already costs no work.
 *
 * @throws ExpectedError with the code of what failed; CancelledError when it is not wanted any more.
 */
export async function runFarmJob(world: RunWorld, job: FarmJob, watch: RunWatch): Promise<Ran> {
  const { store } = world;
  if (await store.result(job.result)) return { loadMs: null };
  const request = { ...(await withTokens(store, job)), previews: watch.previews };
  await expectOwnPack(world, job);
  const pictures = new FarmPictures(store);
  const engineJob = { ...(await withPacks(world.library, request)), pictures: await picturesOf(store, request) };
  throwIfCancelled(watch.signal);
  const made = new Made();
  try {
    for await (const event of runEdit({ ...world, pictures }, engineJob, watch.signal))
      if (event.type !== 'logits') made.take(event, watch);
  } finally {
    await pictures.forgetPreviews();
  }
  // A result of a lock that was lost is another worker's to write.
  throwIfCancelled(watch.signal);
  const { result, loadMs } = made.end();
  await store.putResult(job.result, result);
  return { loadMs };
}

/** Read here and not by the engine: what a digest names is looked at before it is used. */
async function picturesOf(store: FarmStore, request: EditRequest): Promise<EngineJob['pictures']> {
  const pictures: Record<string, Uint8Array> = {};
  for (const id of namedPictures(request)) pictures[id] = await store.get(id);
  return pictures;
}

/** What a run has told so far. */
class Made {
  readonly #pictures: FarmResult['pictures'] = [];
  #done: Extract<EditEvent, { type: 'done' }> | undefined;

  take(said: EditEvent, watch: RunWatch): void {
    const event = expectGoing(said);
    const progress = progressIn(event);
    // Where there are previews, one follows each scale.
    if (progress && !(watch.previews && event.type === 'scale')) watch.onProgress(progress);
    if (event.type === 'done') this.#done = event;
    if (event.type !== 'candidate') return;
    const { picture, changedMask, seed } = event.candidate;
    this.#pictures.push({ picture, seed, ...(changedMask !== undefined && { changedMask }) });
  }

  end(): { readonly result: FarmResult; readonly loadMs: number } {
    if (!this.#done || this.#pictures.length === 0) throw new Error('Expected a run to end with a picture but it gave none.');
    const { timingsMs, provider } = this.#done;
    return { result: { version: 1, pictures: this.#pictures, ms: timingsMs.total, provider }, loadMs: timingsMs.load };
  }
}

function progressIn(event: EditEvent): FarmProgress | undefined {
  if (event.type !== 'scale' && event.type !== 'preview' && event.type !== 'detail') return undefined;
  const { scale, of } = event;
  const picture = event.type === 'scale' ? undefined : event.picture;
  return { scale, of, ...(event.type === 'detail' && { detail: true }), ...(picture !== undefined && { picture }) };
}

/** The pack may have been changed since this worker declared it. */
async function expectOwnPack({ library }: RunWorld, { request, pack }: FarmJob): Promise<void> {
  const estimator = request.control?.estimator;
  const cards = [(await library.find(request.pack)).card, ...(estimator === undefined ? [] : [(await library.findAny(estimator)).card])];
  if (packDigest(cards) !== pack)
    throw new ExpectedError('pack.unknown', `Expected the pack "${request.pack}" as it was submitted but another one is installed here.`);
}

async function withTokens(store: FarmStore, job: FarmJob): Promise<EditRequest> {
  if (job.tokens === undefined) return job.request;
  const text = new TextDecoder().decode(await store.get(job.tokens));
  try {
    return { ...job.request, resume: v.parse(TokenFile, parseBoundedJson(text, 'tokens', TOKENS_DEPTH)) };
  } catch (cause) {
    throw new ExpectedError('tokens.invalid', 'Expected a token file in the farm’s store but received something else.', { cause });
  }
}
