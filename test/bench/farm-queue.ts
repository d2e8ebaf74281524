import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { EditRequest } from '#contract/request.js';
import type { FarmJob } from '#contract/farm.js';
import { resultKey } from '#farm/job.js';
import { bulkEntry, Queues } from '#farm/queues.js';
import { PREFIX, PRIORITY, TIMING } from '#farm/settings.js';
import { digestOf } from '#service/digest.js';
import { parseInput } from '#service/parse.js';
import { median } from './median.js';

const STRETCHES = 5;
const STRETCH = 800;
const BULK = 1_000;
const QUEUE = '0123456789abcdef-2gb';

export interface EmptyJobs {
  /** For each job, wall. */
  readonly ms: number;
  /** For each job, of Redis and of this process together. */
  readonly cpuMs: number;
  /** Of Redis, for each job that waits. */
  readonly bytes: number;
  /** For each job that is added, wall. */
  readonly addMs: number;
}

/** What jobs cost that do nothing, while so many wait: our own, in a queue of ours. */
export async function emptyJobs(url: string, waiting: number): Promise<EmptyJobs> {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  const queues = new Queues(redis, TIMING);
  const queue = queues.get(QUEUE);
  const info = async (section: string, field: string) =>
    Number(new RegExp(`^${field}:([\\d.]+)`, 'mu').exec(await redis.info(section))?.[1]);
  let next = 0;
  const add = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += BULK)
      await queue.addBulk(Array.from({ length: Math.min(BULK, count - at) }, () => bulkEntry(jobNumber(next++), PRIORITY.batch)));
  };
  const before = await info('memory', 'used_memory');
  const adding = performance.now();
  await add(waiting);
  const addMs = (performance.now() - adding) / waiting;
  const bytes = ((await info('memory', 'used_memory')) - before) / waiting;
  const stretches: { readonly ms: number; readonly cpuMs: number }[] = [];
  for (let i = 0; i < STRETCHES; i++) {
    const cpu = async () => 1000 * ((await info('cpu', 'used_cpu_user')) + (await info('cpu', 'used_cpu_sys'))) + ownCpuMs();
    const begun = await cpu();
    const ms = await drain(redis, STRETCH);
    stretches.push({ ms: ms / STRETCH, cpuMs: ((await cpu()) - begun) / STRETCH });
    await add(STRETCH);
  }
  await queue.obliterate({ force: true });
  await queues.close();
  redis.disconnect();
  return { ms: median(stretches.map(({ ms }) => ms)), cpuMs: median(stretches.map(({ cpuMs }) => cpuMs)), bytes, addMs };
}

/** Milliseconds in which so many jobs of those that wait are done. */
async function drain(redis: Redis, count: number): Promise<number> {
  let done = 0;
  const started = performance.now();
  const worker = new Worker(QUEUE, () => Promise.resolve(null), { connection: redis, prefix: PREFIX, removeOnComplete: { count: 0 } });
  await new Promise<void>((resolve) => {
    worker.on('completed', () => {
      if (++done === count) resolve();
    });
  });
  const ms = performance.now() - started;
  await worker.close();
  return ms;
}

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** As a folder of photographs makes it. */
function jobNumber(number: number): FarmJob {
  const request = parseInput(EditRequest, {
    task: 'edit',
    source: digestOf(number),
    instruction: 'make the sky stormy and the grass a little darker',
    seed: 3,
    previews: false,
    output: { format: 'jpeg', recipe: true },
  });
  const output = `DSC_${String(number).padStart(6, '0')}.jpg`;
  const unnamed = { version: 1 as const, batch: 'b'.repeat(32), output, request, pack: digestOf('pack') };
  return { ...unnamed, result: resultKey(unnamed, '1.0.0 1.30.0') };
}
