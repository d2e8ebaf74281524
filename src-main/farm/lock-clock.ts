/**
 * A worker's own clock over the lock of its job. BullMQ only says that a lock could not be renewed; a worker that was
 * stopped, or cut off, would go on for minutes with a picture that is another's by now.
 */
export class LockClock {
  readonly #lockMs: number;
  readonly #lost: () => void;
  readonly #timer: NodeJS.Timeout;
  #renewed = now();

  /** @param lost called once, when no renewal came for the lock's length. */
  constructor(lockMs: number, lost: () => void) {
    this.#lockMs = lockMs;
    this.#lost = lost;
    this.#timer = setInterval(() => {
      this.#look();
    }, lockMs / LOOKS_PER_LOCK);
  }

  renewed(): void {
    // A renewal that was sent before the lock ran out and answered after it is none.
    if (!this.#look()) this.#renewed = now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): boolean {
    const at = now();
    // A machine that slept stops one of these clocks, one that is set back the other.
    const isLost = Math.max(at.steady - this.#renewed.steady, at.wall - this.#renewed.wall) >= this.#lockMs;
    if (isLost) {
      this.stop();
      this.#lost();
    }
    return isLost;
  }
}

const LOOKS_PER_LOCK = 20;

interface Moment {
  readonly steady: number;
  readonly wall: number;
}

function now(): Moment {
  return { steady: performance.now(), wall: Date.now() };
}
