import type { Extent } from '#base/geometry.js';
import type { MaskHistory, MaskStep, Point, Stroke } from '#contract/mask.js';
import { applyStep, isEmpty, paintSegment, rasterise } from '#document/mask.js';
import { encodeGreyPng } from './mask-png.js';

/** Two hues, because no single one is seen on every photograph. */
export const MASK_TINTS = ['red', 'teal'] as const;
export type MaskTint = (typeof MASK_TINTS)[number];

/** Half transparent, as canvas pixels. */
const TINT_COLOURS: Readonly<Record<MaskTint, readonly [number, number, number, number]>> = {
  red: [232, 38, 64, 128],
  teal: [0, 190, 190, 128],
};

interface Box {
  readonly low: Point;
  readonly high: Point;
}

/** The mask's pixels and the picture of them, kept in step stroke by stroke. */
export class MaskLayer {
  readonly extent: Extent;
  readonly overlay: HTMLCanvasElement;
  #values: Uint8Array;
  #tint: MaskTint = 'red';

  constructor(extent: Extent) {
    this.extent = extent;
    this.#values = new Uint8Array(extent.width * extent.height);
    this.overlay = document.createElement('canvas');
    this.overlay.width = extent.width;
    this.overlay.height = extent.height;
  }

  get empty(): boolean {
    return isEmpty(this.#values);
  }

  tint(tint: MaskTint): void {
    if (tint === this.#tint) return;
    this.#tint = tint;
    this.#redraw(this.#everything);
  }

  show(history: MaskHistory): void {
    this.#values = rasterise(history, this.extent);
    this.#redraw(this.#everything);
  }

  /** One more step onto the pixels of all steps before it. */
  apply(step: MaskStep): void {
    applyStep(this.#values, this.extent, step);
    this.#redraw(this.#everything);
  }

  paint(from: Point, to: Point, stroke: Pick<Stroke, 'radiusPx' | 'erase'>): void {
    paintSegment(this.#values, this.extent, { from, to, stroke });
    const reach = stroke.radiusPx + 1;
    this.#redraw({
      low: { x: Math.min(from.x, to.x) - reach, y: Math.min(from.y, to.y) - reach },
      high: { x: Math.max(from.x, to.x) + reach, y: Math.max(from.y, to.y) + reach },
    });
  }

  /** White where painted, as the contract wants it. */
  toPng(): Promise<Blob> {
    return encodeGreyPng(this.#values, this.extent);
  }

  get #everything(): Box {
    return { low: { x: 0, y: 0 }, high: { x: this.extent.width, y: this.extent.height } };
  }

  #redraw({ low, high }: Box): void {
    const x = Math.max(0, Math.floor(low.x));
    const y = Math.max(0, Math.floor(low.y));
    const width = Math.min(this.extent.width, Math.ceil(high.x)) - x;
    const height = Math.min(this.extent.height, Math.ceil(high.y)) - y;
    if (width <= 0 || height <= 0) return;
    const context = this.overlay.getContext('2d');
    if (!context) return;
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const colour = packed(TINT_COLOURS[this.#tint]);
    for (let row = 0; row < height; row++) {
      const start = (y + row) * this.extent.width + x;
      for (let column = 0; column < width; column++) if (this.#values[start + column]! > 0) pixels[row * width + column] = colour;
    }
    context.putImageData(image, x, y);
  }
}

/** Four bytes in memory order as one word, whatever the machine's byte order. */
function packed(colour: readonly [number, number, number, number]): number {
  return new Uint32Array(Uint8Array.from(colour).buffer)[0]!;
}
