import { contains, intersect, sampleCount, union, type Extent, type Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import type { BrushTip, MaskHistory, MaskStep, Point } from '#contract/mask.js';
import { applyStep, isEmpty, paintSegment } from './mask.js';

/** What a step changed is kept in squares of this side, one bit per pixel until edges are soft. */
const CELL_SIDE = 128;
/** Room for some twenty changes of everything on 24 megapixels, or for many hundreds of strokes. */
const MEMORY_BYTES = 64_000_000;

/** Pixels of a cell: as bits, or as they are. */
interface Kept {
  readonly asBits: boolean;
  readonly bytes: Uint8Array;
}

/** By number of the cell: the pixels that stand there on the other side of a step. */
type Cells = Map<number, Kept>;

interface Done {
  readonly step: MaskStep;
  /** Missing where it is too long ago. */
  cells?: Cells;
}

/**
 * The pixels of a mask (255 = painted, less in soft edges) beside the steps that made them. What each step painted over is remembered, so that
 * undoing and redoing exchange that and nothing else; what is forgotten is painted again from the first step on.
 */
export class MaskPixels {
  readonly extent: Extent;
  readonly values: Uint8Array;
  readonly #memoryBytes: number;
  /** All steps that were taken, in order; those from `#length` on are undone. */
  #done: Done[] = [];
  #length = 0;
  #bytes = 0;
  /** What was painted over since the last step. */
  #open: Cells = new Map();
  /** Beyond these cells nothing is painted. */
  readonly #painted = new Set<number>();
  /** Pixels may be painted in part. */
  #soft = false;
  /** A stroke lost its beginning to an undo. */
  #broken = false;

  constructor(extent: Extent, memoryBytes = MEMORY_BYTES) {
    this.extent = extent;
    this.values = new Uint8Array(sampleCount(extent));
    this.#memoryBytes = memoryBytes;
  }

  get empty(): boolean {
    for (const cell of this.#painted) {
      if (!isEmpty(this.#packed(cell).bytes)) return false;
      this.#painted.delete(cell);
    }
    return true;
  }

  /** The smallest rectangle that holds all that is painted; undefined where nothing is. */
  get bounds(): Rect | undefined {
    let box: Rect | undefined;
    for (const cell of this.#painted) {
      const rect = this.#rectOf(cell);
      const part = box && contains(box, rect) ? undefined : paintedBounds(this.values, this.extent, rect);
      if (part) box = box ? union(box, part) : part;
    }
    return box;
  }

  /** A part of a stroke that is still being pulled. Gives what may have changed. */
  paint(from: Point, to: Point, stroke: BrushTip): Rect {
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

  /** One more step. Gives what may have changed. */
  add(step: MaskStep): Rect {
    const box = this.#apply(step);
    this.#keep(step);
    return box;
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
    this.values.fill(0);
    this.#painted.clear();
    this.#soft = false;
    this.#done = [];
    [this.#length, this.#bytes] = [0, 0];
    return { x: 0, y: 0, ...this.extent };
  }

  #redo(step: MaskStep): readonly Rect[] {
    const again = this.#done[this.#length]?.step === step ? this.#exchange(this.#length) : undefined;
    return again ?? [this.add(step)];
  }

  /** Undoes the step of this number where it is done, or does it again; undefined where it is forgotten. */
  #exchange(index: number): Rect[] | undefined {
    const cells = this.#done[index]?.cells;
    if (!cells) return undefined;
    this.#length = index < this.#length ? index : index + 1;
    return [...cells].map(([cell, kept]) => {
      cells.set(cell, this.#packed(cell));
      this.#unpack(cell, kept);
      return this.#rectOf(cell);
    });
  }

  #apply(step: MaskStep): Rect {
    this.#soft ||= isSoft(step);
    const box = this.#boxOf(step);
    this.#note(box);
    applyStep(this.values, this.extent, step);
    return box;
  }

  #keep(step: MaskStep): void {
    for (const { cells } of this.#done.splice(this.#length)) this.#bytes -= bytesOf(cells);
    for (const [cell, kept] of this.#open) if (isSame(kept, this.#packed(cell))) this.#open.delete(cell);
    this.#done.push({ step, cells: this.#open });
    this.#bytes += bytesOf(this.#open);
    this.#length += 1;
    this.#open = new Map();
    this.#broken = false;
    for (let i = 0; this.#bytes > this.#memoryBytes; i++) this.#forget(this.#done[i]!);
  }

  #forget(done: Done): void {
    this.#bytes -= bytesOf(done.cells);
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

  /** Keeps what stands in a box before it is painted over. */
  #note({ x, y, width, height }: Rect): void {
    const columns = Math.ceil(this.extent.width / CELL_SIDE);
    for (let row = Math.floor(y / CELL_SIDE); row * CELL_SIDE < y + height; row++) {
      for (let column = Math.floor(x / CELL_SIDE); column * CELL_SIDE < x + width; column++) {
        const cell = row * columns + column;
        if (!this.#open.has(cell)) this.#open.set(cell, this.#packed(cell));
        this.#painted.add(cell);
      }
    }
  }

  #rectOf(cell: number): Rect {
    const columns = Math.ceil(this.extent.width / CELL_SIDE);
    const [x, y] = [(cell % columns) * CELL_SIDE, Math.floor(cell / columns) * CELL_SIDE];
    return intersect({ x, y, width: CELL_SIDE, height: CELL_SIDE }, this.extent);
  }

  #packed(cell: number): Kept {
    const { x, y, width, height } = this.#rectOf(cell);
    const asBits = !this.#soft;
    const rowBytes = asBits ? Math.ceil(width / 8) : width;
    const bytes = new Uint8Array(rowBytes * height);
    for (let row = 0, at = 0; row < height; row++, at += rowBytes) {
      const start = (y + row) * this.extent.width + x;
      if (asBits) for (let i = 0; i < width; i += 8) bytes[at + (i >> 3)] = byteOf(this.values, start + i, Math.min(8, width - i));
      else bytes.set(this.values.subarray(start, start + width), at);
    }
    return { asBits, bytes };
  }

  #unpack(cell: number, { asBits, bytes }: Kept): void {
    if (isEmpty(bytes)) this.#painted.delete(cell);
    else this.#painted.add(cell);
    const { x, y, width, height } = this.#rectOf(cell);
    const rowBytes = asBits ? Math.ceil(width / 8) : width;
    for (let row = 0, at = 0; row < height; row++, at += rowBytes) {
      const start = (y + row) * this.extent.width + x;
      if (asBits)
        for (let i = 0; i < width; i += 8) setByte(this.values, start + i, { bits: bytes[at + (i >> 3)]!, count: Math.min(8, width - i) });
      else this.values.set(bytes.subarray(at, at + width), start);
    }
  }

  #boxOf(step: MaskStep): Rect {
    if (step.kind === 'stroke') return this.#boxAround(step.stroke.points, step.stroke.radiusPx);
    if (step.kind === 'area') return this.#boxAround(step.area.points, 0);
    return { x: 0, y: 0, ...this.extent };
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

/** Up to eight pixels as bits. Eight are written out: an undo has millions of them before the next frame. */
function byteOf(v: Uint8Array, i: number, count: number): number {
  if (count < 8) return bitsOf(v, i, count);
  return (
    (v[i]! & 1) | (v[i + 1]! & 2) | (v[i + 2]! & 4) | (v[i + 3]! & 8) |
    (v[i + 4]! & 16) | (v[i + 5]! & 32) | (v[i + 6]! & 64) | (v[i + 7]! & 128)
  ); // prettier-ignore
}

function bitsOf(values: Uint8Array, at: number, count: number): number {
  let bits = 0;
  for (let i = 0; i < count; i++) bits |= values[at + i]! & (1 << i);
  return bits;
}

function setByte(values: Uint8Array, at: number, { bits, count }: { readonly bits: number; readonly count: number }): void {
  for (let i = 0; i < count; i++) values[at + i] = bits & (1 << i) ? 255 : 0;
}

function isSame(a: Kept, b: Kept): boolean {
  return a.asBits === b.asBits && a.bytes.every((byte, i) => byte === b.bytes[i]);
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

function bytesOf(cells: Cells | undefined): number {
  let bytes = 0;
  for (const kept of cells?.values() ?? []) bytes += kept.bytes.length;
  return bytes;
}
