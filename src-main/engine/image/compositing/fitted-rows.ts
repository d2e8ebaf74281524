import type { Extent } from '#base/geometry.js';
import type { Planes } from '#engine/image/colour/colour.js';

// x decoded source · y decoded result, in planes

/** Both pictures, in planes. */
export interface Scene {
  readonly extent: Extent;
  readonly x: Planes;
  readonly y: Planes;
}

/** Rows of a 3×3 matrix, then the offset: y = A x + b. */
export type Affine = readonly number[];
export const COEFFICIENTS = 12;

/** A fit to every window. */
export interface WindowMaps {
  readonly prior: Affine;
  readonly grid: Extent;
  /** Of every window its twelve coefficients, with the prior inside: `[W · 12]`. */
  readonly coefficients: Float32Array;
}

/** What the maps of windows make of a picture, row by row; good until the next row is asked for. */
export interface FittedRows {
  /** Twelve rows of the picture's width. */
  readonly coefficients: readonly Float32Array[];
  /** The largest difference of any channel: of the fit, and of the prior alone. */
  readonly error: Float32Array;
  readonly change: Float32Array;
  read(y: number): void;
  /** Of the fit, summed over the row. */
  squaredError(y: number): number;
}

/** Of every column the window to its left, and how far it lies towards the next one. */
export function leftOf(windows: number, width: number): { readonly left: Int32Array; readonly part: Float32Array } {
  const scale = (windows - 1) / Math.max(1, width - 1);
  return {
    left: Int32Array.from({ length: width }, (_, x) => Math.trunc(x * scale)),
    part: Float32Array.from({ length: width }, (_, x) => x * scale - Math.trunc(x * scale)),
  };
}

/** Windows halfway between others, of four neighbours each (Dyn, Levin and Gregory 1987): straight lines would cut corners. */
export function refined({ prior, grid: { width, height }, coefficients }: WindowMaps): WindowMaps {
  const grid = { width: 2 * width - 1, height: 2 * height - 1 };
  const row = grid.width * COEFFICIENTS;
  const result = new Float32Array(grid.height * row);
  for (let k = 0; k < COEFFICIENTS; k++) {
    for (let y = 0; y < height; y++) {
      const start = 2 * y * row + k;
      for (let x = 0; x < width; x++) result[start + 2 * x * COEFFICIENTS] = coefficients[(y * width + x) * COEFFICIENTS + k]!;
      halve(result, { start, stride: 2 * COEFFICIENTS, count: width });
    }
  }
  for (let x = 0; x < row; x++) halve(result, { start: x, stride: 2 * row, count: height });
  return { prior, grid, coefficients: result };
}

/** Fills what lies between `count` values, each `stride` after the other. */
function halve(values: Float32Array, { start, stride, count }: { start: number; stride: number; count: number }): void {
  const end = start + (count - 1) * stride;
  for (let at = start; at < end; at += stride) {
    const [before, after] = [Math.max(start, at - stride), Math.min(end, at + 2 * stride)];
    values[at + stride / 2] = (9 * (values[at]! + values[at + stride]!) - values[before]! - values[after]!) / 16;
  }
}

/** The plain loop, which the kernel's is compared with. */
export class PlainRows implements FittedRows {
  readonly coefficients: readonly Float32Array[];
  readonly error: Float32Array;
  readonly change: Float32Array;
  readonly #scene: Scene;
  readonly #enlarged: Enlarged;
  readonly #prior: readonly Float32Array[];
  readonly #fitted: Float32Array;

