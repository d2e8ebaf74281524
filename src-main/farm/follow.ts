import { QueueEvents } from 'bullmq';
import * as v from 'valibot';
import type { BatchEntry } from '#contract/batch.js';
import { CancelledError, ExpectedError } from '#contract/errors.js';
import { FarmProgress, type BatchId, type FarmEvent, type FarmPartEntry } from '#contract/farm.js';
import { addJobs } from './add-jobs.js';
import { jobId } from './job.js';
import { cancelledKey, PREFIX, watchedKey } from './settings.js';
import { hasJob, statesOf, type EntryState } from './states.js';
import type { FarmWorld } from './world.js';

/** How long an event may be missing before the truth is looked at. */
const COMPARE_MS = 5_000;
/** Comparing takes at most this share of the time. */
const COMPARE_SHARE = 20;
/** Pauses for which a batch still counts as watched. */
const WATCHED_PAUSES = 3;

type Change = Extract<FarmEvent, { type: 'change' }>;
type Place = Pick<FarmWorld, 'queues' | 'store'>;

export interface Followed {
  readonly batch: BatchId;
  readonly total: number;
  readonly signal: AbortSignal;
  readonly watched?: boolean;
}

/** A batch as it is seen from here. Events say where to look at once; what is there is looked at anyway. */
export class Follower {
  readonly #place: Place;
  readonly #followed: Followed;
  readonly #entries: FarmPartEntry[] = [];
  readonly #told: BatchEntry[] = [];
  readonly #indexOf = new Map<string, number>();
  readonly #events = new Map<string, QueueEvents>();
  readonly #hinted = new Set<number>();
  readonly #progress = new Map<number, FarmProgress>();
  #wake: () => void = () => undefined;
  /** A job of ours was taken out: by who cancels, or by who submits the same again. */
  #isTaken = false;
  #comparedAt = 0;
  #pauseMs = COMPARE_MS;

  constructor(place: Place, followed: Followed) {
    this.#place = place;
    this.#followed = followed;
    followed.signal.addEventListener('abort', () => {
      this.#wake();
    });
  }

  /** Entries that come to those that are followed; they begin as waiting. */
  add(entries: readonly FarmPartEntry[]): void {
    for (const entry of entries) {
      const { source, output, format } = entry;
      const index = this.#entries.push(entry) - 1;
      this.#told.push({ source, output, format, state: 'waiting' });
      if (!hasJob(entry)) continue;
      this.#indexOf.set(jobId(entry.job), index);
      this.#listen(entry.queue);
    }
  }

  /** What changed since it was last told, of those that have not ended. */
  async *compare(): AsyncGenerator<Change, void> {
    const started = Date.now();
    yield* this.#lookAt(this.#told.flatMap(({ state }, index) => (isOver(state) ? [] : index)));
    await this.sayWatched();
    this.#comparedAt = Date.now();
    this.#pauseMs = Math.max(COMPARE_MS, COMPARE_SHARE * (this.#comparedAt - started));
  }

