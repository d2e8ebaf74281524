import type { Studio } from '#state/studio.svelte.js';
import { focusAfter } from '#ui/shared/focus.js';

/** A shorter press of Tab moves the focus on, as everywhere: nobody is caught here. */
const TAP_MS = 200;

/** The Tab key while a result is there: held, it shows the original. */
export class HeldTab {
  readonly #studio: Studio;
  #since: number | undefined;

  constructor(studio: Studio) {
    this.#studio = studio;
  }

  press(event: KeyboardEvent): void {
    if (event.shiftKey || !this.#studio.result || this.#studio.phase === 'running') return;
    event.preventDefault();
    if (event.repeat) return;
    this.#since = event.timeStamp;
    this.#studio.comparing = true;
  }

  lift(event: KeyboardEvent): void {
    if (this.#since === undefined) return;
    const tapped = event.timeStamp - this.#since < TAP_MS;
    this.letGo();
    if (tapped && document.activeElement instanceof HTMLElement) focusAfter(document.activeElement);
  }

  letGo(): void {
    if (this.#since !== undefined) this.#studio.comparing = false;
    this.#since = undefined;
  }
}
