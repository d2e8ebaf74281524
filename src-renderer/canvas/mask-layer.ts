import type { Extent } from '#base/geometry.js';
import { isEmpty, paintSegment, rasterise, type MaskHistory, type Point, type Stroke } from '#document/mask.js';

/** The mask's pixels and the picture of them, kept in step stroke by stroke. */
export class MaskLayer {
  readonly extent: Extent;
  readonly overlay: HTMLCanvasElement;
  #values: Uint8Array;

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

  show(history: MaskHistory): void {
    this.#values = rasterise(history, this.extent);
    this.#redraw({ x: 0, y: 0 }, { x: this.extent.width, y: this.extent.height });
  }

  paint(from: Point, to: Point, stroke: Pick<Stroke, 'radiusPx' | 'erase'>): void {
    paintSegment(this.#values, this.extent, { from, to, stroke });
    const reach = stroke.radiusPx + 1;
    const low = { x: Math.min(from.x, to.x) - reach, y: Math.min(from.y, to.y) - reach };
    this.#redraw(low, { x: Math.max(from.x, to.x) + reach, y: Math.max(from.y, to.y) + reach });
  }

  /** White where painted, as the contract wants it. */
  async toPng(): Promise<Blob> {
    const canvas = new OffscreenCanvas(this.extent.width, this.extent.height);
    const image = new ImageData(this.extent.width, this.extent.height);
    this.#values.forEach((value, i) => {
      image.data.set([value, value, value, 255], i * 4);
    });
    canvas.getContext('2d')?.putImageData(image, 0, 0);
    return canvas.convertToBlob({ type: 'image/png' });
  }

  #redraw(low: Point, high: Point): void {
    const x = Math.max(0, Math.floor(low.x));
    const y = Math.max(0, Math.floor(low.y));
    const width = Math.min(this.extent.width, Math.ceil(high.x)) - x;
    const height = Math.min(this.extent.height, Math.ceil(high.y)) - y;
    if (width <= 0 || height <= 0) return;
    const image = new ImageData(width, height);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const value = this.#values[(y + row) * this.extent.width + x + column]!;
        if (value > 0) image.data.set(OVERLAY_COLOUR, (row * width + column) * 4);
      }
    }
    this.overlay.getContext('2d')?.putImageData(image, x, y);
  }
}

/** A red that is seen on most photographs, two thirds transparent. */
const OVERLAY_COLOUR = [230, 40, 60, 120];
