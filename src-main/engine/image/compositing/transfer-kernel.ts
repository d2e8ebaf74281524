import { wasm } from 'virtual:kernels/transfer';
import type { Extent } from '#base/geometry.js';
import { gaussianWeights } from '#engine/image/sampling/gauss.js';
import { MOST_PAGES, PAGE_BYTES, WebAssembly, type WasmInstance, type WasmMemory } from '#engine/kernels/web-assembly.js';
import { COEFFICIENTS, leftOf, type Affine, type FittedRows, type Scene, type WindowMaps } from './fitted-rows.js';
import type { MomentReader, Picture, WindowAxis } from './window-axis.js';

// src-kernels/transfer.ts says what each field means, and does the same as the plain loops of windows.ts and fitted-rows.ts.

const PICTURES = 6;
const MOMENTS = 21;
const WINDOW_BYTES = 4 * COEFFICIENTS;
const VECTOR_BYTES = 16;
/** 21 moments and room. */
const BLOCK_BYTES = 96;

let compiled: object | undefined;

/** Memory that is handed out from the front, and the kernel over it. */
class Room {
  readonly memory: WasmMemory;
  readonly exports: WasmInstance['exports'];
  #next = PAGE_BYTES;

  constructor(bytes: number) {
    this.memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE_BYTES) + 2, maximum: MOST_PAGES, shared: true });
    compiled ??= new WebAssembly.Module(wasm);
    this.exports = new WebAssembly.Instance(compiled, { env: { memory: this.memory } }).exports;
  }

  floats(length: number): Float32Array {
    const start = this.#next;
    this.#next += Math.ceil((4 * length) / VECTOR_BYTES) * VECTOR_BYTES;
    return new Float32Array(this.memory.buffer, start, length);
  }

  integers(values: readonly number[]): Int32Array {
    const { buffer, byteOffset } = this.floats(values.length);
    const integers = new Int32Array(buffer, byteOffset, values.length);
    integers.set(values);
    return integers;
  }

  /** `count` rows, each of `strideBytes`. */
  rows(count: number, strideBytes: number): readonly Float32Array[] {
    const all = this.floats((count * strideBytes) / 4);
    return Array.from({ length: count }, (_, i) => all.subarray((i * strideBytes) / 4, ((i + 1) * strideBytes) / 4));
  }
}

function strideOf(length: number): number {
  return Math.ceil((4 * length) / VECTOR_BYTES) * VECTOR_BYTES;
}

/** The moments of all windows: `PlainMoments`, four numbers at a time. */
export class KernelMoments implements MomentReader {
  readonly totals = new Float64Array(MOMENTS);
  readonly #picture: Picture;
  readonly #down: WindowAxis;
  readonly #across: WindowAxis;
  readonly #room: Room;
  readonly #rows: readonly Float32Array[];
  readonly #sums: Float32Array;
  readonly #sumJob: Int32Array;
  readonly #meanJob: Int32Array;
  readonly #meanTotals: Float32Array;
  /** Rows of blocks, from above the picture to below it. */
  readonly #blocks: readonly Float32Array[];

