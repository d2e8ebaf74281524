import type { Area, Point } from '#contract/mask.js';
import { outlineOf } from '#document/mask.js';

export const OUTLINE_TOOLS = ['lasso', 'polygon', 'rectangle', 'ellipse'] as const;
export type OutlineTool = (typeof OUTLINE_TOOLS)[number];

const LEAST_CORNERS = 3;

/** An outline in the making, in source pixels: pulled with a held button, or, of a polygon, set corner by corner. */
export class Outline {
  #tool: OutlineTool = 'lasso';
  /** Its first point and its last, all of a lasso, or the corners of a polygon and where the pointer is. */
  #points = $state.raw<readonly Point[]>([]);
  #even = $state(false);
  #erase = false;

  /** What it encloses at the moment; undefined while there is none. */
  readonly shape: readonly Point[] | undefined = $derived(this.#points.length > 0 ? this.#shaped() : undefined);

  /** Goes on without a held button. */
  get waits(): boolean {
    return this.#tool === 'polygon' && this.#points.length > 0;
  }

  begin(tool: OutlineTool, at: Point, erase: boolean): void {
    this.#tool = tool;
    this.#erase = erase;
    this.#even = false;
    this.#points = tool === 'polygon' ? [at, at] : [at];
  }

  /** `even` makes squares and circles. */
  moveTo(points: readonly Point[], even: boolean): void {
    const [to] = points.slice(-1);
    if (this.#points.length === 0 || !to) return;
    this.#even = even;
    if (this.#tool === 'polygon') this.#points = [...this.#points.slice(0, -1), to];
    else if (this.#tool === 'lasso') this.#points = [...this.#points, ...points];
    else this.#points = [...this.#points.slice(0, 1), to];
  }

  /** The next corner of a polygon; on the first corner, or twice in one place, it is the end: then there is an area. */
  corner(at: Point, reachPx: number): Area | undefined {
    const corners = this.#points.slice(0, -1);
    const ends = [corners[0], corners.at(-1)].some((corner) => corner && Math.hypot(at.x - corner.x, at.y - corner.y) <= reachPx);
    if (ends) return this.#area(corners, LEAST_CORNERS);
    this.#points = [...corners, at, at];
    return undefined;
  }

  /** The button was let go. */
  close(): Area | undefined {
    return this.waits ? undefined : this.#area(this.#shaped(), 2);
  }

  drop(): void {
    this.#points = [];
  }

  #area(points: readonly Point[], least: number): Area | undefined {
    const enough = this.#points.length >= 2 && points.length >= least;
    this.drop();
    return enough ? { points, erase: this.#erase } : undefined;
  }

  #shaped(): readonly Point[] {
    const [from, to] = [this.#points[0], this.#points.at(-1)];
    if (this.#tool === 'lasso' || this.#tool === 'polygon' || !from || !to) return this.#points;
    return outlineOf(this.#tool, { from, to, even: this.#even });
  }
}