  constructor({ prior, grid, coefficients }: WindowMaps, scene: Scene) {
    const maps = Array.from({ length: COEFFICIENTS }, (_, k) =>
      Float32Array.from({ length: coefficients.length / COEFFICIENTS }, (__, window) => coefficients[window * COEFFICIENTS + k]!),
    );
    const row = () => new Float32Array(scene.extent.width);
    [this.error, this.change, this.#fitted] = [row(), row(), row()];
    this.#scene = scene;
    this.#enlarged = new Enlarged(maps, grid, scene.extent);
    this.coefficients = this.#enlarged.row;
    this.#prior = prior.map((value) => row().fill(value));
  }

  read(y: number): void {
    this.#enlarged.read(y);
    this.error.fill(0);
    this.change.fill(0);
    for (let channel = 0; channel < 3; channel++) {
      this.#keepLargest(this.error, this.coefficients, { y, channel });
      this.#keepLargest(this.change, this.#prior, { y, channel });
    }
  }

  squaredError(y: number): number {
    this.#enlarged.read(y);
    let error = 0;
    for (let channel = 0; channel < 3; channel++) {
      const wanted = this.#apply(this.coefficients, { y, channel });
      for (let i = 0; i < wanted.length; i++) error += (this.#fitted[i]! - wanted[i]!) ** 2;
    }
    return error;
  }

  #keepLargest(largest: Float32Array, affine: readonly Float32Array[], place: Place): void {
    const wanted = this.#apply(affine, place);
    const fitted = this.#fitted;
    for (let i = 0; i < fitted.length; i++) {
      const difference = Math.abs(fitted[i]! - wanted[i]!);
      if (difference > largest[i]!) largest[i] = difference;
    }
  }

  /** Gives what a channel of the row should have become. */
  #apply(affine: readonly Float32Array[], { y, channel }: Place): Float32Array {
    const { x, y: after, extent } = this.#scene;
    const at = y * extent.width;
    applyRow(affine, { x, at, channel }, this.#fitted);
    return after[channel]!.subarray(at, at + extent.width);
  }
}

interface Place {
  readonly y: number;
  readonly channel: number;
}

/** Maps of windows spread over a picture, row by row. */
class Enlarged {
  /** Twelve rows of the picture's width; good until the next is asked for. */
  readonly row: readonly Float32Array[];
  readonly #maps: readonly Float32Array[];
  readonly #grid: Extent;
  readonly #extent: Extent;
  readonly #mixed: Float32Array;
  /** Of every column the window to its left, and how far it lies towards the next one. */
  readonly #left: Int32Array;
  readonly #part: Float32Array;

  constructor(maps: readonly Float32Array[], grid: Extent, extent: Extent) {
    this.#maps = maps;
    this.#grid = grid;
    this.#extent = extent;
    this.row = maps.map(() => new Float32Array(extent.width));
    this.#mixed = new Float32Array(grid.width + 1);
    const scale = (grid.width - 1) / Math.max(1, extent.width - 1);
    this.#left = Int32Array.from({ length: extent.width }, (_, x) => Math.trunc(x * scale));
    this.#part = Float32Array.from({ length: extent.width }, (_, x) => x * scale - Math.trunc(x * scale));
  }

  read(y: number): readonly Float32Array[] {
    const { width, height } = this.#grid;
    const down = (y * (height - 1)) / Math.max(1, this.#extent.height - 1);
    const upper = Math.floor(down);
    const [from, next, part] = [upper * width, Math.min(height - 1, upper + 1) * width, down - upper];
    this.#maps.forEach((map, k) => {
      mixTwo(this.#mixed, { upper: map.subarray(from, from + width), lower: map.subarray(next, next + width), part });
      this.#spread(this.row[k]!);
    });
    return this.row;
  }

  #spread(target: Float32Array): void {
    const [mixed, left, part] = [this.#mixed, this.#left, this.#part];
    for (let x = 0; x < target.length; x++) {
      const at = left[x]!;
      const value = mixed[at]!;
      target[x] = value + part[x]! * (mixed[at + 1]! - value);
    }
  }
}

/** With the last value twice. */
function mixTwo(target: Float32Array, { upper, lower, part }: { upper: Float32Array; lower: Float32Array; part: number }): void {
  const last = upper.length;
  for (let i = 0; i < last; i++) target[i] = upper[i]! + part * (lower[i]! - upper[i]!);
  target[last] = target[last - 1]!;
}

interface RowPlace {
  readonly x: Planes;
  /** The row's first pixel. */
  readonly at: number;
  readonly channel: number;
}

function applyRow(affine: readonly Float32Array[], { x, at, channel }: RowPlace, target: Float32Array): void {
  const [red, green, blue] = x;
  const [fromRed, fromGreen, fromBlue] = affine.slice(channel * 3) as unknown as Planes;
  const offset = affine[9 + channel]!;
  for (let i = 0; i < target.length; i++) {
    target[i] = fromRed[i]! * red[at + i]! + fromGreen[i]! * green[at + i]! + fromBlue[i]! * blue[at + i]! + offset[i]!;
  }
}
