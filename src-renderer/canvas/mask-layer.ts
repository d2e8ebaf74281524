import { sampleCount, type Extent, type Rect } from '#base/geometry.js';
import type { BrushTip, MaskHistory, MaskStep, Point } from '#contract/mask.js';
import { isEmpty } from '#document/mask.js';
import { MaskPixels } from '#document/mask-pixels.js';
import { offThread } from './off-thread.js';

/** Two hues, because no single one is seen on every photograph. */
export const MASK_TINTS = ['red', 'teal'] as const;
export type MaskTint = (typeof MASK_TINTS)[number];
/** What is painted of sources looks like no mask. */
type Tint = MaskTint | 'amber' | 'whole';

/** Half transparent, as canvas pixels. */
const TINT_COLOURS: Readonly<Record<Tint, readonly [number, number, number, number]>> = {
  red: [232, 38, 64, 128],
  teal: [0, 190, 190, 128],
  amber: [255, 176, 0, 128],
  // Of what is cut out of another picture.
  whole: [0, 0, 0, 255],
};

/** For every value of a mask: soft edges show as they are. */
const COLOURS = {
  red: coloursOf(TINT_COLOURS.red),
  teal: coloursOf(TINT_COLOURS.teal),
  amber: coloursOf(TINT_COLOURS.amber),
  whole: coloursOf(TINT_COLOURS.whole),
};

function coloursOf([red, green, blue, most]: (typeof TINT_COLOURS)[Tint]): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, value) => packed([red, green, blue, Math.round((most * value) / 255)]));
}

/** Drawn in one piece, a canvas is copied whole for each dab that follows: small pieces keep that small. */
const TILE_SIDE = 512;
/** More pixels than this are coloured piece by piece, so that the window answers meanwhile. */
const AT_ONCE_PIXELS = 1_500_000;

/** A painted piece of the mask, in mask pixels. */
export interface MaskTile extends Rect {
  readonly canvas: HTMLCanvasElement;
}

/** The mask's pixels and the picture of them, kept in step stroke by stroke. */
export class MaskLayer {
  readonly extent: Extent;
  readonly #tiles = new Map<number, MaskTile>();
  readonly #onlater: () => void;
  readonly #later: Rect[] = [];
  readonly #pixels: MaskPixels;
  #tint: Tint = 'red';

  /** `onlater` hears when a piece of a large change is shown. */
  constructor(extent: Extent, onlater: () => void = () => undefined) {
    this.extent = extent;
    this.#onlater = onlater;
    this.#pixels = new MaskPixels(extent);
  }

  get empty(): boolean {
    return this.#pixels.empty;
  }

  get bounds(): Rect | undefined {
    return this.#pixels.bounds;
  }

  /** 255 = painted, less in soft edges. */
  get values(): Uint8Array {
    return this.#pixels.values;
  }

  /** What is painted, as pieces; where nothing is, there is no piece. */
  get tiles(): Iterable<MaskTile> {
    return this.#tiles.values();
  }

  tint(tint: Tint): void {
    if (tint === this.#tint) return;
    this.#tint = tint;
    this.#redraw([{ x: 0, y: 0, ...this.extent }]);
  }

  show(history: MaskHistory): void {
    this.#redraw(this.#pixels.show(history));
  }

  /** One more step onto the pixels of all steps before it. */
  apply(step: MaskStep): void {
    this.#redraw(this.#pixels.add(step));
  }

  /** One more step, worked out beside the window's own thread. Gives whether it was: of pixels that changed meanwhile it says nothing. */
  async work(step: MaskStep, isWanted: () => boolean): Promise<boolean> {
    const pixels = this.#pixels;
    const { version } = pixels;
    const result = await offThread('step', { ...pixels.state, values: pixels.values.slice(), step });
    if (pixels.version !== version || pixels.isOpen || !isWanted()) return false;
    this.#redraw(result ? pixels.take(step, result) : pixels.add(step));
    return true;
  }

  /** A part of a stroke, which is a step once it is committed. */
  paint(from: Point, to: Point, tip: BrushTip): void {
    this.#redraw([this.#pixels.paint(from, to, tip)]);
  }

  commit(step: MaskStep): void {
    this.#pixels.commit(step);
  }

  /** White where painted, as the contract wants it. */
  async toPng(): Promise<Blob> {
    return pngOf(this.#pixels);
  }

  #redraw(boxes: readonly Rect[]): void {
    const parts = boxes.flatMap(tilesOf);
    if (parts.reduce((pixels, part) => pixels + sampleCount(part), 0) <= AT_ONCE_PIXELS) for (const part of parts) this.#colour(part);
    else this.#colourLater(parts);
  }

  #colourLater(parts: readonly Rect[]): void {
    const waits = this.#later.length > 0;
    this.#later.push(...parts);
    if (!waits) this.#colourSoon();
  }