  /** Compares where it is time to. */
  async *compareNow(): AsyncGenerator<Change, void> {
    if (Date.now() - this.#comparedAt >= this.#pauseMs) yield* this.compare();
  }

  /** Until nothing waits or runs. Throws CancelledError where the batch is cancelled, or the signal says so. */
  async *rest(): AsyncGenerator<Change, void> {
    for (;;) {
      const cancelled = await this.#isCancelled();
      yield* this.compare();
      if (this.#told.every(({ state }) => isOver(state))) return;
      if (cancelled && this.#told.every(({ state }) => state !== 'running')) throw new CancelledError('Cancelled.');
      if (!cancelled) await this.#addLost();
      yield* this.#untilTime(cancelled);
    }
  }

  /** Until some time after the last look. A Redis that is full takes no key, and then there are no previews. */
  async sayWatched(): Promise<void> {
    const { batch, watched } = this.#followed;
    const key = watchedKey(batch);
    if (watched === true) await this.#place.queues.redis.set(key, '1', 'PX', WATCHED_PAUSES * this.#pauseMs).catch(() => undefined);
  }

  async close(): Promise<void> {
    for (const events of this.#events.values()) await events.close().catch(() => undefined);
  }

  /** @param cancelled the batch is: then only what runs is waited for. */
  async *#untilTime(cancelled: boolean): AsyncGenerator<Change, void> {
    const end = Date.now() + this.#pauseMs;
    for (;;) {
      if (this.#followed.signal.aborted) throw new CancelledError('Cancelled.');
      const hinted = [...this.#hinted];
      this.#hinted.clear();
      yield* this.#lookAt(hinted);
      if (Date.now() >= end || this.#told.every(({ state }) => (cancelled ? state !== 'running' : isOver(state)))) return;
      if (!cancelled && (await this.#wasCancelled())) return;
      if (this.#hinted.size === 0) await this.#sleep(end - Date.now());
    }
  }

  async #wasCancelled(): Promise<boolean> {
    if (!this.#isTaken) return false;
    this.#isTaken = false;
    return this.#isCancelled();
  }

  async *#lookAt(indices: readonly number[]): AsyncGenerator<Change, void> {
    const states = await statesOf(
      this.#place,
      indices.flatMap((index) => this.#entries[index] ?? []),
    );
    for (const [i, index] of indices.entries()) {
      const state = states[i];
      if (state && this.#isNews(index, state)) yield this.#tell(index, state);
    }
  }

  #isNews(index: number, { entry }: EntryState): boolean {
    return this.#told[index]?.state !== entry.state || (entry.state === 'running' && this.#progress.has(index));
  }

  #tell(index: number, { entry, pictures }: EntryState): Change {
    this.#told[index] = entry;
    const progress = this.#progress.get(index);
    this.#progress.delete(index);
    return { type: 'change', index, entry, ...(pictures && { pictures }), ...(progress && entry.state === 'running' && { progress }) };
  }

  /** The log of a Redis that lost its power ends early: what is missing is submitted again, once its pictures are there. */
  async #addLost(): Promise<void> {
    const { store } = this.#place;
    const open = this.#entries.filter((entry, index) => this.#told[index]?.state === 'waiting' && hasJob(entry)).filter(hasJob);
    const states = await statesOf(this.#place, open);
    const lost = [];
    for (const [i, entry] of open.entries()) {
      if (states[i]?.lost !== true) continue;
      const { source } = entry.job.request;
      if (source === undefined || (await store.has(source))) lost.push(entry);
    }
    // Where there is no room yet, there may be the next time.
    if (lost.length > 0) await addJobs(this.#place, lost, this.#followed).catch(expectBusy);
  }

  async #isCancelled(): Promise<boolean> {
    return (await this.#place.queues.redis.exists(cancelledKey(this.#followed.batch))) === 1;
  }

  #listen(name: string): void {
    if (this.#events.has(name)) return;
    const events = new QueueEvents(name, { connection: this.#place.queues.redis, prefix: PREFIX });
    const hint = ({ jobId: id }: { readonly jobId: string }): void => {
      const index = this.#indexOf.get(id);
      if (index === undefined) return;
      this.#hinted.add(index);
      this.#wake();
    };
    events.on('error', () => undefined);
    events.on('removed', ({ jobId: id }) => {
      if (!this.#indexOf.has(id)) return;
      this.#isTaken = true;
      this.#wake();
    });
    events.on('active', hint);
    events.on('completed', hint);
    events.on('failed', hint);
    events.on('waiting', hint);
    events.on('progress', ({ jobId: id, data }) => {
      const index = this.#indexOf.get(id);
      if (index !== undefined && v.is(FarmProgress, data)) this.#progress.set(index, data);
      hint({ jobId: id });
    });
    this.#events.set(name, events);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function expectBusy(error: unknown): void {
  if (!(error instanceof ExpectedError && error.code === 'job.busy')) throw error;
}

function isOver(state: BatchEntry['state']): boolean {
  return state !== 'waiting' && state !== 'running';
}
