import type { Rect } from '#base/geometry.js';
import type { EditEvent, RunPlan } from '#contract/event.js';

export interface ScaleCell {
  readonly scale: number;
  readonly tokens: number;
  readonly ms: number | undefined;
  readonly preview: { readonly url: string; readonly bitmap: ImageBitmap } | undefined;
}

/** The scales of the run at hand, coarse to fine, as they arrive. */
export class ScaleStrip {
  cells = $state.raw<readonly ScaleCell[]>([]);
  /** The part of the result that the model sees. */
  frame = $state.raw<Rect>();
  /** 1-based; 0 before the first. */
  reached = $state(0);
  /** The cell that the user points at. */
  looked = $state<number>();

  readonly shown: ScaleCell | undefined = $derived(this.cells.find(({ scale }) => scale === (this.looked ?? this.reached)));

  begin(plan: RunPlan): void {
    this.frame = plan.crop;
    this.reached = 0;
    this.looked = undefined;
    this.cells = plan.schedule.map(([rows, columns], k) => ({ scale: k + 1, tokens: rows * columns, ms: undefined, preview: undefined }));
  }

  reach({ scale, ms }: Extract<EditEvent, { type: 'scale' }>): void {
    this.reached = scale;
    this.#change(scale, { ms });
  }

  fill({ scale }: Extract<EditEvent, { type: 'preview' }>, preview: NonNullable<ScaleCell['preview']>): void {
    this.#change(scale, { preview });
  }

  clear(): void {
    this.cells = [];
    this.frame = undefined;
    this.reached = 0;
    this.looked = undefined;
  }

  #change(scale: number, change: Partial<ScaleCell>): void {
    this.cells = this.cells.map((cell) => (cell.scale === scale ? { ...cell, ...change } : cell));
  }
}
