import type { Grid, Rect } from '#base/geometry.js';
import type { EditEvent, PartPlace, RunPlan } from '#contract/event.js';

export interface ScalePreview {
  /** For the strip: an object URL. */
  readonly url: string;
  /** For the canvas. */
  readonly bitmap: ImageBitmap;
}

export interface ScaleCell {
  /** 1-based. */
  readonly scale: number;
  readonly grid: Grid;
  readonly ms: number | undefined;
  readonly preview: ScalePreview | undefined;
}

export interface StripContents {
  readonly cells: readonly ScaleCell[];
  /** The part of the result that the model sees, in result pixels. */
  readonly frame: Rect | undefined;
  /** 1-based; 0 before the first. */
  readonly reached: number;
  /** Which of several parts of the picture is shown; absent where there is one. */
  readonly part?: Pick<PartPlace, 'index' | 'of'> | undefined;
}

type Placed<Type> = Extract<EditEvent, { type: Type }>;

const NOTHING: StripContents = { cells: [], frame: undefined, reached: 0 };

/** The scales of the run at hand, coarse to fine, as they arrive; before the first run, their empty places. */
export class ScaleStrip {
  contents = $state.raw<StripContents>(NOTHING);
  /** The cell that the user points at. */
  looked = $state<number>();

  readonly cells = $derived(this.contents.cells);
  readonly frame = $derived(this.contents.frame);
  readonly reached = $derived(this.contents.reached);
  readonly part = $derived(this.contents.part);
  /** Scales of all parts of the picture, and how many of them are done. */
  readonly steps = $derived(this.cells.length * (this.part?.of ?? 1));
  readonly stepsDone = $derived(this.cells.length * ((this.part?.index ?? 1) - 1) + this.reached);
  readonly looking: ScaleCell | undefined = $derived(this.cells.find(({ scale }) => scale === this.looked));
  /** The finest picture that has arrived. */
  readonly latest: ScaleCell | undefined = $derived(this.cells.findLast(({ preview }) => preview !== undefined));

  /** Forgets all previews and shows as many places as there will be. */
  empty(schedule: readonly Grid[]): void {
    this.release();
    this.contents = { ...NOTHING, cells: emptyCells(schedule) };
  }

  /** Makes room for a run; what is to be seen until now stays alive with the caller. */
  begin(plan: RunPlan): void {
    this.looked = undefined;
    const of = plan.regions?.length ?? 1;
    this.contents = { cells: emptyCells(plan.schedule), frame: plan.crop, reached: 0, ...(of > 1 && { part: { index: 1, of } }) };
  }

  restore(contents: StripContents): void {
    this.release();
    this.contents = contents;
  }

  reach({ scale, ms, part }: Placed<'scale'>): void {
    if (part && part.index !== this.part?.index) this.#turnTo(part);
    this.contents = { ...this.contents, reached: scale, cells: this.#with(scale, { ms }) };
  }

  fill({ scale }: Pick<Placed<'preview'>, 'scale'>, preview: ScalePreview): void {
    this.contents = { ...this.contents, cells: this.#with(scale, { preview }) };
  }

  /** The next part of the picture takes the place of the last one. */
  #turnTo({ index, of, crop }: PartPlace): void {
    const schedule = this.cells.map(({ grid }) => grid);
    this.release();
    this.contents = { cells: emptyCells(schedule), frame: crop, reached: 0, part: { index, of } };
  }

  /** Gives back the memory of all previews that are shown. */
  release(): void {
    this.looked = undefined;
    releasePreviews(this.contents);
  }

  #with(scale: number, change: Partial<ScaleCell>): readonly ScaleCell[] {
    return this.cells.map((cell) => (cell.scale === scale ? { ...cell, ...change } : cell));
  }
}

export function releasePreviews({ cells }: StripContents): void {
  for (const { preview } of cells) {
    if (!preview) continue;
    preview.bitmap.close();
    URL.revokeObjectURL(preview.url);
  }
}

function emptyCells(schedule: readonly Grid[]): readonly ScaleCell[] {
  return schedule.map((grid, k) => ({ scale: k + 1, grid, ms: undefined, preview: undefined }));
}
