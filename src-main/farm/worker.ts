import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { UnrecoverableError, WaitingError, Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { FarmWire } from '#contract/farm.js';
import type { Engine } from '#engine/door/engine.js';
import { JobQueue } from '#jobs/queue.js';
import type { Library } from '#packs/library.js';
import { declare, type Declared } from './declared.js';
import { CANCELLED, failureLine, mayRetry } from './failure.js';
import { LockClock } from './lock-clock.js';
import { Metrics, type Outcome } from './metrics.js';
import { Progress } from './progress.js';
import { Queues } from './queues.js';
import { runFarmJob } from './run-job.js';
import { nextQueue } from './seat.js';
import { CANCEL_CHANNEL, cancelledKey, KEPT, MOST_STALLS, PREFIX, watchedKey, workerKey, type Timing } from './settings.js';
import type { FarmStore } from './store.js';
import { parseJob } from './wire.js';

/** Presence that is not renewed for so many looks is a death. */
const LOOKS_OF_LIFE = 30;
const DRAIN_DELAY_S = 5;

export interface WorkerParts {
  readonly redis: Redis;
  readonly store: FarmStore;
  readonly engine: Pick<Engine, 'run' | 'forecast'>;
  readonly library: Library;
  readonly version: string;
  readonly timing: Timing;
  /** Names; undefined = every pack that is whole. */
  readonly packs?: readonly string[];
  readonly log: (line: string) => void;
}

/** Why a job was stopped. */
type Stop = 'lock' | 'batch' | 'abandon';

interface AtWork {
  readonly job: Job<FarmWire>;
  /** Once the job was looked at. */
  batch?: string;
  readonly controller: AbortController;
  stop?: Stop;
}

interface Seat {
  readonly queue: string;
  readonly worker: Worker<FarmWire>;
  readonly since: number;
}

/**
 * One job after the other, from the queues of the packs that are here. BullMQ keeps locks, tries again and finds the jobs
 * of the dead; this decides where to sit, and stops work that is not wanted or not ours any more.
 */
export class FarmWorker {
  readonly metrics = new Metrics();
  readonly #parts: WorkerParts;
  readonly #queues: Queues;
  readonly #jobs = new JobQueue();
  readonly #id = randomUUID();
  #declared: Declared = { packs: [], queues: new Set(), reachBytes: 0 };
  #seat: Seat | undefined;
  #atWork: AtWork | undefined;
  #idleSince = Date.now();
  #loadMs = 0;
  #draining = false;
  #moving: Promise<void> | undefined;
  #wake: () => void = () => undefined;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#queues = new Queues(parts.redis, parts.timing);
  }

  /** Works until it is drained. Throws what makes it useless: `pack.unknown`, `pack.damaged`. */
  async run(): Promise<void> {
    const { redis, log, timing } = this.#parts;
    this.#declared = await declare(this.#parts, this.#parts.packs);
    log(`ready: ${this.#declared.packs.join(', ')}; jobs of up to ${(this.#declared.reachBytes / 1024 ** 3).toFixed(1)} GB`);
    const hearing = await this.#hearCancels(redis);
    try {
      while (!this.#draining) {
        await this.#look();
        // Told to drain while it looked, it does not pause: nobody would wake it.
        if (!this.#isDraining()) await this.#pause(timing.lookMs);
      }
      await this.#leaveAtLast();
    } finally {
      hearing.disconnect();
      await redis.del(workerKey(this.#id)).catch(() => undefined);
      await this.#queues.close();
      log('ended');
    }
  }

  /** Takes no more; the job at work ends as usual. */
  drain(): void {
    if (!this.#draining) this.#parts.log('draining: the job at work is finished, no other is taken');
    this.#draining = true;
    this.#wake();
  }

  /** The job at work goes back to its queue. */
  abandon(): void {
    this.drain();
    this.#stop('abandon');
  }

  #isDraining(): boolean {
    return this.#draining;
  }

  async #look(): Promise<void> {
    try {
      const waiting = await this.#survey();
      const target = nextQueue({ ...this.#sitting(), waiting }, this.#parts.timing);
      // A long job may be at work: looking goes on meanwhile.
      if (target !== undefined && !this.#draining && !this.#moving)
        this.#moving = this.#sit(target).finally(() => (this.#moving = undefined));
      const batch = this.#atWork?.batch;
      if (batch !== undefined && (await this.#isCancelled(batch)) && this.#atWork?.batch === batch) this.#stop('batch');
    } catch (error) {
      this.#sayWhy(error);
    }
  }

  readonly #sayWhy = (error: unknown): void => {
    this.#parts.log(`redis: ${error instanceof Error ? error.message : String(error)}`);
  };

  #sitting() {
    const now = Date.now();
    return {
      queue: this.#seat?.queue,
      satMs: now - (this.#seat?.since ?? now),
      idleMs: this.#atWork ? 0 : now - this.#idleSince,
      loadMs: this.#loadMs,
    };
  }

  /** What waits where; on the way jobs of dead workers are put back, also in queues where nobody sits, and we say that we live. */
  async #survey(): Promise<ReadonlyMap<string, number>> {
    // A Redis that is full takes no news; work makes room in it.
    await this.#sayPresence().catch(this.#sayWhy);
    const waiting = new Map<string, number>();
    const depths = [];
    for (const [name, { names }] of await this.#queues.known()) {
      if (!this.#declared.queues.has(name)) continue;
      const queue = this.#queues.get(name);
      if (name !== this.#seat?.queue || this.#moving) this.metrics.stalled((await queue.getBackend().moveStalledJobsToWait()).length);
      const { wait = 0, prioritized = 0 } = await queue.getJobCounts('wait', 'prioritized');
      waiting.set(name, wait + prioritized);
      depths.push({ queue: name, pack: names, waiting: wait + prioritized });
    }
    this.metrics.depths(depths);
    return waiting;
  }

  async #sayPresence(): Promise<void> {
    const { redis, version, timing } = this.#parts;
    const { packs } = this.#declared;
    const said = {
      host: os.hostname(),
      pid: process.pid,
      version,
      packs,
      queue: this.#seat?.queue ?? null,
      busy: this.#atWork !== undefined,
    };
    await redis.set(workerKey(this.#id), JSON.stringify({ ...said, done: this.metrics.done }), 'PX', LOOKS_OF_LIFE * timing.lookMs);
  }

  /** Leaves the old queue when its job is done. */
  async #sit(queue: string): Promise<void> {
    await this.#leave();
    // While the last job ended we may have been told to go.
    if (this.#draining) return;
    const { redis, timing, log } = this.#parts;
    const worker = new Worker<FarmWire>(queue, (job, token) => this.#process(job, token ?? ''), {
      connection: redis,
      prefix: PREFIX,
      concurrency: 1,
      lockDuration: timing.lockMs,
      stalledInterval: timing.stalledMs,
      maxStalledCount: MOST_STALLS,
      drainDelay: DRAIN_DELAY_S,
      ...KEPT,
    });
    worker.on('error', (error) => {
      log(`queue: ${error.message}`);
    });
    worker.on('stalled', (id) => {
      this.metrics.stalled(1);
      log(`job ${id}: its worker is gone, it waits again`);
    });
    worker.on('lockRenewalFailed', () => {
      this.#stop('lock');
    });
    this.#seat = { queue, worker, since: Date.now() };
    this.#idleSince = Date.now();
    this.#loadMs = 0;
    log(`sits on ${queue}`);
  }

  /** Whoever looks for workers sees this one until its job is done. */
  async #leaveAtLast(): Promise<void> {
    await this.#moving;
    const looks = setInterval(() => void this.#look(), this.#parts.timing.lookMs);
    await this.#leave().finally(() => {
      clearInterval(looks);
    });
  }

  async #leave(): Promise<void> {
    const seat = this.#seat;
    await seat?.worker.close();
    this.#seat = undefined;
  }

  async #process(job: Job<FarmWire>, token: string): Promise<void> {
    const atWork: AtWork = { job, controller: new AbortController() };
    const clock = new LockClock(this.#parts.timing.lockMs, () => {
      this.#stop('lock');
    });
    const renewed = (): void => {
      clock.renewed();
    };
    const worker = this.#seat?.worker;
    worker?.on('locksRenewed', renewed);
    this.#atWork = atWork;
    const started = Date.now();
    this.metrics.waited(started - job.timestamp);
    try {
      const found = await this.#do(atWork);
      this.#ended(atWork, found ? 'found' : 'done', started);
    } catch (error) {
      throw await this.#failed({ error, atWork, token, started });
    } finally {
      clock.stop();
      worker?.off('locksRenewed', renewed);
      this.#atWork = undefined;
      this.#idleSince = Date.now();
    }
  }

  /** Whether the result was there already. */
  async #do(atWork: AtWork): Promise<boolean> {
    const { job, controller } = atWork;
    const order = parseJob(job, this.#parts.version);
    atWork.batch = order.batch;
    if (await this.#isCancelled(order.batch)) this.#stop('batch');
    const world = { ...this.#parts, queue: this.#jobs };
    const previews = await this.#isThere(watchedKey(order.batch));
    // Away, it would be told too late.
    const progress = new Progress((reached) => void job.updateProgress(reached).catch(() => undefined));
    const watch = { signal: controller.signal, previews, onProgress: progress.tell };
    const ran = await runFarmJob(world, order, watch).finally(() => {
      progress.stop();
    });
    if (ran.loadMs === null) return true;
    // A pack that is open already takes a millisecond.
    if (ran.loadMs > this.#loadMs) this.metrics.loaded(ran.loadMs);
    this.#loadMs = Math.max(this.#loadMs, ran.loadMs);
    return false;
  }

  /** What BullMQ is told: try again, never again, or nothing because the job is not ours any more. */
  async #failed({ error, atWork, token, started }: Failed): Promise<Error> {
    const { job, stop } = atWork;
    if (stop === 'batch') return this.#given(new UnrecoverableError(CANCELLED), { atWork, outcome: 'cancelled', started });
    if (stop === 'lock') return this.#given(new Error('lock lost'), { atWork, outcome: 'lost', started });
    if (stop === 'abandon') {
      await job.moveToWait(token);
      return this.#given(new WaitingError(), { atWork, outcome: 'returned', started });
    }
    const line = failureLine(error);
    const isLast = !mayRetry(error) || job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    const outcome = isLast ? 'failed' : 'retried';
    return this.#given(mayRetry(error) ? new Error(line) : new UnrecoverableError(line), { atWork, outcome, started, line });
  }

  #given(error: Error, { atWork, outcome, started, line = '' }: Ended): Error {
    this.#ended(atWork, outcome, started, line);
    // BullMQ would write it beside the job, once more for each try.
    error.stack = '';
    return error;
  }

  // eslint-disable-next-line max-params
  #ended({ job }: AtWork, outcome: Outcome, started: number, line = ''): void {
    const ms = Date.now() - started;
    this.metrics.ended(outcome, ms);
    this.#parts.log(`job ${job.id ?? ''}: ${outcome} after ${(ms / 1000).toFixed(1)} s${line === '' ? '' : `, ${line}`}`);
  }

  #stop(stop: Stop): void {
    const atWork = this.#atWork;
    if (!atWork || atWork.stop) return;
    atWork.stop = stop;
    atWork.controller.abort();
  }

  #isCancelled(batch: string): Promise<boolean> {
    return this.#isThere(cancelledKey(batch));
  }

  async #isThere(key: string): Promise<boolean> {
    return (await this.#parts.redis.exists(key)) === 1;
  }

  /** A message may be missed: the key is looked at as well. */
  async #hearCancels(redis: Redis): Promise<Redis> {
    const hearing = redis.duplicate();
    hearing.on('error', () => undefined);
    hearing.on('message', (_, batch: string) => {
      if (this.#atWork?.batch === batch) this.#stop('batch');
    });
    if (hearing.status === 'wait') await hearing.connect();
    await hearing.subscribe(CANCEL_CHANNEL);
    return hearing;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

interface Failed {
  readonly error: unknown;
  readonly atWork: AtWork;
  readonly token: string;
  readonly started: number;
}

interface Ended {
  readonly atWork: AtWork;
  readonly outcome: Outcome;
  readonly started: number;
  readonly line?: string;
}
