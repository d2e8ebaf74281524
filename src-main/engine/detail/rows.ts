import type { Rect } from '#base/geometry.js';
import type { ColourSpace, Planes } from '#engine/image/colour/colour.js';
import { clampRow, type NativeRows } from '#engine/image/compositing/composite-rows.js';
import { fullScale } from '#engine/image/files/photo.js';
import { FrameSampler } from '#engine/image/sampling/resample.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { CORRECTION_UNIT, type Copied } from './melt.js';

/** Pixels copied from the photo in its own samples, and what the melt adds to them. */
export class CopiedRows implements NativeRows {
  readonly #copied: Copied;
  readonly #corrections: Int16Array;

  constructor(copied: Copied, corrections: Int16Array) {
    this.#copied = copied;
    this.#corrections = corrections;
  }

  write(planes: Planes, { x, y }: { readonly x: number; readonly y: number }): void {
    const { box, origin, scene } = this.#copied;
    const { samples, channels } = scene.photo;
    const unit = 1 / fullScale(samples);
    const v = y - box.y;
    if (v < 0 || v >= box.height) return;
    const end = Math.min(planes[0].length, box.x + box.width - x);
    for (let i = Math.max(0, box.x - x); i < end; i++) {
      const k = v * box.width + x + i - box.x;
      const from = origin[k]!;
      if (from < 0) continue;
      for (let c = 0; c < 3; c++) {
        const value = samples[from * channels + (channels > 2 ? c : 0)]! * unit + this.#corrections[k * 3 + c]! * CORRECTION_UNIT;
        planes[c]![i] = Math.min(1, Math.max(0, value));
      }
    }
  }
}

/** A scale's picture enlarged: where a run stopped. */
export class EnlargedRows implements NativeRows {
  readonly #box: Rect;
  readonly #space: ColourSpace;
  readonly #sampler: FrameSampler;
  readonly #row: Planes;

  /** `picture` is `[1, 3, h, w]` sRGB over `frame`; `box` is where it is wanted; both in photo pixels. */
  constructor(picture: FloatTensor, { frame, box, space }: { readonly frame: Rect; readonly box: Rect; readonly space: ColourSpace }) {
    this.#box = box;
    this.#space = space;
    this.#sampler = new FrameSampler(picture, { frame, region: box, kernel: 'cubic' });
    const plane = () => new Float32Array(box.width);
    this.#row = [plane(), plane(), plane()];
  }

  write(planes: Planes, { x, y }: { readonly x: number; readonly y: number }): void {
    const box = this.#box;
    if (y < box.y || y >= box.y + box.height) return;
    this.#sampler.readAll(y - box.y, this.#row);
    this.#row.forEach(clampRow);
    this.#space.fromSrgb(this.#row);
    const [from, to] = [Math.max(x, box.x), Math.min(x + planes[0].length, box.x + box.width)];
    planes.forEach((plane, c) => {
      plane.set(this.#row[c]!.subarray(from - box.x, to - box.x), from - x);
    });
  }
}

/** Where the photograph has nothing like what the model drew, the model's pixels stay: `kept` is `[h, w]` in 0..1 over `frame`. */
export class MixedRows implements NativeRows {
  readonly #rows: NativeRows;
  readonly #frame: Rect;
  readonly #kept: FloatTensor;

  constructor(rows: NativeRows, kept: FloatTensor, frame: Rect) {
    this.#rows = rows;
    this.#kept = kept;
    this.#frame = frame;
  }

  write(planes: Planes, { x, y }: { readonly x: number; readonly y: number }): void {
    const [region, own] = [{ x, y, width: planes[0].length, height: 1 }, planes.map((plane) => plane.slice())];
    this.#rows.write(planes, { x, y });
    const kept = new Float32Array(region.width);
    new FrameSampler(this.#kept, { frame: this.#frame, region, kernel: 'linear' }).read(0, 0, kept);
    planes.forEach((plane, c) => {
      for (let i = 0; i < plane.length; i++) plane[i]! += kept[i]! * (own[c]![i]! - plane[i]!);
    });
  }
}

/** `[1, 3, h, w]` sRGB of five-byte pixels. */
export function pictureOf(planes: Uint8Array, { width, height, step }: { width: number; height: number; step: number }): FloatTensor {
  const [columns, rows] = [Math.floor((width - 1) / step) + 1, Math.floor((height - 1) / step) + 1];
  const picture = floats([1, 3, rows, columns]);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      for (let c = 0; c < 3; c++) picture.data[(c * rows + y) * columns + x] = planes[(y * step * width + x * step) * 5 + c]! / 255;
    }
  }
  return picture;
}
