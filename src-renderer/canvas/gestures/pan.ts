import type { ScreenPoint } from '../viewport.js';
import type { Gesture, PointerMove } from './gesture.js';

/** Moves the picture along with the pointer. */
export class PanGesture implements Gesture {
  readonly works = false;
  readonly #panBy: (by: ScreenPoint) => void;
  #from: ScreenPoint;

  constructor(from: ScreenPoint, panBy: (by: ScreenPoint) => void) {
    this.#from = from;
    this.#panBy = panBy;
  }

  move({ at }: PointerMove): void {
    this.#panBy({ x: at.x - this.#from.x, y: at.y - this.#from.y });
    this.#from = at;
  }

  lift(): void {
    // The picture is where it is.
  }

  drop(): void {
    this.lift();
  }
}
