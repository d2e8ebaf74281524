import type { QueuedRun } from './run-order.js';
import type { Phase } from './sheets.js';

export interface Waiting extends QueuedRun {
  readonly key: number;
}

/** What the studio lends to the queue. */
export interface QueueContext {
  readonly phase: Phase;
  /** Another run could begin. */
  readonly isFree: boolean;
  /** Does it, to its end, whatever that is. */
  runQueued(run: QueuedRun): Promise<void>;
  cancelRun(): void;
}

/**
 * Runs that were asked for while one was on: each has its turn, on the picture as it is then. Strokes of the brush that
 * removes wait here too. What failed waits in front of the others until it is tried again or let go of.
 */
export class RunQueue {
  waiting = $state.raw<readonly Waiting[]>([]);
  /** What is at work where it came from here. */
  atWork = $state.raw<Waiting>();
  /** The run at work goes on; behind it nothing begins. */
  paused = $state(false);
  /** Waits in front because it failed. */
  failed = $state.raw<Waiting>();
  #keys = 0;

  readonly #context: QueueContext;
  readonly #onchange: () => void;

  constructor(context: QueueContext, onchange: () => void) {
    this.#context = context;
    this.#onchange = onchange;
  }

  /** Resolves when nothing waits any more, or at once where something is at work. */
  async add(run: QueuedRun): Promise<void> {
    this.#place([...this.waiting, this.#keyed(run)]);
    await this.goOn();
  }

  /** One after the other, where nothing is in the way. */
  async goOn(): Promise<void> {
    while (!this.atWork && !this.paused && this.#context.isFree && this.waiting.length > 0) {
      await this.#doFirst();
      if (this.failed) return;
    }
  }

  async #doFirst(): Promise<void> {
    const [first, ...rest] = this.waiting;
    this.failed = undefined;
    this.atWork = first;
    this.#place(rest);
    try {
      if (first) await this.#context.runQueued(first);
    } finally {
      this.atWork = undefined;
      if (this.#context.phase === 'failed') this.failed = first;
      this.#place(this.failed ? [this.failed, ...this.waiting] : this.waiting);
    }
  }

  /** One that waits is taken out; of the one at work, the next begins. */
  cancel(key: number): void {
    if (this.atWork?.key === key) this.#context.cancelRun();
    this.#place(this.waiting.filter((run) => run.key !== key));
  }

  toFront(key: number): void {
    this.#move(key, (run, others) => [run, ...others]);
  }

  toBack(key: number): void {
    this.#move(key, (run, others) => [...others, run]);
  }

  pause(): void {
    this.paused = true;
  }

  async resume(): Promise<void> {
    this.paused = false;
    await this.goOn();
  }

  /** What failed is let go of, and what waits behind it has its turn. */
  dropFailed(): void {
    const { failed } = this;
    this.failed = undefined;
    if (failed) this.cancel(failed.key);
  }

  /** These wait now, and nothing else: those of a document that has come back. */
  async putBack(runs: readonly QueuedRun[], paused: boolean): Promise<void> {
    this.#place(runs.map((run) => this.#keyed(run)));
    this.paused = paused && runs.length > 0;
    await this.goOn();
  }

  /** Nothing waits any more. */
  clear(): void {
    this.failed = undefined;
    this.paused = false;
    this.#place([]);
  }

  #keyed(run: QueuedRun): Waiting {
    return { ...run, key: this.#keys++ };
  }

  #move(key: number, order: (run: Waiting, others: readonly Waiting[]) => readonly Waiting[]): void {
    const run = this.waiting.find((each) => each.key === key);
    if (run)
      this.#place(
        order(
          run,
          this.waiting.filter((each) => each !== run),
        ),
      );
  }

  #place(waiting: readonly Waiting[]): void {
    this.waiting = waiting;
    if (waiting.length === 0 && !this.atWork) this.paused = false;
    this.#onchange();
  }
}
