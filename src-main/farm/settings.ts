/** How long things may take before another machine takes over. Constants of the farm, not options: all workers must agree. */
export interface Timing {
  /** A job whose lock was not renewed for so long is another worker's. At least two intervals. */
  readonly lockMs: number;
  readonly stalledMs: number;
  /** The first wait before a job is tried again; it doubles. */
  readonly backoffMs: number;
  /** A worker whose queue was empty for so long may go to another. */
  readonly drainedMs: number;
  /** The least time on a queue while another waits. */
  readonly sitMs: number;
  /** How often a worker looks at the queues, and says that it lives. */
  readonly lookMs: number;
}

export const TIMING: Timing = { lockMs: 20_000, stalledMs: 10_000, backoffMs: 2_000, drainedMs: 2_000, sitMs: 60_000, lookMs: 1_000 };

/** Before every key of ours, so that one Redis may serve others too. */
export const PREFIX = 'scalebrush';
export const QUEUES_KEY = `${PREFIX}:queues`;
export const CANCEL_CHANNEL = `${PREFIX}:cancel`;

export function cancelledKey(batch: string): string {
  return `${PREFIX}:cancelled:${batch}`;
}

/** There while a window looks at the batch. */
export function watchedKey(batch: string): string {
  return `${PREFIX}:watched:${batch}`;
}

export function workerKey(id: string): string {
  return `${PREFIX}:worker:${id}`;
}

const DAY_S = 24 * 60 * 60;
export const CANCELLED_KEPT_S = 30 * DAY_S;

export const ATTEMPTS = 3;
/** Runs that may end with their worker; the next one fails the job. */
export const MOST_STALLS = 1;
export const BULK = 1_000;
/** A batch makes room for what someone waits for. */
export const PRIORITY = { one: 1, batch: 10 } as const;

export const KEPT = {
  removeOnComplete: { age: 7 * DAY_S, count: 100_000 },
  removeOnFail: { age: 30 * DAY_S, count: 10_000 },
} as const;
