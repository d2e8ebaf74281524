import type { Point, Stroke } from '#document/mask.js';

/** Where a pull of the brush leaves its paint: a mask layer. */
export interface Paintable {
  paint(from: Point, to: Point, stroke: Pick<Stroke, 'radiusPx' | 'erase'>): void;
}

/**
 * One pull of the brush while it happens. It keeps the size it began with, and every point of it: those beyond the
 * picture's edge too, so that a stroke which leaves and returns stays one stroke.
 */
export class BrushPull {
  readonly #layer: Paintable;
  readonly #tool: Pick<Stroke, 'radiusPx' | 'erase'>;
  readonly #points: Point[] = [];

  constructor(layer: Paintable, tool: Pick<Stroke, 'radiusPx' | 'erase'>) {
    this.#layer = layer;
    this.#tool = tool;
  }

  to(point: Point): void {
    this.#layer.paint(this.#points.at(-1) ?? point, point, this.#tool);
    this.#points.push(point);
  }

  get stroke(): Stroke {
    return { points: [...this.#points], ...this.#tool };
  }
}

/** All positions since the last event: fast hands make several per frame, and each is part of the stroke. */
export function positionsOf(event: PointerEvent): readonly { readonly clientX: number; readonly clientY: number }[] {
  const between = event.getCoalescedEvents();
  return between.length > 0 ? between : [event];
}
