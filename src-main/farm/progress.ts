import type { FarmProgress } from '#contract/farm.js';

/** At most four times a second. */
const PAUSE_MS = 250;

/** Passes on the newest of what is told, and never more than there is time for. */
export class Progress {
  readonly #send: (progress: FarmProgress) => void;
  #pending: FarmProgress | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (progress: FarmProgress) => void) {
    this.#send = send;
  }

  readonly tell = (progress: FarmProgress): void => {
    this.#pending = progress;
    if (this.#timer === undefined) this.#pass();
  };

  stop(): void {
    clearTimeout(this.#timer);
    this.#pending = undefined;
  }

  #pass(): void {
    const progress = this.#pending;
    this.#pending = undefined;
    this.#timer =
      progress &&
      setTimeout(() => {
        this.#pass();
      }, PAUSE_MS);
    if (progress) this.#send(progress);
  }
}
