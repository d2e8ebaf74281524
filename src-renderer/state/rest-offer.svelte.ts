import { restAround } from '#canvas/rest-around.js';
import type { Rest } from '#document/rest-outside.js';
import type { Studio } from './studio.svelte.js';

/** A hand that rests so long has painted what it meant. */
const REST_MS = 400;
/** The most that a mask can grow at once. */
const MOST_PX = 512;

/** The offer to grow a mask that leaves a rest of the object outside, its shadow as a rule. */
export class RestOffer {
  rest = $state.raw<Rest>();
  readonly #studio: Studio;

  constructor(studio: Studio) {
    this.#studio = studio;
  }

  /** Looks once the mask rests; to be called whenever it has changed. Returns what takes the look back. */
  follow(): (() => void) | undefined {
    const { mask, source, canPaint, verb } = this.#studio;
    this.rest = undefined;
    const { layer } = mask;
    // An instruction may want to keep the shadow; what is filled never does.
    if (mask.revision < 0 || !source || !canPaint || verb !== 'fill' || !layer || mask.use !== undefined) return undefined;
    const timer = setTimeout(() => {
      this.rest = restAround(source.bitmap, layer);
    }, REST_MS);
    return () => {
      clearTimeout(timer);
    };
  }

  grow(): void {
    const { rest } = this;
    if (rest) this.#studio.mask.add({ kind: 'grow', px: Math.min(MOST_PX, rest.growPx) });
  }
}
