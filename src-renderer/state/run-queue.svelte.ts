import type { Verb } from '#document/request.js';
import type { Phase } from './sheets.js';

/** What is to be run when its turn comes. */
export interface QueuedRun {
  readonly verb: Verb | 'remove';
  readonly words: string;
  /** Does it, to its end, whatever that is. */
  start(): Promise<void>;
}

export type Waiting<R extends QueuedRun = QueuedRun> = R & { readonly key: number };

/** What is yet to be run for a document that is put away. */
export interface LeftRuns {
  readonly runs: readonly QueuedRun[];
  readonly paused: boolean;
}

/** What the studio lends to the queue. */
export interface QueueContext {
  readonly phase: Phase;
  /** Another run could begin. */
  readonly isFree: boolean;
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
    this.#place([...this.waiting, Object.assign(run, { key: this.#keys++ })]);
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
      await first?.start();
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

  /** Takes out all that waits, to be put back with its document; what is at work is no part of it. */
  takeAll(): LeftRuns {
    const { waiting: runs, paused } = this;
    this.clear();
    return { runs, paused };
  }

  async putBack({ runs, paused }: LeftRuns): Promise<void> {
    this.#place([...this.waiting, ...runs.map((run) => Object.assign(run, { key: this.#keys++ }))]);
    this.paused = paused;
    await this.goOn();
  }

  /** Nothing waits any more. */
  clear(): void {
    this.failed = undefined;
    this.paused = false;
    this.#place([]);
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
