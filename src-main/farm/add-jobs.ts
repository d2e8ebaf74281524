import { ExpectedError } from '#contract/errors.js';
import type { BatchId } from '#contract/farm.js';
import { jobId } from './job.js';
import { bulkEntry } from './queues.js';
import { BULK, PRIORITY } from './settings.js';
import { statesOf, type JobEntry } from './states.js';
import type { FarmWorld } from './world.js';

type Place = Pick<FarmWorld, 'queues' | 'store'>;

export interface Adding {
  readonly batch: BatchId;
  /** Pictures of the whole batch: one alone is waited for. */
  readonly total: number;
}

/**
 * Puts into their queues what has neither a result nor a job that may still give one; what waits or runs is not added
 * twice. The number of those that were not on their way.
 *
 * @throws ExpectedError `job.busy` where Redis is full: a part of the jobs may be in, and submitting again adds the others.
 */
export async function addJobs(place: Place, entries: readonly JobEntry[], { total }: Adding): Promise<number> {
  const states = await statesOf(place, entries);
  const wanted = entries.filter((_, i) => states[i]?.entry.state === 'refused' || states[i]?.lost === true);
  const priority = total === 1 ? PRIORITY.one : PRIORITY.batch;
  for (const name of new Set(wanted.map(({ queue }) => queue))) {
    const own = wanted.filter(({ queue }) => queue === name);
    const [first] = own;
    if (first) await place.queues.announce(name, { pack: first.job.pack, names: namesOf(first) });
    for (let at = 0; at < own.length; at += BULK) await addBulk(place, { name, priority, entries: own.slice(at, at + BULK) });
  }
  return wanted.length;
}

interface Bulk {
  readonly name: string;
  readonly priority: number;
  readonly entries: readonly JobEntry[];
}

async function addBulk({ queues }: Place, { name, priority, entries }: Bulk): Promise<void> {
  const queue = queues.get(name);
  // A job of this name that has ended would keep the new one out.
  for (const { job } of entries) await queue.remove(jobId(job)).catch(() => undefined);
  try {
    await queue.addBulk(entries.map(({ job }) => bulkEntry(job, priority)));
  } catch (cause) {
    if (!(cause instanceof Error && cause.message.includes('OOM'))) throw cause;
    throw new ExpectedError(
      'job.busy',
      `Expected room in the farm's Redis but it is full; a part of the ${String(entries.length)} jobs may be in.`,
      {
        cause,
      },
    );
  }
}

function namesOf({ job: { request } }: JobEntry): string {
  const estimator = request.control?.estimator;
  return estimator === undefined ? request.pack : `${request.pack} + ${estimator}`;
}
