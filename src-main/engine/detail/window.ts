import type { Cancellation } from '#base/cancellation.js';
import type { Extent, Rect } from '#base/geometry.js';
import { throwIfCancelled } from '#contract/errors.js';
import { colourSpaceOf, type ColourSpace, type Planes } from '#engine/image/colour/colour.js';
import { fullScale, type Mask, type Photo } from '#engine/image/files/photo.js';
import { srgbRowReader } from '#engine/image/working/working-copy.js';
import { CHANNELS, FORBIDDEN, HOLE, SOURCE, type Scale } from './scale.js';

/** What is seen of a photograph while its hole is filled. */
export interface Scene {
  readonly photo: Photo;
  /** The hole is every pixel above 0. */
  readonly weight: Mask;
  /** 0 = never copied from; absent = everything may be. */
  readonly allowed?: Mask | undefined;
}

/** Around a hole lies once its longer side, and at least so much, in pixels. */
const LEAST_CONTEXT_PX = 48;

export function windowAround(bounds: Rect, { width, height }: Extent): Rect {
  const pad = Math.max(LEAST_CONTEXT_PX, Math.max(bounds.width, bounds.height));
  const [x, y] = [Math.max(0, bounds.x - pad), Math.max(0, bounds.y - pad)];
  return {
    x,
    y,
    width: Math.min(width, bounds.x + bounds.width + pad) - x,
    height: Math.min(height, bounds.y + bounds.height + pad) - y,
  };
}

const ROWS_AT_A_TIME = 64;

/** Writes the window's colours and states into the finest scale: 8-bit sRGB-like, means of `2^halvings` pixels to a side. */
export async function fillFinest(scale: Scale, place: Place, signal: Cancellation): Promise<void> {
  const space = await colourSpaceOf(place.scene.photo);
  const row = new RowOfBlocks(place, space);
  for (let y = 0; y < scale.extent.height; y++) {
    row.write(scale, y);
    if (y % ROWS_AT_A_TIME !== 0) continue;
    await new Promise(setImmediate);
    throwIfCancelled(signal);
  }
}

export interface Place {
  readonly scene: Scene;
  /** In pixels of the photo. */
  readonly window: Rect;
  readonly halvings: number;
}

class RowOfBlocks {
  readonly #place: Place;
  readonly #space: ColourSpace;
  readonly #read: (y: number, planes: Planes) => void;
  readonly #planes: Planes;

  constructor(place: Place, space: ColourSpace) {
    const { window, scene } = place;
    this.#place = place;
    this.#space = space;
    const columns = Int32Array.from({ length: window.width }, (_, x) => window.x + x);
    this.#read = srgbRowReader(scene.photo, columns, space);
    const plane = () => new Float32Array(window.width);
    this.#planes = [plane(), plane(), plane()];
  }

  /** Row `y` of the finest scale. */
  write(scale: Scale, y: number): void {
    if (this.#place.halvings > 0) this.#writeMeans(scale, y);
    else if (this.#space.plain && this.#place.scene.photo.channels === 3 && this.#place.scene.photo.samples instanceof Uint8Array)
      this.#copy(scale, y);
    else {
      this.#readRow(y);
      this.#convert(scale, y);
    }
    if (this.#place.halvings === 0) this.#writeStates(scale, y);
  }

  #copy(scale: Scale, y: number): void {
    const { window, scene } = this.#place;
    const { samples, extent } = scene.photo;
    const planes = scale.planes;
    let from = ((window.y + y) * extent.width + window.x) * 3;
    for (let at = y * window.width * CHANNELS, end = at + window.width * CHANNELS; at < end; at += CHANNELS, from += 3) {
      planes[at] = samples[from]!;
      planes[at + 1] = samples[from + 1]!;
      planes[at + 2] = samples[from + 2]!;
    }
  }

  #readRow(y: number): void {
    this.#read(this.#place.window.y + y, this.#planes);
  }

  #convert(scale: Scale, y: number): void {
    const { planes, extent } = scale;
    this.#planes.forEach((plane, c) => {
      for (let x = 0, at = y * extent.width * CHANNELS + c; x < extent.width; x++, at += CHANNELS) planes[at] = byteOf(plane[x]!);
    });
  }

  #writeStates(scale: Scale, y: number): void {
    const { window, scene } = this.#place;
    const state = scale.state.subarray(y * window.width, (y + 1) * window.width);
    const { allowed, photo, weight } = scene;
    if (!allowed && photo.channels % 2 === 1) {
      const first = (window.y + y) * weight.extent.width + window.x;
      for (let x = 0; x < state.length; x++) state[x] = weight.values[first + x]! > 0 ? HOLE : 0;
      return;
    }
    for (let x = 0; x < state.length; x++) state[x] = stateAt(scene, (window.y + y) * scene.weight.extent.width + window.x + x);
  }

  /** Where memory is short: known pixels of each block averaged. */
  #writeMeans(scale: Scale, y: number): void {
    const { window, scene, halvings } = this.#place;
    const side = 2 ** halvings;
    const sums = new Float32Array(scale.extent.width * 3);
    const [known, forbidden, all] = [0, 1, 2].map(() => new Uint32Array(scale.extent.width));
    for (let v = y * side; v < Math.min(window.height, (y + 1) * side); v++) {
      this.#readRow(v);
      for (let x = 0; x < window.width; x++) {
        const state = stateAt(scene, (window.y + v) * scene.weight.extent.width + window.x + x);
        const block = x >> halvings;
        all![block]!++;
        if (state & FORBIDDEN) forbidden![block]!++;
        if (state & HOLE) continue;
        known![block]!++;
        for (let c = 0; c < 3; c++) sums[block * 3 + c]! += this.#planes[c]![x]!;
      }
    }
    const { planes, state } = scale;
    for (let x = 0, i = y * scale.extent.width; x < scale.extent.width; x++, i++) {
      for (let c = 0; c < 3; c++) planes[i * CHANNELS + c] = byteOf(sums[x * 3 + c]! / Math.max(1, known![x]!));
      state[i] = (2 * known![x]! >= all![x]! ? 0 : HOLE) | (2 * forbidden![x]! > all![x]! ? FORBIDDEN : 0);
    }
  }
}

function byteOf(value: number): number {
  return Math.round(255 * Math.min(1, Math.max(0, value)));
}

/** What shows through a transparent pixel is not its own, so nothing is copied from it. */
function stateAt({ photo, weight, allowed }: Scene, pixel: number): number {
  if (weight.values[pixel]! > 0) return HOLE;
  if (allowed?.values[pixel] === 0) return FORBIDDEN;
  const { channels, samples } = photo;
  const isClear = channels % 2 === 0 && samples[pixel * channels + channels - 1]! * 2 < fullScale(samples);
  return isClear ? FORBIDDEN : 0;
}

/** How many pixels of a scale may be copied from; no more are counted than `most`. */
export function countSources({ state }: Scale, most = Number.POSITIVE_INFINITY): number {
  let count = 0;
  for (let i = 0; i < state.length && count < most; i++) if (state[i]! & SOURCE) count++;
  return count;
}
