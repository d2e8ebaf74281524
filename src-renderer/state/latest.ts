/** How long typing must rest before a question is asked. */
const REST_MS = 200;

/** Asks when its owner comes to rest; only the answer to the latest question counts. */
export class Latest {
  readonly #restMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;

  constructor(restMs = REST_MS) {
    this.#restMs = restMs;
  }

  ask<T>(question: () => Promise<T>, take: (answer: T | undefined) => void): void {
    const turn = this.#next();
    this.#timer = setTimeout(() => {
      void question()
        .catch(() => undefined)
        .then((answer) => {
          if (turn === this.#turn) take(answer);
        });
    }, this.#restMs);
  }

  forget(): void {
    this.#next();
  }

  #next(): number {
    clearTimeout(this.#timer);
    this.#turn += 1;
    return this.#turn;
  }
}
