import * as v from 'valibot';
import { reportOf } from '#contract/batch.js';
import type { BatchId, FarmPart, FarmPartEntry, FarmStatus, FarmWorker } from '#contract/farm.js';
import { addJobs } from './add-jobs.js';
import { jobId } from './job.js';
import { CANCEL_CHANNEL, CANCELLED_KEPT_S, cancelledKey, workerKey } from './settings.js';
import { hasJob, statesOf } from './states.js';
import type { FarmWorld } from './world.js';

type Place = Pick<FarmWorld, 'queues' | 'store'>;

/** What a worker says of itself while it lives. */
export const Presence = v.strictObject({
  host: v.pipe(v.string(), v.maxLength(256)),
  pid: v.number(),
  version: v.pipe(v.string(), v.maxLength(64)),
  packs: v.pipe(v.array(v.pipe(v.string(), v.maxLength(64))), v.maxLength(1000)),
  queue: v.nullable(v.pipe(v.string(), v.maxLength(64))),
  busy: v.boolean(),
  done: v.number(),
});

/** Entries of a batch as far as it was submitted. */
export function entriesOf(parts: readonly FarmPart[]): readonly FarmPartEntry[] {
  return parts.flatMap(({ entries }) => entries);
}

export async function statusOf(place: Place, batch: BatchId | undefined): Promise<Omit<FarmStatus, 'address'>> {
  const status = { workers: await workersOf(place), queues: await queuesOf(place) };
  if (batch === undefined) return status;
  const states = await statesOf(place, entriesOf(await place.store.parts(batch)));
  return { ...status, batch: reportOf(states.map(({ entry }) => entry)) };
}

async function queuesOf({ queues }: Place): Promise<FarmStatus['queues']> {
  const found: FarmStatus['queues'][number][] = [];
  for (const [queue, { names }] of await queues.known()) {
    const counts = await queues.get(queue).getJobCounts('wait', 'prioritized', 'delayed', 'active', 'failed');
    const { wait = 0, prioritized = 0, delayed = 0, active = 0, failed = 0 } = counts;
    found.push({ queue, pack: names, waiting: wait + prioritized + delayed, running: active, failed });
  }
  return found;
}

async function workersOf({ queues: { redis } }: Place): Promise<readonly FarmWorker[]> {
  const keys = new Set<string>();
  for await (const some of redis.scanStream({ match: workerKey('*'), count: 1000 }) as AsyncIterable<readonly string[]>)
    for (const key of some) keys.add(key);
  const texts = keys.size === 0 ? [] : await redis.mget([...keys].sort());
  return texts.flatMap((text) => presenceIn(text) ?? []);
}

function presenceIn(text: string | null): FarmWorker | undefined {
  try {
    const parsed = v.safeParse(Presence, JSON.parse(text ?? ''));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/** The key stays for workers that miss the message. */
export async function cancelBatch(place: Place, batch: BatchId): Promise<void> {
  const { redis } = place.queues;
  const entries = entriesOf(await place.store.parts(batch)).filter(hasJob);
  const mark = () => redis.set(cancelledKey(batch), '1', 'EX', CANCELLED_KEPT_S);
  // A Redis that is full takes no key; taking jobs out makes room for it.
  const isMarked = await mark().then(() => true, () => false); // prettier-ignore
  await redis.publish(CANCEL_CHANNEL, batch);
  const states = await statesOf(place, entries);
  for (const [i, { queue, job }] of entries.entries()) {
    if (states[i]?.entry.state !== 'waiting') continue;
    // One that has begun meanwhile is locked: its worker was told.
    await place.queues.get(queue).remove(jobId(job)).catch(() => undefined); // prettier-ignore
  }
  if (!isMarked) await mark();
}

export async function retryBatch(place: Place, batch: BatchId): Promise<number> {
  const parts = await place.store.parts(batch);
  await place.queues.redis.del(cancelledKey(batch));
  return addJobs(place, entriesOf(parts).filter(hasJob), { batch, total: parts[0]?.total ?? 1 });
}
