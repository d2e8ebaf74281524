import type { Rect } from '#base/geometry.js';
import type { ScreenPoint } from '../viewport.js';
import type { Gesture, PointerMove } from './gesture.js';

/** Pulled less far than this, in screen pixels, a box is a click. */
const CLICK = 4;

/** A box in the making, in source pixels. */
export interface PulledBox {
  moveTo(points: readonly ScreenPoint[], even: boolean): void;
  drop(): void;
}

export interface SelectPlace {
  toSource(at: ScreenPoint): ScreenPoint;
  /** An object was pointed at, in source pixels. */
  pointed(at: { readonly at: ScreenPoint } | { readonly box: Rect }): void;
}

/** Points at an object: a click on it, or a box pulled around it. */
export class SelectGesture implements Gesture {
  readonly works = true;
  readonly #from: ScreenPoint;
  readonly #box: PulledBox;
  readonly #place: SelectPlace;
  #to: ScreenPoint;

  constructor(from: ScreenPoint, box: PulledBox, place: SelectPlace) {
    this.#from = from;
    this.#to = from;
    this.#box = box;
    this.#place = place;
  }

  move({ at }: PointerMove): void {
    this.#to = at;
    this.#box.moveTo([this.#place.toSource(at)], false);
  }

  lift(): void {
    this.#box.drop();
    const [from, to] = [this.#place.toSource(this.#from), this.#place.toSource(this.#to)];
    const isClick = Math.hypot(this.#to.x - this.#from.x, this.#to.y - this.#from.y) < CLICK;
    this.#place.pointed(isClick ? { at: from } : { box: boxOf(from, to) });
  }

  drop(): void {
    this.#box.drop();
  }
}

function boxOf(a: ScreenPoint, b: ScreenPoint): Rect {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return { x, y, width: Math.max(1, Math.abs(a.x - b.x)), height: Math.max(1, Math.abs(a.y - b.y)) };
}
