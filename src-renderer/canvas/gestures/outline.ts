import type { Area, Point } from '#contract/mask.js';
import type { ScreenPoint } from '../viewport.js';
import type { Gesture, PointerMove } from './gesture.js';

/** An outline in the making. */
export interface PulledOutline {
  moveTo(points: readonly Point[], even: boolean): void;
  close(): Area | undefined;
  drop(): void;
}

export interface OutlinePlace {
  toSource(at: ScreenPoint): ScreenPoint;
  enclose(area: Area): void;
}

/** Pulls an outline around what is to be masked. */
export class OutlineGesture implements Gesture {
  readonly works = true;
  readonly #outline: PulledOutline;
  readonly #place: OutlinePlace;

  constructor(outline: PulledOutline, place: OutlinePlace) {
    this.#outline = outline;
    this.#place = place;
  }

  move({ passed, shift }: PointerMove): void {
    this.#outline.moveTo(passed.map((at) => this.#place.toSource(at)), shift); // prettier-ignore
  }

  lift(): void {
    const area = this.#outline.close();
    if (area) this.#place.enclose(area);
  }

  drop(): void {
    this.#outline.drop();
  }
}
