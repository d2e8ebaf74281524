import type { Timing } from './settings.js';

/** A pack that took a minute to load is not left after a minute. */
const SITS_PER_LOAD = 20;

export interface Sitting {
  /** The queue; undefined before the first. */
  readonly queue: string | undefined;
  readonly satMs: number;
  /** Since the last job ended; 0 while one runs. */
  readonly idleMs: number;
  readonly loadMs: number;
  /** Jobs that wait, in each queue that this worker may take. */
  readonly waiting: ReadonlyMap<string, number>;
}

/** Where a worker should sit next; undefined = where it is. Packs are loaded seldom and nobody waits for ever. */
export function nextQueue({ queue, satMs, idleMs, loadMs, waiting }: Sitting, { drainedMs, sitMs }: Timing): string | undefined {
  const others = [...waiting].filter(([name]) => name !== queue).sort((a, b) => b[1] - a[1]);
  const [longest] = others;
  if (!longest) return undefined;
  if (queue === undefined || !waiting.has(queue)) return longest[0];
  if (longest[1] === 0) return undefined;
  const isDrained = waiting.get(queue) === 0 && idleMs >= drainedMs;
  return isDrained || satMs >= Math.max(sitMs, SITS_PER_LOAD * loadMs) ? longest[0] : undefined;
}
