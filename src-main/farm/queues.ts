import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import * as v from 'valibot';
import { Sha256, type FarmJob, type FarmWire } from '#contract/farm.js';
import { jobId } from './job.js';
import { ATTEMPTS, MOST_STALLS, PREFIX, QUEUES_KEY, type Timing } from './settings.js';
import { wireOf } from './wire.js';

/** What is known of a queue: whose jobs wait in it. */
const QueueFacts = v.object({ pack: Sha256, names: v.pipe(v.string(), v.maxLength(256)) });
export type QueueFacts = v.InferOutput<typeof QueueFacts>;

/** The shape of our names: a foreign one would become a key of Redis. */
const QUEUE_NAME = /^[0-9a-f]{16}-(?:2gb|8gb|more)$/u;

/** The queues of a farm over one connection. */
export class Queues {
  readonly redis: Redis;
  readonly #timing: Timing;
  readonly #open = new Map<string, Queue<FarmWire>>();

  constructor(redis: Redis, timing: Timing) {
    this.redis = redis;
    this.#timing = timing;
  }

  get(name: string): Queue<FarmWire> {
    const found = this.#open.get(name);
    if (found) return found;
    const { lockMs: _lock, stalledMs, backoffMs } = this.#timing;
    const queue = new Queue<FarmWire>(name, {
      connection: this.redis,
      prefix: PREFIX,
      // Read by the check for stalled jobs, which any worker does for every queue that it knows.
      ...{ maxStalledCount: MOST_STALLS, stalledInterval: stalledMs },
      // They lie beside every waiting job: how long it is kept is its worker's to say.
      defaultJobOptions: { attempts: ATTEMPTS, backoff: { type: 'exponential', delay: backoffMs, jitter: 0.5 } },
    });
    // The connection says the same, and is heard.
    queue.on('error', () => undefined);
    this.#open.set(name, queue);
    return queue;
  }

  async announce(name: string, facts: QueueFacts): Promise<void> {
    await this.redis.hset(QUEUES_KEY, name, JSON.stringify(facts));
  }

  /** Every queue that someone submitted to. */
  async known(): Promise<ReadonlyMap<string, QueueFacts>> {
    const known = new Map<string, QueueFacts>();
    for (const [name, text] of Object.entries(await this.redis.hgetall(QUEUES_KEY))) {
      const facts = factsIn(text);
      if (QUEUE_NAME.test(name) && facts) known.set(name, facts);
    }
    return known;
  }

  async close(): Promise<void> {
    for (const queue of this.#open.values()) await queue.close();
    this.#open.clear();
  }
}

function factsIn(text: string): QueueFacts | undefined {
  try {
    const parsed = v.safeParse(QueueFacts, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/** As a queue takes it. */
export function bulkEntry(job: FarmJob, priority: number) {
  return { name: job.request.task, data: wireOf(job), opts: { jobId: jobId(job), priority } };
}
