import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { buildWorker, endOf, pictures, TestFarm } from '../support/farm.js';

const JOB_MS = 250;
const JOBS_EACH = 30;
/** Of each worker: its start. */
const WARM = 2;

/**
 * What a farm leaves of each worker's time where processors are no limit: jobs that sleep. Pictures a second, by all that so
 * many workers could do, while all of them work.
 */
export async function sleepingWorkers(workers: number): Promise<number> {
  await mkdir('dist', { recursive: true });
  // Beside node_modules, which the workers need.
  const folder = await mkdtemp(path.resolve('dist', 'farm-worker-'));
  const farm = await TestFarm.open(await buildWorker(folder));
  try {
    const entries = farm.entries(pictures(workers * JOBS_EACH), `sleep ${String(JOB_MS)}`);
    await endOf(farm.farm.run(entries, { signal: new AbortController().signal, detach: true }));
    const starts = Array.from({ length: workers }, () => startsOf(farm));
    while (starts.reduce((sum, each) => sum + each.length, 0) < entries.length) await pause(50);
    const from = Math.max(...starts.map((each) => each[WARM] ?? Number.NaN));
    const to = Math.min(...starts.map((each) => each.at(-1) ?? Number.NaN));
    const done = starts.flat().filter((at) => at >= from && at < to).length;
    return (done * JOB_MS) / ((to - from) * workers);
  } finally {
    await farm.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** When a new worker began each of its jobs. */
function startsOf(farm: TestFarm): readonly number[] {
  const starts: number[] = [];
  farm.work().child.on('message', ({ run }: { readonly run?: string }) => {
    if (run !== undefined) starts.push(performance.now());
  });
  return starts;
}
