import { toErrorData } from '#contract/errors.js';
import type { PageLink } from '#link/http.js';

const RETRY_MS = 1000;

/** Whether the service is there. It is noticed at once when it goes, and asked for until it is back. */
export class Connection {
  state = $state<'there' | 'gone' | 'denied'>('there');
  readonly #link: PageLink;
  readonly #onback: () => Promise<void>;
  readonly #retryMs: number;

  /** `onback` hears when it has come back, before the window is told. */
  constructor(link: PageLink, onback: () => Promise<void>, retryMs = RETRY_MS) {
    this.#link = link;
    this.#onback = onback;
    this.#retryMs = retryMs;
  }

  /** For as long as the window lives, or until it is told to stop. */
  async watch(signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted) {
      try {
        const { ended } = await this.#link.presence();
        if (this.state !== 'there') await this.#onback();
        this.state = 'there';
        await ended;
        this.state = 'gone';
      } catch (error) {
        // Another start of the service does not know this page.
        this.state = toErrorData(error).code === 'access.denied' ? 'denied' : 'gone';
      }
      await new Promise((resolve) => setTimeout(resolve, this.#retryMs));
    }
  }
}
