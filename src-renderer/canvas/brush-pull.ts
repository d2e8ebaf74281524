import type { BrushTip, Point, Stroke } from '#contract/mask.js';

/** Where a pull of the brush leaves its paint: a mask layer. */
export interface Paintable {
  paint(from: Point, to: Point, tip: BrushTip): void;
}

const LEAST_STEP_PX = 0.5;

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

/**
 * One pull of the brush while it happens. It keeps the size it began with, and every point of it: those beyond the
 * picture's edge too, so that a stroke which leaves and returns stays one stroke.
 */
export class BrushPull {
  readonly #layer: Paintable;
  readonly #tool: BrushTip;
  readonly #points: Point[] = [];

  constructor(layer: Paintable, tool: BrushTip) {
    this.#layer = layer;
    this.#tool = tool;
  }

  to(point: Point): void {
    const before = this.#points.at(-1);
    // A fast pen reports movements that no pixel shows.
    if (before && Math.hypot(point.x - before.x, point.y - before.y) < LEAST_STEP_PX) return;
    const rounded = { ...point, x: hundredths(point.x), y: hundredths(point.y) };
    this.#layer.paint(before ?? rounded, rounded, this.#tool);
    this.#points.push(rounded);
  }

  get stroke(): Stroke {
    return { points: [...this.#points], ...this.#tool };
  }
}

/** Where a pointer was, and how hard it pressed. */
export type Position = Pick<PointerEvent, 'clientX' | 'clientY' | 'pointerType' | 'pressure'>;

/** Pens press; mice and fingers do not. */
export function pressureOf({ pointerType, pressure }: Position): { readonly pressure?: number } {
  return pointerType === 'pen' && pressure > 0 ? { pressure } : {};
}

/** All positions since the last event: fast hands make several per frame, and each is part of the stroke. */
export function positionsOf(event: PointerEvent): readonly Position[] {
  const between = event.getCoalescedEvents();
  return between.length > 0 ? between : [event];
}
