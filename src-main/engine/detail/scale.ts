import type { Extent, Rect } from '#base/geometry.js';
import type { KernelPool } from '#engine/kernels/pool.js';

/** The members of `Scale` in src-kernels/detail.ts, in their order; each has four bytes. */
const MEMBERS = [
  ...['width', 'height', 'planes', 'state', 'boxX', 'boxY', 'boxWidth', 'boxHeight', 'field', 'before', 'distance', 'weight', 'depth'],
  ...['confidence', 'seen', 'guide', 'lead', 'seed', 'pass', 'reach', 'origin', 'sharpness', 'deepest', 'coarser', 'layer'],
  ...['layerLength', 'sources', 'sourceCount', 'choice', 'scratch', 'unknown', 'histogram', 'foreign', 'layout'],
] as const;
export type Member = (typeof MEMBERS)[number];

export const CHANNELS = 5;
/** Half a patch: 5×5. */
export const RADIUS = 2;
export const PATCH_PIXELS = (2 * RADIUS + 1) ** 2;
export const BAND = 32;
export const [HOLE, FORBIDDEN, SOURCE] = [1, 2, 4];
/** Vectors are read a little beyond the last pixel. */
const SPARE = 64;
const FALLOFF = 0.4;
const DEEPEST_PX = 24;
/** Depths are told in thirds of a pixel. */
export const DEPTH_UNIT = 3;

/** One scale of the pyramid in the memory that workers share: the whole window, and fields of the box around its hole. */
export class Scale {
  readonly pool: KernelPool;
  readonly extent: Extent;
  /** The hole and half a patch around it, in pixels of the scale. */
  readonly box: Rect;
  readonly pointer: number;
  readonly #members: Int32Array;

  constructor(pool: KernelPool, extent: Extent, box: Rect) {
    this.pool = pool;
    this.extent = extent;
    this.box = box;
    this.pointer = pool.take(MEMBERS.length * 4);
    this.#members = new Int32Array(pool.memory, this.pointer, MEMBERS.length);
    const pixels = extent.width * extent.height;
    const inBox = box.width * box.height;
    this.set({ width: extent.width, height: extent.height, boxX: box.x, boxY: box.y, boxWidth: box.width, boxHeight: box.height });
    this.set({
      planes: pool.take(pixels * CHANNELS + SPARE),
      state: pool.take(pixels + SPARE),
      field: pool.take(inBox * 4),
      before: pool.take(this.bands * 2 * box.width * 4),
      distance: pool.take(inBox * 4),
      weight: pool.take(inBox * 4),
      depth: pool.take(inBox),
      confidence: pool.take(256 * 4),
      scratch: pool.take(Math.ceil(extent.height / BAND) * 16),
      histogram: pool.take(2 ** 18),
    });
    new Float32Array(pool.memory, this.get('confidence'), 256).forEach((_, depth, table) => {
      table[depth] = Math.exp(-FALLOFF * Math.min(DEEPEST_PX, depth / DEPTH_UNIT));
    });
  }

  /** Bytes that a scale takes, its tables aside. */
  static bytes({ width, height }: Extent, box: Extent): number {
    return width * height * (CHANNELS + 1) + box.width * box.height * 13.25 + TABLE_BYTES;
  }

  get bands(): number {
    return Math.ceil(this.box.height / BAND);
  }

  /** Bands of the whole scale. */
  get rowsOfBands(): number {
    return Math.ceil(this.extent.height / BAND);
  }

  set(members: Partial<Record<Member, number>>): void {
    for (const [name, value] of Object.entries(members)) this.#members[MEMBERS.indexOf(name as Member)] = value;
  }

  get(member: Member): number {
    return this.#members[MEMBERS.indexOf(member)]!;
  }

  /** Five bytes per pixel. */
  get planes(): Uint8Array {
    return new Uint8Array(this.pool.memory, this.get('planes'), this.extent.width * this.extent.height * CHANNELS);
  }

  get state(): Uint8Array {
    return new Uint8Array(this.pool.memory, this.get('state'), this.extent.width * this.extent.height);
  }

  /** Per box pixel. */
  ints(member: 'field' | 'distance' | 'origin'): Int32Array {
    return new Int32Array(this.pool.memory, this.get(member), this.box.width * this.box.height);
  }

  /** What the patch around a pixel of the box is copied from, where that touches the hole. */
  setSource(pixel: number, source: number): void {
    const { box, extent } = this;
    const k = (Math.trunc(pixel / extent.width) - box.y) * box.width + (pixel % extent.width) - box.x;
    const field = this.ints('field');
    if (field[k]! >= 0) field[k] = source;
  }

  /** Memory of the scale's own, as a list of whole numbers. */
  takeInts(member: Member, count: number): Int32Array {
    this.set({ [member]: this.pool.take(count * 4) });
    return new Int32Array(this.pool.memory, this.get(member), count);
  }

  takeBytes(member: Member, count: number): Uint8Array {
    this.set({ [member]: this.pool.take(count) });
    return new Uint8Array(this.pool.memory, this.get(member), count);
  }
}

const TABLE_BYTES = 2 ** 18 + 2 ** 14;