  constructor(picture: Picture, { down, across }: { down: WindowAxis; across: WindowAxis }) {
    const length = across.blocks * across.block;
    const stride = strideOf(length);
    const row = (across.blocks + 2) * BLOCK_BYTES;
    const windows = across.count * (BLOCK_BYTES + 8 * across.width) + 8 * down.width;
    this.#room = new Room((across.block * PICTURES + MOMENTS) * stride + (down.blocks + 3) * row + windows + PAGE_BYTES);
    this.#picture = picture;
    [this.#down, this.#across] = [down, across];
    this.#rows = this.#room.rows(across.block * PICTURES, stride);
    this.#sums = this.#room.floats((MOMENTS * stride) / 4);
    this.#blocks = this.#room.rows(down.blocks + 2, row);
    this.#meanTotals = this.#room.floats(BLOCK_BYTES / 4);
    const last = picture.extent.width - (across.blocks - 1) * across.block;
    this.#sumJob = this.#room.integers([stride / 4, across.block, this.#rows[0]!.byteOffset, this.#sums.byteOffset, stride]);
    this.#meanJob = this.#room.integers([across.blocks, across.block, last, this.#sums.byteOffset, stride, 0, this.#meanTotals.byteOffset]);
    this.#blocks.forEach((target, i) => {
      this.#readBlocks(i - 1, target);
    });
  }

  read(): readonly Float32Array[] {
    const { count, width: reach, first, weights, blocks } = this.#across;
    const down = this.#down;
    const rows = this.#room.integers(new Array<number>(down.width).fill(0));
    const own = this.#room.floats(down.width);
    const mixed = this.#room.floats((blocks + 2) * (BLOCK_BYTES / 4));
    const places = this.#room.integers(
      Array.from({ length: count * reach }, (_, tap) => BLOCK_BYTES * clamped(first[Math.floor(tap / reach)]! + (tap % reach), blocks)),
    );
    const across = this.#room.floats(weights.length);
    across.set(weights);
    const to = this.#room.floats((count * BLOCK_BYTES) / 4);
    const job = this.#room.integers([
      ...[((blocks + 2) * BLOCK_BYTES) / VECTOR_BYTES, down.width, rows.byteOffset, own.byteOffset, mixed.byteOffset],
      ...[count, reach, places.byteOffset, across.byteOffset, to.byteOffset],
    ]);
    const moments = Array.from({ length: MOMENTS }, () => new Float32Array(count * down.count));
    for (let window = 0; window < down.count; window++) {
      own.set(down.weights.subarray(window * down.width, (window + 1) * down.width));
      for (let k = 0; k < down.width; k++) rows[k] = this.#blocks[clamped(down.first[window]! + k, down.blocks)]!.byteOffset;
      this.#room.exports['mixRow']!(job.byteOffset);
      moments.forEach((plane, k) => {
        for (let i = 0, from = k; i < count; i++, from += BLOCK_BYTES / 4) plane[window * count + i] = to[from]!;
      });
    }
    return moments;
  }

  #readBlocks(index: number, target: Float32Array): void {
    const { planes, extent } = this.#picture;
    const { width, height } = extent;
    const { block } = this.#across;
    for (let k = 0; k < block; k++) {
      const y = Math.min(height - 1, Math.max(0, index * block + k));
      planes.forEach((plane, p) => {
        const row = this.#rows[k * PICTURES + p]!;
        row.set(plane.subarray(y * width, (y + 1) * width));
        row.fill(plane[(y + 1) * width - 1]!, width);
      });
    }
    this.#room.exports['sumRows']!(this.#sumJob.byteOffset);
    this.#meanJob[5] = target.byteOffset;
    this.#room.exports['meanRow']!(this.#meanJob.byteOffset);
    const inside = Math.min(height, (index + 1) * block) - Math.max(0, index * block);
    if (index >= 0 && inside > 0) this.totals.forEach((_, k) => (this.totals[k]! += (this.#meanTotals[k]! * inside) / (width * height)));
  }
}

/** What a pair of windows needs while it is solved. */
const SOLVE_BYTES = 33 * VECTOR_BYTES;

/** The regressions of all windows, `[W · 12]`: `LocalFit`, two windows at a time. */
export function solveWindows(moments: readonly Float32Array[], prior: Affine, ridge: number): Float32Array {
  const count = moments[0]!.length;
  const even = count + (count % 2);
  const stride = strideOf(even);
  const room = new Room(MOMENTS * stride + even * WINDOW_BYTES + SOLVE_BYTES + PAGE_BYTES);
  const planes = room.rows(MOMENTS, stride);
  planes.forEach((plane, k) => {
    plane.set(moments[k]!);
  });
  const numbers = room.floats(20);
  new Float64Array(numbers.buffer, numbers.byteOffset, 10).set([...prior.slice(0, 9), ridge]);
  const between = room.floats(SOLVE_BYTES / 4);
  const to = room.floats(even * COEFFICIENTS);
  const job = [count, planes[0]!.byteOffset, stride, numbers.byteOffset, between.byteOffset, to.byteOffset];
  room.exports['solve']!(room.integers(job).byteOffset);
  return to.subarray(0, count * COEFFICIENTS);
}

/** `gaussian`, four samples at a time and in float32 throughout. */
export function blurred(plane: Float32Array, { width, height }: Extent, sigma: number): Float32Array {
  const taps = gaussianWeights(sigma);
  const stride = strideOf(width);
  const padded = width + taps.length + VECTOR_BYTES;
  const room = new Room(8 * plane.length + 4 * (padded + taps.length) + taps.length * stride + PAGE_BYTES);
  const [from, to] = [room.floats(plane.length), room.floats(plane.length)];
  from.set(plane);
  const weights = room.floats(taps.length);
  weights.set(taps);
  const across = room.rows(taps.length, stride);
  const job = [width, height, taps.length, weights.byteOffset, room.floats(padded).byteOffset, across[0]!.byteOffset, stride];
  room.exports['blur']!(room.integers([...job, from.byteOffset, to.byteOffset]).byteOffset);
  // The room goes with this function: what lives on is a copy.
  return to.slice();
}

/** The place of a block among those of a row and one beyond either end. */
function clamped(index: number, blocks: number): number {
  return Math.min(blocks, Math.max(-1, index)) + 1;
}

/** Maps of windows, made twice as fine and spread over a picture: `refined` and `PlainRows`, four numbers at a time. */
export class KernelRows implements FittedRows {
  readonly coefficients: readonly Float32Array[];
  readonly error: Float32Array;
  readonly change: Float32Array;
  readonly #scene: Scene;
  readonly #grid: Extent;
  readonly #pictures: readonly Float32Array[];
  readonly #windows: number;
  readonly #job: Int32Array;
  readonly #down: Float32Array;
  readonly #fit: () => number;

  constructor({ coefficients: given, grid: coarse, prior }: WindowMaps, scene: Scene) {
    const { width } = scene.extent;
    const stride = strideOf(width);
    const grid = { width: 2 * coarse.width - 1, height: 2 * coarse.height - 1 };
    const windows = grid.width * grid.height * COEFFICIENTS;
    const room = new Room(4 * (given.length + windows) + (grid.width + 1) * WINDOW_BYTES + 24 * stride + PAGE_BYTES);
    const from = room.floats(given.length);
    from.set(given);
    const woven = room.floats(windows);
    room.exports['refine']!(room.integers([coarse.width, coarse.height, from.byteOffset, woven.byteOffset]).byteOffset);
    const mixed = room.floats((grid.width + 1) * COEFFICIENTS);
    const [left, part] = [room.integers(new Array<number>(stride / 4).fill(0)), room.floats(stride / 4)];
    const places = leftOf(grid.width, width);
    places.left.forEach((at, x) => (left[x] = at * WINDOW_BYTES));
    part.set(places.part);
    const [pictures, coefficients, misfits] = [room.rows(PICTURES, stride), room.rows(COEFFICIENTS, stride), room.rows(2, stride)];
    const priorAt = room.floats(COEFFICIENTS);
    priorAt.set(prior);
    const at = (rows: readonly Float32Array[]) => rows[0]!.byteOffset;
    this.#job = room.integers([
      ...[width, grid.width, 0, 0, 0, mixed.byteOffset, left.byteOffset, part.byteOffset],
      ...[at(pictures), at(coefficients), stride, priorAt.byteOffset, at(misfits), misfits[1]!.byteOffset],
    ]);
    this.#down = new Float32Array(this.#job.buffer, this.#job.byteOffset, this.#job.length);
    const own = (row: Float32Array) => row.subarray(0, width);
    this.coefficients = coefficients.map(own);
    [this.error, this.change] = misfits.map(own) as [Float32Array, Float32Array];
    this.#pictures = pictures.map(own);
    this.#scene = scene;
    this.#grid = grid;
    this.#windows = woven.byteOffset;
    this.#fit = () => room.exports['fitRow']!(this.#job.byteOffset);
  }

  squaredError(y: number): number {
    return this.read(y);
  }

  read(y: number): number {
    const { extent, x, y: after } = this.#scene;
    const { width, height } = this.#grid;
    const down = (y * (height - 1)) / Math.max(1, extent.height - 1);
    const upper = Math.floor(down);
    this.#job[2] = this.#windows + upper * width * WINDOW_BYTES;
    this.#job[3] = this.#windows + Math.min(height - 1, upper + 1) * width * WINDOW_BYTES;
    this.#down[4] = down - upper;
    [...x, ...after].forEach((plane, k) => {
      this.#pictures[k]!.set(plane.subarray(y * extent.width, (y + 1) * extent.width));
    });
    return this.#fit();
  }
}
