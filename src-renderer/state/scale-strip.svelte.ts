import type { Extent, Grid, Rect } from '#base/geometry.js';
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

/** A scale behind the model's last, written with the photograph's own pixels. */
export interface DetailCell {
  /** 1-based. */
  readonly scale: number;
  /** Longer side of the whole picture at this scale, in pixels; undefined until it is there. */
  readonly side: number | undefined;
  readonly ms: number | undefined;
  readonly preview: ScalePreview | undefined;
  /** What the preview shows, in result pixels. */
  readonly region: Rect | undefined;
}

/** A preview and where it lies, in result pixels. */
export interface PlacedPreview {
  readonly bitmap: ImageBitmap;
  readonly frame: Rect;
}

export interface StripContents {
  readonly cells: readonly ScaleCell[];
  /** None until the first of them has arrived. */
  readonly details: readonly DetailCell[];
  /** The part of the result that the model sees, in result pixels. */
  readonly frame: Rect | undefined;
  /** 1-based; 0 before the first. */
  readonly reached: number;
  /** Of the whole result. */
  readonly size: Extent | undefined;
  /** Which of several parts of the picture is shown; absent where there is one. */
  readonly part?: Pick<PartPlace, 'index' | 'of'> | undefined;
}

type Previewed = Pick<ScaleCell, 'preview'>;
type Placed<Type> = Extract<EditEvent, { type: Type }>;

const NOTHING: StripContents = { cells: [], details: [], frame: undefined, reached: 0, size: undefined };

/** The scales of the run at hand, coarse to fine, as they arrive; before the first run, their empty places. */
export class ScaleStrip {
  contents = $state.raw<StripContents>(NOTHING);
  /** The place that the user points at, 1-based: the model's scales, and behind them the detail scales. */
  looked = $state<number>();

  readonly cells = $derived(this.contents.cells);
  readonly frame = $derived(this.contents.frame);
  readonly reached = $derived(this.contents.reached);
  readonly details = $derived(this.contents.details);
  /** The last detail scale that has arrived, 1-based; 0 before the first. */
  readonly detailReached = $derived(this.details.findLast(({ side }) => side !== undefined)?.scale ?? 0);
  /** How many scales the strip shows, and how many of them have arrived. */
  readonly count = $derived(this.cells.length + this.details.length);
  readonly done = $derived(this.reached + this.detailReached);
  readonly part = $derived(this.contents.part);
  /** Scales of all parts of the picture, and how many of them are done. */
  readonly steps = $derived(this.count * (this.part?.of ?? 1));
  readonly stepsDone = $derived(this.count * ((this.part?.index ?? 1) - 1) + this.done);
  /** Every place in order, as far as it can be seen. */
  readonly #seen: readonly (PlacedPreview | undefined)[] = $derived([
    ...this.cells.map(({ preview }) => placed(preview, this.frame)),
    ...this.details.map(({ preview, region }) => placed(preview, region)),
  ]);
  /** What the user points at. */
  readonly looking: PlacedPreview | undefined = $derived(this.looked === undefined ? undefined : this.#seen[this.looked - 1]);
  /** The finest picture that has arrived. */
  readonly latest: PlacedPreview | undefined = $derived(this.#seen.findLast((preview) => preview !== undefined));

  /** Forgets all previews and shows as many places as there will be. */
  empty(schedule: readonly Grid[]): void {
    this.release();
    this.contents = { ...NOTHING, cells: emptyCells(schedule) };
  }

  /** Makes room for a run; what is to be seen until now stays alive with the caller. */
  begin(plan: RunPlan): void {
    this.looked = undefined;
    const of = plan.regions?.length ?? 1;
    const part = of > 1 && { part: { index: 1, of } };
    this.contents = { ...NOTHING, cells: emptyCells(plan.schedule), frame: plan.crop, size: plan.size, ...part };
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

  reachDetail({ scale, of, size, region, ms, part }: Placed<'detail'>, preview: ScalePreview | undefined): void {
    if (part && part.index !== this.part?.index) this.#turnTo(part);
    const { details, size: whole } = this.contents;
    const cells = details.length === of ? details : emptyDetails(of);
    const longer = whole ? Math.max(whole.width, whole.height) : Math.max(region.width, region.height);
    const side = Math.round((longer * Math.max(size.width, size.height)) / Math.max(region.width, region.height));
    const reached = { scale, side, ms, preview, region };
    releasePreviews({ cells: cells.filter((cell) => cell.scale === scale), details: [] });
    this.contents = { ...this.contents, details: cells.map((cell) => (cell.scale === scale ? reached : cell)) };
  }

  /** The next part of the picture takes the place of the last one. */
  #turnTo({ index, of, crop }: PartPlace): void {
    const schedule = this.cells.map(({ grid }) => grid);
    const { size } = this.contents;
    this.release();
    this.contents = { ...NOTHING, cells: emptyCells(schedule), frame: crop, size, part: { index, of } };
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

export function releasePreviews({ cells, details }: { cells: readonly Previewed[]; details: readonly Previewed[] }): void {
  for (const { preview } of [...cells, ...details]) {
    if (!preview) continue;
    preview.bitmap.close();
    URL.revokeObjectURL(preview.url);
  }
}

function emptyCells(schedule: readonly Grid[]): readonly ScaleCell[] {
  return schedule.map((grid, k) => ({ scale: k + 1, grid, ms: undefined, preview: undefined }));
}

function emptyDetails(count: number): readonly DetailCell[] {
  const empty = { side: undefined, ms: undefined, preview: undefined, region: undefined };
  return Array.from({ length: count }, (_, k) => ({ scale: k + 1, ...empty }));
}

function placed(preview: ScalePreview | undefined, frame: Rect | undefined): PlacedPreview | undefined {
  return preview && frame && { bitmap: preview.bitmap, frame };
}
