import { contains, intersect, union, type Extent, type Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import type { BrushTip, MaskHistory, MaskStep, Point } from '#contract/mask.js';
import { paintSegment } from './brush-segment.js';
import { applyStep } from './mask.js';
import { bytesOf, isBlank, isKept, levelsOf, packed, samplesOf, unpack, type Kept, type Samples } from './mask-cell.js';

/** What a step changed is kept in squares of this side, one bit per pixel until edges are soft. */
const CELL_SIDE = 128;
/** Room for some twenty changes of everything on 24 megapixels, or for many hundreds of strokes. */
const MEMORY_BYTES = 64_000_000;

/** By number of the cell: the pixels that stand there on the other side of a step. */
type Cells = Map<number, Kept>;

interface Done {
  readonly step: MaskStep;
  /** Missing where it is too long ago. */
  cells?: Cells;
}

/** More cells than this are looked at in one pass over all pixels. */
const MANY_CELLS = 256;

/** All that another thread needs to work out a step. */
export interface MaskState {
  readonly extent: Extent;
  readonly values: Uint8Array<ArrayBuffer>;
  readonly painted: readonly number[];
  readonly soft: boolean;
}

/** What a step made of a mask, and what stood in its place before. */
export interface StepResult extends MaskState {
  readonly before: Cells;
}

/** Works out one more step. The values are used up. */
export function stepResult(state: MaskState, step: MaskStep): StepResult {
  const pixels = new MaskPixels(state.extent, Infinity, state);
  pixels.add(step);
  return { ...pixels.state, before: pixels.lastCells };
}

/**
 * The pixels of a mask (255 = painted, less in soft edges) beside the steps that made them. What each step painted over is remembered, so that
 * undoing and redoing exchange that and nothing else; what is forgotten is painted again from the first step on.
 */
export class MaskPixels {
  readonly extent: Extent;
  #samples: Samples;
  readonly #memoryBytes: number;
  /** All steps that were taken, in order; those from `#length` on are undone. */
  #done: Done[] = [];
  #length = 0;
  #bytes = 0;
  /** What was painted over since the last step. */
  #open: Cells = new Map();
  /** Beyond these cells nothing is painted. */
  #painted: Set<number>;
  /** Pixels may be painted in part. */
  #soft: boolean;
  /** Rises with every change. */
  #version = 0;
  /** A stroke lost its beginning to an undo. */
  #broken = false;

  constructor(extent: Extent, memoryBytes = MEMORY_BYTES, state?: MaskState) {
    this.extent = extent;
    this.#samples = samplesOf(extent, state?.values);
    this.#painted = new Set(state?.painted);
    this.#soft = state?.soft ?? false;
    this.#memoryBytes = memoryBytes;
  }

  /** 255 = painted, less in soft edges. */
  get values(): Uint8Array<ArrayBuffer> {
    return this.#samples.values;
  }

  /** The same number as long as the pixels are the same. */
  get version(): number {
    return this.#version;
  }

  /** As it is now; the values are not copied. */
  get state(): MaskState {
    return { extent: this.extent, values: this.values, painted: [...this.#painted], soft: this.#soft };
  }

  /** What stood where the last step changed something. */
  get lastCells(): Cells {
    return this.#done[this.#length - 1]?.cells ?? new Map<number, Kept>();
  }

  /** A stroke is being pulled. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  get empty(): boolean {
    for (const cell of this.#painted) {
      if (!isBlank(this.#samples, this.#rectOf(cell))) return false;
      this.#painted.delete(cell);
    }
    return true;
  }

  /** The smallest rectangle that holds all that is painted; undefined where nothing is. */
  get bounds(): Rect | undefined {
    let box: Rect | undefined;
    for (const cell of this.#painted) {
      const rect = this.#rectOf(cell);
      if (box && contains(box, rect)) continue;
      const part = isBlank(this.#samples, rect) ? undefined : paintedBounds(this.values, this.extent, rect);
      if (part) box = box ? union(box, part) : part;
    }
    return box;
  }

  /** A part of a stroke that is still being pulled. Gives what may have changed. */
  paint(from: Point, to: Point, stroke: BrushTip): Rect {
    this.#version += 1;
    this.#soft ||= stroke.hardness !== undefined;
    const box = this.#boxAround([from, to], stroke.radiusPx);
    this.#note(box);
    paintSegment(this.values, this.extent, { from, to, stroke });
    return box;
  }

  /** The step whose parts were painted is finished. */
  commit(step: MaskStep): void {
    if (this.#broken) this.#apply(step);
    this.#keep(step);
  }

  /** One more step. Gives what has changed. */
  add(step: MaskStep): readonly Rect[] {
    this.#apply(step);
    return this.#keep(step);
  }

  /** One more step, which was worked out elsewhere from these pixels. Gives what has changed. */
  take(step: MaskStep, { values, painted, soft, before }: StepResult): readonly Rect[] {
    this.#samples = samplesOf(this.extent, values);
    this.#painted = new Set(painted);
    this.#soft = soft;
    this.#open = before;
    this.#remember(step);
    return [...before.keys()].map((cell) => this.#rectOf(cell));
  }

  /** Goes to where a history stands. Gives what may have changed. */
  show({ steps, length }: MaskHistory): readonly Rect[] {
    const changed = this.#dropOpen();
    const wanted = steps.slice(0, length);
    const common = commonStart(this.#done.slice(0, this.#length), wanted);
    // A whole way back is longer than a new beginning.
    if (this.#length - common > length + 1) changed.push(this.#begin());
    while (this.#length > common) changed.push(...(this.#exchange(this.#length - 1) ?? [this.#begin()]));
    for (const step of wanted.slice(this.#length)) changed.push(...this.#redo(step));
    return changed;
  }

  #begin(): Rect {
    this.#version += 1;
    this.values.fill(0);
    this.#painted.clear();
    this.#soft = false;
    this.#done = [];
    [this.#length, this.#bytes] = [0, 0];
    return { x: 0, y: 0, ...this.extent };
  }

  #redo(step: MaskStep): readonly Rect[] {
    const again = this.#done[this.#length]?.step === step ? this.#exchange(this.#length) : undefined;
    return again ?? this.add(step);
  }

  /** Undoes the step of this number where it is done, or does it again; undefined where it is forgotten. */
  #exchange(index: number): Rect[] | undefined {
    const cells = this.#done[index]?.cells;
    if (!cells) return undefined;
    this.#version += 1;
    this.#length = index < this.#length ? index : index + 1;
    const levels = this.#levelsFor(cells.size);
    return [...cells].map(([cell, kept]) => {
      cells.set(cell, this.#packed(cell, levels));
      this.#unpack(cell, kept);
      return this.#rectOf(cell);
    });
  }

  #apply(step: MaskStep): void {
    this.#soft ||= isSoft(step);
    for (const box of this.#boxesOf(step)) this.#note(box);
    applyStep(this.values, this.extent, step);
  }

  #keep(step: MaskStep): readonly Rect[] {
    const levels = this.#levelsFor(this.#open.size);
    for (const [cell, kept] of this.#open) {
      if (isKept(this.#samples, this.#rectOf(cell), { kept, known: levels?.[cell] })) this.#open.delete(cell);
    }
    levels?.forEach((level, cell) => level === 0 && this.#painted.delete(cell));
    const changed = [...this.#open.keys()].map((cell) => this.#rectOf(cell));
    this.#remember(step);
    return changed;
  }

  #remember(step: MaskStep): void {
    this.#version += 1;
    for (const { cells } of this.#done.splice(this.#length)) this.#bytes -= bytesOfAll(cells);
    this.#done.push({ step, cells: this.#open });
    this.#bytes += bytesOfAll(this.#open);
    this.#length += 1;
    this.#open = new Map();
    this.#broken = false;
    for (let i = 0; this.#bytes > this.#memoryBytes; i++) this.#forget(this.#done[i]!);
  }

  #forget(done: Done): void {
    this.#bytes -= bytesOfAll(done.cells);
    delete done.cells;
  }

  /** What has been painted of an unfinished stroke goes. */
  #dropOpen(): Rect[] {
    const changed = [...this.#open].map(([cell, kept]) => {
      this.#unpack(cell, kept);
      return this.#rectOf(cell);
    });
    this.#broken = this.#open.size > 0;
    this.#open = new Map();
    return changed;
  }

  /** Keeps what stands in a box before it is painted over; where nothing is painted, nothing is looked at. */
  #note({ x, y, width, height }: Rect): void {
    const columns = Math.ceil(this.extent.width / CELL_SIDE);
    const levels = this.#levelsFor(Math.min(this.#painted.size, Math.floor((width * height) / CELL_SIDE ** 2)));
    for (let row = Math.floor(y / CELL_SIDE); row * CELL_SIDE < y + height; row++) {
      for (let column = Math.floor(x / CELL_SIDE); column * CELL_SIDE < x + width; column++) {
        const cell = row * columns + column;
        if (!this.#open.has(cell)) this.#open.set(cell, this.#painted.has(cell) ? this.#packed(cell, levels) : { level: 0 });
        this.#painted.add(cell);
      }
    }
  }

  #rectOf(cell: number): Rect {
    const columns = Math.ceil(this.extent.width / CELL_SIDE);
    const [x, y] = [(cell % columns) * CELL_SIDE, Math.floor(cell / columns) * CELL_SIDE];
    return intersect({ x, y, width: CELL_SIDE, height: CELL_SIDE }, this.extent);
  }

  /** Of all cells, where so many are to be looked at. */
  #levelsFor(cells: number): Int16Array | undefined {
    return cells > MANY_CELLS ? levelsOf(this.#samples, CELL_SIDE) : undefined;
  }

  #packed(cell: number, levels?: Int16Array): Kept {
    return packed(this.#samples, this.#rectOf(cell), { asBits: !this.#soft, known: levels?.[cell] });
  }

  #unpack(cell: number, kept: Kept): void {
    if ('level' in kept && kept.level === 0) this.#painted.delete(cell);
    else this.#painted.add(cell);
    unpack(this.#samples, this.#rectOf(cell), kept);
  }

  /** What a step may change. Of a stroke each part: in a box around all of a ring most stays as it was. */
  #boxesOf(step: MaskStep): readonly Rect[] {
    if (step.kind === 'area') return [this.#boxAround(step.area.points, 0)];
    if (step.kind !== 'stroke') return [{ x: 0, y: 0, ...this.extent }];
    const { points, radiusPx } = step.stroke;
    return points.map((point, i) => this.#boxAround([points[i - 1] ?? point, point], radiusPx));
  }

  #boxAround(points: readonly Point[], radiusPx: number): Rect {
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const { x, y } of points) {
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
    const reach = radiusPx + 1;
    const [x, y] = [Math.floor(left - reach), Math.floor(top - reach)];
    return intersect({ x, y, width: Math.ceil(right + reach) - x, height: Math.ceil(bottom + reach) - y }, this.extent);
  }
}

/** Whether a step leaves more than painted and not painted. */
function isSoft(step: MaskStep): boolean {
  if (step.kind === 'stroke') return step.stroke.hardness !== undefined;
  return (
    step.kind === 'feather' || ((step.kind === 'runs' || step.kind === 'within' || step.kind === 'set') && step.runs.levels !== undefined)
  );
}

function commonStart(done: readonly Done[], steps: readonly MaskStep[]): number {
  const differs = done.findIndex(({ step }, i) => step !== steps[i]);
  return differs < 0 ? done.length : differs;
}

function bytesOfAll(cells: Cells | undefined): number {
  let bytes = 0;
  for (const kept of cells?.values() ?? []) bytes += bytesOf(kept);
  return bytes;
}
