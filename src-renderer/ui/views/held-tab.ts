import type { Studio } from '#state/studio.svelte.js';
import { focusAfter } from '#ui/shared/focus.js';

/** A shorter press of Tab moves the focus on, as everywhere: nobody is caught here. */
const TAP_MS = 200;

/** The Tab key while there is something before the picture: held, it shows that. */
export class HeldTab {
  readonly #studio: Studio;
  #since: number | undefined;

  constructor(studio: Studio) {
    this.#studio = studio;
  }

  press(event: KeyboardEvent): void {
    if (event.shiftKey || !this.#studio.comparison.before) return;
    event.preventDefault();
    if (event.repeat) return;
    this.#since = event.timeStamp;
    this.#studio.comparison.on = true;
  }

  lift(event: KeyboardEvent): void {
    if (this.#since === undefined) return;
    const tapped = event.timeStamp - this.#since < TAP_MS;
    this.letGo();
    if (tapped && document.activeElement instanceof HTMLElement) focusAfter(document.activeElement);
  }

  letGo(): void {
    if (this.#since !== undefined) this.#studio.comparison.on = false;
    this.#since = undefined;
  }
}
