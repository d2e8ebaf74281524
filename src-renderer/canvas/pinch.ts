import type { ScreenPoint } from './viewport.js';

/** How far two fingers carried the picture, and how much they spread around where they are. */
export interface PinchMove {
  readonly by: ScreenPoint;
  readonly around: ScreenPoint;
  readonly factor: number;
}

/** Two fingers on the picture: they move it and change its size. A third one does nothing. */
export class Pinch {
  readonly #fingers = new Map<number, ScreenPoint>();

  /** Two fingers are down. */
  get active(): boolean {
    return this.#fingers.size === 2;
  }

  down(id: number, at: ScreenPoint): void {
    if (this.#fingers.size < 2) this.#fingers.set(id, at);
  }

  move(id: number, at: ScreenPoint): PinchMove | undefined {
    if (!this.#fingers.has(id)) return undefined;
    const before = this.#pair();
    this.#fingers.set(id, at);
    const after = this.#pair();
    if (!before || !after) return undefined;
    return {
      by: { x: after.middle.x - before.middle.x, y: after.middle.y - before.middle.y },
      around: after.middle,
      factor: before.spread === 0 ? 1 : after.spread / before.spread,
    };
  }

  up(id: number): void {
    this.#fingers.delete(id);
  }

  #pair(): { readonly middle: ScreenPoint; readonly spread: number } | undefined {
    const [a, b] = [...this.#fingers.values()];
    return a && b && { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, spread: Math.hypot(a.x - b.x, a.y - b.y) };
  }
}
