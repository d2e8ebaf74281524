import type { Extent } from '#base/geometry.js';
import { planesOf, type Planes } from '#engine/image/colour/colour.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { KernelMoments } from './transfer-kernel.js';
import { windowAxis, type MomentReader, type Picture, type WindowAxis, type WindowShape } from './window-axis.js';

// x, y two pictures · h, w model size · m blocks along a row · W windows in all

/** Where a moment lies in `Windows.moments`. */
export const MOMENT = { x: 0, y: 3, xx: 6, xy: 12 } as const;
const MOMENTS = 21;
/** Which of the six different products of two channels of x. */
export const XX = [0, 1, 2, 1, 3, 4, 2, 4, 5] as const;

/** Weighted means of two pictures and of their products, in windows that lie on a grid from border to border. */
export interface Windows {
  readonly grid: Extent;
  /** Three of x, three of y, six of x·x, nine of x·y (x slower), each `[W]`. */
  readonly moments: readonly Float32Array[];
  /** The same of the whole picture, `[21]`. */
  readonly totals: Float64Array;
}

/** The windows of two pictures `[1, 3, h, w]`; the border goes on beyond itself. */
export function windowsOf(before: FloatTensor, after: FloatTensor, shape: WindowShape): Windows {
  const [, , height = 0, width = 0] = before.dims;
  const picture = { planes: [...planesOf(before), ...planesOf(after)], extent: { width, height } };
  const axes = { across: windowAxis(width, shape), down: windowAxis(height, shape) };
  // Of small pictures, whose windows lie a pixel apart, to the last bit.
  const reader = axes.across.block > 1 ? new KernelMoments(picture, axes) : new PlainMoments(picture, axes);
  return { grid: { width: axes.across.count, height: axes.down.count }, moments: reader.read(), totals: reader.totals };
}

/** The plain loops, which the kernel's are compared with. */
export class PlainMoments implements MomentReader {
  readonly #rows: readonly (readonly Float32Array[])[];
  readonly #picture: Picture;
  readonly #down: WindowAxis;
  readonly #across: WindowAxis;

