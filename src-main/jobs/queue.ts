import { CancelledError, ExpectedError } from '#contract/errors.js';
import { following } from './follow.js';

export type Priority = 'interactive' | 'batch';

export interface Ticket {
  /** Interactive work goes before every waiting batch job. */
  readonly priority: Priority;
  /** Aborting removes a waiting job and cancels a running one. */
  readonly signal: AbortSignal;
}

interface Waiting {
  readonly priority: Priority;
  readonly start: () => void;
}

/** A window needs a handful; thousands mean that a program has lost count. */
const MOST_WAITING = 100;

/** One GPU, one owner: jobs run one after another. */
export class JobQueue {
  readonly #waiting: Waiting[] = [];
  #busy = false;
  #paused = false;

  get waiting(): number {
    return this.#waiting.length;
  }

  /** No further job starts; the running one ends as usual. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#startNext();
  }

  /**
   * Runs `work` when its turn comes and passes on what it yields; leaving the loop early cancels it.
   * @throws ExpectedError `job.busy` when too many wait; CancelledError when aborted before its turn.
   */
  async *enqueue<T>(work: (signal: AbortSignal) => AsyncGenerator<T, void>, ticket: Ticket): AsyncGenerator<T, void> {
    await this.#turn(ticket);
    const own = following(ticket.signal);
    try {
      yield* work(own.signal);
    } finally {
      own.abort();
      this.#busy = false;
      this.#startNext();
    }
  }

  /** Resolves when this job owns the machine. */
  #turn({ priority, signal }: Ticket): Promise<void> {
    if (signal.aborted) return Promise.reject(new CancelledError('Cancelled.'));
    if (this.#waiting.length >= MOST_WAITING) {
      return Promise.reject(new ExpectedError('job.busy', `Expected at most ${MOST_WAITING} waiting jobs but one more was sent.`));
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        reject(new CancelledError('Cancelled.'));
      };
      const entry: Waiting = {
        priority,
        start: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#insert(entry);
      this.#startNext();
    });
  }

  #insert(entry: Waiting): void {
    const firstBatch = this.#waiting.findIndex(({ priority }) => priority === 'batch');
    const place = entry.priority === 'batch' || firstBatch < 0 ? this.#waiting.length : firstBatch;
    this.#waiting.splice(place, 0, entry);
  }

  #startNext(): void {
    if (this.#busy || this.#paused) return;
    const next = this.#waiting.shift();
    if (!next) return;
    this.#busy = true;
    next.start();
  }
}