  #colourSome(): void {
    let pixels = 0;
    for (let part = this.#later.shift(); part; part = this.#later.shift()) {
      this.#colour(part);
      pixels += sampleCount(part);
      if (pixels >= AT_ONCE_PIXELS / 2) break;
    }
    this.#onlater();
    if (this.#later.length > 0) this.#colourSoon();
  }

  #colourSoon(): void {
    setTimeout(() => {
      this.#colourSome();
    });
  }

  /** Colours a part of one tile. */
  #colour(part: Rect): void {
    const { x, y, width, height } = part;
    const { values } = this.#pixels;
    const painted = this.#paintedRows(part);
    const tile = painted ? this.#tileAt(part) : this.#tiles.get(this.#keyOf(part));
    const context = tile?.canvas.getContext('2d');
    if (!tile || !context) return;
    if (!painted) {
      context.clearRect(x - tile.x, y - tile.y, width, height);
      return;
    }
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const colours = COLOURS[this.#tint];
    for (let row = 0; row < height; row++) {
      const start = (y + row) * this.extent.width + x;
      for (let column = 0; column < width; column++) pixels[row * width + column] = colours[values[start + column]!]!;
    }
    context.putImageData(image, x - tile.x, y - tile.y);
  }

  #paintedRows({ x, y, width, height }: Rect): boolean {
    for (let row = y; row < y + height; row++) {
      const start = row * this.extent.width + x;
      if (!isEmpty(this.#pixels.values.subarray(start, start + width))) return true;
    }
    return false;
  }

  #keyOf({ x, y }: Rect): number {
    return Math.floor(y / TILE_SIDE) * Math.ceil(this.extent.width / TILE_SIDE) + Math.floor(x / TILE_SIDE);
  }

  #tileAt(part: Rect): MaskTile {
    const key = this.#keyOf(part);
    const there = this.#tiles.get(key);
    if (there) return there;
    const [x, y] = [part.x - (part.x % TILE_SIDE), part.y - (part.y % TILE_SIDE)];
    const canvas = document.createElement('canvas');
    canvas.width = Math.min(TILE_SIDE, this.extent.width - x);
    canvas.height = Math.min(TILE_SIDE, this.extent.height - y);
    const tile = { x, y, width: canvas.width, height: canvas.height, canvas };
    this.#tiles.set(key, tile);
    return tile;
  }
}

/** White where painted, as the contract wants it. */
export async function pngOf({ values, extent, bounds }: Pick<MaskPixels, 'values' | 'extent' | 'bounds'>): Promise<Blob> {
  const { y: top, height } = bounds ?? { y: 0, height: 0 };
  const rows = values.slice(top * extent.width, (top + height) * extent.width);
  const png = await offThread('encodeMask', { extent, top, rows });
  if (!png) throw new Error('Expected the mask as a PNG but it could not be written.');
  return png;
}

/** The parts of a box, each in one tile. */
function tilesOf({ x, y, width, height }: Rect): readonly Rect[] {
  const parts: Rect[] = [];
  for (let top = y; top < y + height; top = nextTile(top)) {
    for (let left = x; left < x + width; left = nextTile(left)) {
      const [right, bottom] = [Math.min(nextTile(left), x + width), Math.min(nextTile(top), y + height)];
      parts.push({ x: left, y: top, width: right - left, height: bottom - top });
    }
  }
  return parts;
}

function nextTile(at: number): number {
  return (Math.floor(at / TILE_SIDE) + 1) * TILE_SIDE;
}

/** Four bytes in memory order as one word, whatever the machine's byte order. */
function packed(colour: readonly [number, number, number, number]): number {
  return new Uint32Array(Uint8Array.from(colour).buffer)[0]!;
}
