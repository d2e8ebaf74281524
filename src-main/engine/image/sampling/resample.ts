import type { Extent, Rect } from '#base/geometry.js';

/** How a sample looks at its neighbours. `linear`, `cubic` and `lanczos` widen when they shrink, so that nothing aliases. */
export type Kernel = 'linear' | 'cubic' | 'lanczos';

/** What lies beyond the border: the border sample again, the mirrored picture, or nothing: what is inside counts for more. */
export type Border = 'clamp' | 'mirror' | 'drop';

/** For every output sample `width` neighbours: their indices and weights, which sum to 1. */
export interface Taps {
  readonly width: number;
  readonly indices: Int32Array;
  readonly weights: Float32Array;
}

const RADIUS: Readonly<Record<Kernel, number>> = { linear: 1, cubic: 2, lanczos: 3 };

const SHAPE: Readonly<Record<Kernel, (x: number) => number>> = {
  linear: (x) => 1 - x,
  // Catmull-Rom
  cubic: (x) => (x < 1 ? 1 + x * x * (1.5 * x - 2.5) : 2 + x * (-4 + x * (2.5 - 0.5 * x))),
  lanczos: (x) => (x < 1e-8 ? 1 : (3 * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / 3)) / (Math.PI * x) ** 2),
};

export interface Axis {
  /** Where the first output sample's left edge lies, in input samples, and how many input samples the outputs span. */
  readonly from: number;
  readonly span: number;
  readonly outputs: number;
  readonly inputs: number;
  readonly kernel: Kernel;
  readonly border: Border;
}

/** Index of the sample that stands for `index` beyond the border. */
export function mirrored(index: number, count: number): number {
  const period = 2 * count;
  const place = ((index % period) + period) % period;
  return place < count ? place : period - 1 - place;
}

export function resampleTaps({ from, span, outputs, inputs, kernel, border }: Axis): Taps {
  const scale = span / outputs;
  const stretch = Math.max(1, scale);
  const radius = RADIUS[kernel] * stretch;
  const width = Math.ceil(radius * 2) + 1;
  const indices = new Int32Array(outputs * width);
  const weights = new Float32Array(outputs * width);
  for (let out = 0; out < outputs; out++) {
    const centre = from + (out + 0.5) * scale - 0.5;
    const first = Math.ceil(centre - radius);
    let total = 0;
    for (let k = 0; k < width; k++) {
      const distance = Math.abs(first + k - centre) / stretch;
      const index = first + k;
      const isSeen = distance < RADIUS[kernel] && (border !== 'drop' || (index >= 0 && index < inputs));
      const weight = isSeen ? SHAPE[kernel](distance) : 0;
      indices[out * width + k] = border === 'mirror' ? mirrored(index, inputs) : Math.min(inputs - 1, Math.max(0, index));
      weights[out * width + k] = weight;
      total += weight;
    }
    for (let k = 0; k < width; k++) weights[out * width + k]! /= total;
  }
  return { width, indices, weights };
}

/** One row through horizontal taps into `target`. */
export function mixAlong(row: Float32Array, { width, indices, weights }: Taps, target: Float32Array): void {
  for (let out = 0, tap = 0; out < target.length; out++) {
    let total = 0;
    for (let k = 0; k < width; k++, tap++) total += weights[tap]! * row[indices[tap]!]!;
    target[out] = total;
  }
}

/** The mixture of rows of a plane that output row `out` asks for, into `target`. */
export function mixRows(
  plane: Float32Array,
  { width, indices, weights, out }: Taps & { readonly out: number },
  target: Float32Array,
): void {
  target.fill(0);
  for (let k = 0; k < width; k++) {
    const weight = weights[out * width + k]!;
    if (weight === 0) continue;
    const start = indices[out * width + k]! * target.length;
    for (let x = 0; x < target.length; x++) target[x]! += weight * plane[start + x]!;
  }
}

/** A small map `[channels, h, w]` spread over `frame`, read row by row at full resolution inside `region`. */
export class FrameSampler {
  readonly #map: { readonly data: Float32Array; readonly channels: number } & Extent;
  readonly #rows: Taps;
  readonly #columns: Taps;
  readonly #mixed: Float32Array;

  constructor(
    map: { readonly dims: readonly number[]; readonly data: Float32Array },
    place: { frame: Rect; region: Rect; kernel: Kernel },
  ) {
    const [height = 1, width = 1] = map.dims.slice(-2);
    const { frame, region, kernel } = place;
    this.#map = { data: map.data, channels: map.data.length / (height * width), height, width };
    const common = { kernel, border: 'clamp' as const };
    const [scaleX, scaleY] = [width / frame.width, height / frame.height];
    this.#columns = resampleTaps({
      ...common,
      from: (region.x - frame.x) * scaleX,
      span: region.width * scaleX,
      outputs: region.width,
      inputs: width,
    });
    this.#rows = resampleTaps({
      ...common,
      from: (region.y - frame.y) * scaleY,
      span: region.height * scaleY,
      outputs: region.height,
      inputs: height,
    });
    this.#mixed = new Float32Array(width);
  }

  get channels(): number {
    return this.#map.channels;
  }

  /** How a column of the region looks at those of the map. */
  get columns(): Taps {
    return this.#columns;
  }

  /** Row `y` of the region (0-based) of one channel at the map's own width `[w]`; good until the next is asked for. */
  mixed(channel: number, y: number): Float32Array {
    const { data, height, width } = this.#map;
    mixRows(data.subarray(channel * height * width, (channel + 1) * height * width), { ...this.#rows, out: y }, this.#mixed);
    return this.#mixed;
  }

  /** Row `y` of the region (0-based) of one channel, into `target [region.width]`. */
  read(channel: number, y: number, target: Float32Array): void {
    mixAlong(this.mixed(channel, y), this.#columns, target);
  }

  /** Every channel of row `y`, each into its own `[region.width]` array. */
  readAll(y: number, targets: readonly Float32Array[]): void {
    targets.slice(0, this.#map.channels).forEach((target, channel) => {
      this.read(channel, y, target);
    });
  }
}
