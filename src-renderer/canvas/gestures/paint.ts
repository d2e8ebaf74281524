import type { Stroke } from '#contract/mask.js';
import type { BrushPull } from '../brush-pull.js';
import type { ScreenPoint } from '../viewport.js';
import type { Gesture, PointerMove } from './gesture.js';

/** Where paint goes. */
export interface PaintPlace {
  toSource(at: ScreenPoint): ScreenPoint;
  /** Some of the stroke is on the layer. */
  touched(): void;
  /** The stroke is whole. */
  painted(stroke: Stroke): void;
  /** The stroke was not meant. */
  dropped(stroke: Stroke): void;
}

/** Pulls the brush. */
export class PaintGesture implements Gesture {
  readonly works = true;
  readonly #pull: BrushPull;
  readonly #place: PaintPlace;

  constructor(pull: BrushPull, place: PaintPlace) {
    this.#pull = pull;
    this.#place = place;
  }

  move({ passed }: PointerMove): void {
    for (const { x, y, ...pressure } of passed) this.#pull.to({ ...this.#place.toSource({ x, y }), ...pressure });
    this.#place.touched();
  }

  lift(): void {
    this.#place.painted(this.#pull.stroke);
  }

  drop(): void {
    this.#place.dropped(this.#pull.stroke);
  }
}
