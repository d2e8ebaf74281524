import type { ScreenPoint } from '../viewport.js';

/** Where the pointer is on the screen, from the corner of the canvas, and every place that it passed since the last time. */
export interface PointerMove {
  readonly at: ScreenPoint;
  readonly passed: readonly (ScreenPoint & { readonly pressure?: number })[];
  readonly shift: boolean;
}

/** What a held button does, from pressing to letting go. */
export interface Gesture {
  move(pointer: PointerMove): void;
  /** The button was let go: what was done counts. */
  lift(): void;
  /** It was not meant. */
  drop(): void;
  /** Works on the picture itself: it waits while the picture is moved below it. */
  readonly works: boolean;
}