  constructor(picture: Picture, { down, across }: { down: WindowAxis; across: WindowAxis }) {
    const reader = new BlockRows(picture, across.block);
    [this.#picture, this.#down, this.#across] = [picture, down, across];
    this.#rows = Array.from({ length: down.blocks + 2 }, (_, i) => reader.read(i - 1)); // above, inside, below
  }

  get totals(): Float64Array {
    return totalsOf(this.#rows, this.#picture.extent, this.#across.block);
  }

  read(): readonly Float32Array[] {
    const { count } = this.#across;
    const moments = Array.from({ length: MOMENTS }, () => new Float32Array(count * this.#down.count));
    const mixed = new Float32Array(this.#across.blocks + 2);
    for (let y = 0; y < this.#down.count; y++) {
      moments.forEach((plane, k) => {
        mixBlockRows(this.#rows, { axis: this.#down, window: y, moment: k }, mixed);
        mixBlocks(mixed, this.#across, plane.subarray(y * count, (y + 1) * count));
      });
    }
    return moments;
  }
}

/** Both pictures and their products, averaged over blocks; in each of 21 rows `[m]`. */
class BlockRows {
  readonly #picture: Picture;
  readonly #block: number;
  readonly #row: readonly Float32Array[];
  readonly #sums: readonly Float32Array[];

  constructor(picture: Picture, block: number) {
    this.#picture = picture;
    this.#block = block;
    const row = () => new Float32Array(Math.ceil(picture.extent.width / block) * block);
    this.#row = picture.planes.map(row);
    this.#sums = Array.from({ length: MOMENTS }, row);
  }

  /** Row `index` of blocks; beyond the picture lie its outermost samples. */
  read(index: number): readonly Float32Array[] {
    const { height } = this.#picture.extent;
    for (const sums of this.#sums) sums.fill(0);
    for (let k = 0; k < this.#block; k++) this.#add(Math.min(height - 1, Math.max(0, index * this.#block + k)));
    return this.#sums.map((sums) => blockMeans(sums, this.#block));
  }

  #add(y: number): void {
    const { planes, extent } = this.#picture;
    planes.forEach((plane, k) => {
      const row = this.#row[k]!;
      row.set(plane.subarray(y * extent.width, (y + 1) * extent.width));
      row.fill(plane[(y + 1) * extent.width - 1]!, extent.width);
      addRow(row, this.#sums[k]!);
    });
    const [x, after] = [this.#row.slice(0, 3), this.#row.slice(MOMENT.y)];
    const [red, green, blue] = x as unknown as Planes;
    addProducts(red, x, this.#sums.slice(MOMENT.xx));
    addProducts(green, [green, blue], this.#sums.slice(MOMENT.xx + 3));
    addProducts(blue, [blue], this.#sums.slice(MOMENT.xx + 5));
    x.forEach((plane, a) => {
      addProducts(plane, after, this.#sums.slice(MOMENT.xy + a * 3));
    });
  }
}

function addRow(row: Float32Array, sums: Float32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += row[i]!;
}

/** Three at a time where there are three: reading is dearer than multiplying. */
function addProducts(a: Float32Array, others: readonly Float32Array[], sums: readonly Float32Array[]): void {
  const [b, c, d] = others;
  const [ab, ac, ad] = sums;
  if (!d)
    others.forEach((other, k) => {
      addProduct(a, other, sums[k]!);
    });
  else {
    for (let i = 0; i < a.length; i++) {
      const value = a[i]!;
      ab![i]! += value * b![i]!;
      ac![i]! += value * c![i]!;
      ad![i]! += value * d[i]!;
    }
  }
}

function addProduct(a: Float32Array, b: Float32Array, sums: Float32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i]! += a[i]! * b[i]!;
}

/** Of sums of `block` rows, with a block of the outermost samples at both ends. */
function blockMeans(sums: Float32Array, block: number): Float32Array {
  const result = new Float32Array(sums.length / block + 2);
  result[0] = sums[0]! / block;
  result[result.length - 1] = sums.at(-1)! / block;
  for (let i = 1, at = 0; i < result.length - 1; i++) {
    let total = 0;
    for (const end = at + block; at < end; at++) total += sums[at]!;
    result[i] = total / (block * block);
  }
  return result;
}

interface BlockMixture {
  readonly axis: WindowAxis;
  readonly window: number;
  readonly moment: number;
}

function mixBlockRows(rows: readonly (readonly Float32Array[])[], { axis, window, moment }: BlockMixture, target: Float32Array): void {
  const { width, first, weights, blocks } = axis;
  target.fill(0);
  for (let k = 0; k < width; k++) {
    const weight = weights[window * width + k]!;
    if (weight === 0) continue;
    const row = rows[Math.min(blocks, Math.max(-1, first[window]! + k)) + 1]![moment]!;
    for (let x = 0; x < target.length; x++) target[x]! += weight * row[x]!;
  }
}

function mixBlocks(row: Float32Array, { width, first, weights }: WindowAxis, target: Float32Array): void {
  const last = row.length - 1;
  for (let i = 0, tap = 0; i < target.length; i++) {
    const start = first[i]! + 1;
    let total = 0;
    for (let k = 0; k < width; k++, tap++) total += weights[tap]! * row[Math.min(last, Math.max(0, start + k))]!;
    target[i] = total;
  }
}

/** A block that reaches beyond the picture counts as much as lies inside. */
function totalsOf(rows: readonly (readonly Float32Array[])[], { width, height }: Extent, block: number): Float64Array {
  const totals = new Float64Array(MOMENTS);
  const inside = (index: number, length: number) => Math.min(length, (index + 1) * block) - index * block;
  rows.slice(1, -1).forEach((row, y) => {
    const share = inside(y, height) / (width * height);
    row.forEach((values, k) => {
      let total = 0;
      for (let x = 1; x < values.length - 1; x++) total += values[x]! * inside(x - 1, width);
      totals[k]! += total * share;
    });
  });
  return totals;
}
