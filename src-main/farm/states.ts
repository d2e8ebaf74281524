import type { BatchEntry } from '#contract/batch.js';
import type { FarmJob, FarmPartEntry } from '#contract/farm.js';
import type { PictureId } from '#contract/request.js';
import { CANCELLED, failureOf } from './failure.js';
import { jobId } from './job.js';
import { BULK } from './settings.js';
import type { FarmWorld } from './world.js';

/** An entry that has, or had, a job. */
export type JobEntry = FarmPartEntry & { readonly queue: string; readonly job: FarmJob };

export function hasJob(entry: FarmPartEntry): entry is JobEntry {
  return entry.job !== undefined && entry.queue !== undefined;
}

/** What a queue knows of a job; `gone` = nothing. */
interface Seen {
  readonly state: 'waiting' | 'running' | 'completed' | 'failed' | 'gone';
  readonly reason?: string;
}

export interface EntryState {
  readonly entry: BatchEntry;
  readonly pictures?: readonly PictureId[];
  /** Neither a job nor a result: it was taken out, cut off with the log of Redis, or its result was swept. */
  readonly lost?: boolean;
}

type Place = Pick<FarmWorld, 'queues' | 'store'>;

/** What became of the entries: the truth is the state of the job and the file of the result, never an event. */
export async function statesOf(place: Place, entries: readonly FarmPartEntry[]): Promise<readonly EntryState[]> {
  const seen = await seenJobs(place, entries.filter(hasJob));
  const states: EntryState[] = [];
  // One after the other: a large batch has more results than a process may have open files.
  for (const entry of entries) states.push(hasJob(entry) ? await stateOf(place, entry, seen.get(entry)) : refusedOrKept(entry));
  return states;
}

function refusedOrKept({ source, output, format, error }: FarmPartEntry): EntryState {
  const plan = { source, output, format };
  return { entry: error ? { ...plan, state: 'refused', error } : { ...plan, state: 'kept' } };
}

async function stateOf({ store }: Place, { source, output, format, job }: JobEntry, seen: Seen = { state: 'gone' }): Promise<EntryState> {
  const plan = { source, output, format };
  if (seen.state === 'waiting' || seen.state === 'running') return { entry: { ...plan, state: seen.state } };
  if (seen.state === 'failed' && seen.reason !== CANCELLED)
    return { entry: { ...plan, state: 'refused', error: failureOf(seen.reason ?? '') } };
  const result = seen.state === 'failed' ? undefined : await store.result(job.result);
  if (!result) return { entry: { ...plan, state: 'waiting' }, lost: true };
  return { entry: { ...plan, state: 'done', ms: result.ms }, pictures: result.pictures.map(({ picture }) => picture) };
}

async function seenJobs({ queues }: Place, entries: readonly JobEntry[]): Promise<ReadonlyMap<FarmPartEntry, Seen>> {
  const all = new Map<FarmPartEntry, Seen>();
  for (const name of new Set(entries.map(({ queue }) => queue))) {
    const own = entries.filter(({ queue }) => queue === name);
    for (let at = 0; at < own.length; at += BULK) {
      const some = own.slice(at, at + BULK);
      const seen = await seenInQueue(queues, name, some.map(({ job }) => jobId(job))); // prettier-ignore
      some.forEach((entry, i) => all.set(entry, seen[i] ?? { state: 'gone' }));
    }
  }
  return all;
}

const QUESTIONS = 4;

async function seenInQueue(queues: Place['queues'], name: string, ids: readonly string[]): Promise<readonly Seen[]> {
  const queue = queues.get(name);
  const asking = queues.redis.pipeline();
  for (const id of ids) {
    const key = queue.toKey(id);
    asking.zscore(queue.toKey('completed'), id).zscore(queue.toKey('failed'), id).exists(key).hget(key, 'failedReason');
  }
  // One worker, one job: a short list.
  asking.lrange(queue.toKey('active'), 0, -1);
  const answers = ((await asking.exec()) ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
  const active = new Set(answers.at(-1) as readonly string[]);
  return ids.map((id, i) => {
    const [completed, failed, exists, reason] = answers.slice(i * QUESTIONS, (i + 1) * QUESTIONS);
    if (active.has(id)) return { state: 'running' };
    if (typeof completed === 'string') return { state: 'completed' };
    if (typeof failed === 'string') return { state: 'failed', reason: typeof reason === 'string' ? reason : '' };
    return { state: exists === 1 ? 'waiting' : 'gone' };
  });
}
