import type { ScreenPoint } from '../viewport.js';
import type { Gesture, PointerMove } from './gesture.js';

/** Pulls the line between before and after. */
export class SplitGesture implements Gesture {
  readonly works = false;
  readonly #splitAt: (at: ScreenPoint) => void;

  constructor(splitAt: (at: ScreenPoint) => void) {
    this.#splitAt = splitAt;
  }

  move({ at }: PointerMove): void {
    this.#splitAt(at);
  }

  lift(): void {
    // The line is where it is.
  }

  drop(): void {
    this.lift();
  }
}
