import type { ScreenPoint } from '../viewport.js';
import type { Gesture, PointerMove } from './gesture.js';

export interface SizedBrush {
  readonly sizePx: number;
  resize(sizePx: number): void;
}

/** Pulls the brush to another size: the circle stays where it is, and its edge follows the pointer. */
export class SizeGesture implements Gesture {
  readonly works = false;
  readonly #fromX: number;
  readonly #fromPx: number;
  readonly #brush: SizedBrush;
  readonly #zoom: number;

  constructor(from: ScreenPoint, brush: SizedBrush, zoom: number) {
    this.#fromX = from.x;
    this.#fromPx = brush.sizePx;
    this.#brush = brush;
    this.#zoom = zoom;
  }

  move({ at }: PointerMove): void {
    this.#brush.resize(this.#fromPx + (2 * (at.x - this.#fromX)) / this.#zoom);
  }

  lift(): void {
    // The brush has its size.
  }

  drop(): void {
    this.#brush.resize(this.#fromPx);
  }
}
