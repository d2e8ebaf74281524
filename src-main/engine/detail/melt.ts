import type { Cancellation } from '#base/cancellation.js';
import type { Rect } from '#base/geometry.js';
import { throwIfCancelled } from '#contract/errors.js';
import { fullScale } from '#engine/image/files/photo.js';
import type { KernelPool } from '#engine/kernels/pool.js';
import type { Scene } from './window.js';

// A strip is a number of whole rows of the box with a ring around them, `[height + 2, width + 2]`.

/** How strongly the copied colours hold: a step at a seam is spread over about 18 pixels. */
const SCREEN = 0.003;
/** A larger step, of 1, is an edge and no tone. On held-out crops the seam is 1.2 of the true step at .12, 1.07 here, .99 at .3. */
const EDGE = 0.2;
const SWEEPS = 32;
/** Strips overlap by what a step still reaches. */
const OVERLAP = 64;
const MOST_STRIP_PIXELS = 2 ** 20;
const [LEAST_ROWS, MOST_ROWS] = [64, 512];
const STRIPS_AT_A_TIME = 4;
/** width, height, values, wanted, links, screen, sweeps */
const STRIP_MEMBERS = 7;
const [RIGHT, LEFT, BELOW, ABOVE, SOUGHT] = [1, 2, 4, 8, 16];
/** Corrections are kept as whole numbers of this unit. */
export const CORRECTION_UNIT = 1 / 32767;

export interface Copied {
  readonly scene: Scene;
  /** The hole's box in pixels of the photo. */
  readonly box: Rect;
  /** Per box pixel which pixel of the photo was copied; -1 = none. */
  readonly origin: Int32Array;
}

export function meltBytes({ width, height }: { readonly width: number; readonly height: number }): number {
  const rows = Math.min(height, rowsOf(width) + 2 * OVERLAP) + 2;
  return STRIPS_AT_A_TIME * ((width + 2) * rows * 33 + 1024);
}

function rowsOf(width: number): number {
  return Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.floor(MOST_STRIP_PIXELS / width)));
}

/**
 * What has to be added to copied pixels so that they meet the known ones and each other without a step: copied gradients are
 * kept, the known border holds, colours stay near the copied ones (Pérez et al. 2003; screened, Darabi et al. 2012). In the
 * photo's own colours, `[box pixels · 3]` in CORRECTION_UNIT.
 */
export async function meltCopied(pool: KernelPool, copied: Copied, signal: Cancellation): Promise<Int16Array> {
  const { box } = copied;
  const corrections = new Int16Array(box.width * box.height * 3);
  const rows = rowsOf(box.width);
  const places = Array.from({ length: Math.ceil(box.height / rows) }, (_, n) => ({
    from: Math.max(0, n * rows - OVERLAP),
    to: Math.min(box.height, (n + 1) * rows + OVERLAP),
    core: n * rows,
    coreEnd: Math.min(box.height, (n + 1) * rows),
  }));
  const mark = pool.mark();
  for (let first = 0; first < places.length; first += STRIPS_AT_A_TIME) {
    const group = places.slice(first, first + STRIPS_AT_A_TIME);
    const table = pool.take(group.length * 4);
    const strips: Strip[] = [];
    for (const place of group) {
      strips.push(new Strip(pool, copied, place));
      // A strip takes some tens of milliseconds, and nobody who cancels waits for four.
      await new Promise(setImmediate);
      throwIfCancelled(signal);
    }
    new Int32Array(pool.memory, table, group.length).set(strips.map(({ pointer }) => pointer));
    await pool.run({ name: 'melt', pointer: table, pieces: group.length }, signal);
    for (const strip of strips) strip.readInto(corrections);
    pool.release(mark);
  }
  return corrections;
}

interface Rows {
  readonly from: number;
  readonly to: number;
  readonly core: number;
  readonly coreEnd: number;
}

class Strip {
  readonly pointer: number;
  readonly #width: number;
  readonly #rows: Rows;
  readonly #values: Float32Array;
  readonly #wanted: Float32Array;
  readonly #links: Uint8Array;

  constructor(pool: KernelPool, copied: Copied, rows: Rows) {
    this.#rows = rows;
    this.#width = copied.box.width + 2;
    const height = rows.to - rows.from + 2;
    const pixels = this.#width * height;
    const [values, wanted, links] = [pool.take(pixels * 16), pool.take(pixels * 16), pool.take(pixels)];
    this.#values = new Float32Array(pool.memory, values, pixels * 4);
    this.#wanted = new Float32Array(pool.memory, wanted, pixels * 4);
    this.#links = new Uint8Array(pool.memory, links, pixels);
    this.pointer = pool.take(STRIP_MEMBERS * 4);
    new Int32Array(pool.memory, this.pointer, STRIP_MEMBERS).set([this.#width, height, values, wanted, links, 0, SWEEPS]);
    new Float32Array(pool.memory, this.pointer + 20, 1)[0] = SCREEN;
    this.#connect(copied);
  }

  #connect(copied: Copied): void {
    const { box, origin, scene } = copied;
    const links = new Links(copied);
    const right = { step: 1, stride: 1, to: 1, there: RIGHT, back: LEFT };
    const below = { step: box.width, stride: scene.photo.extent.width, to: this.#width, there: BELOW, back: ABOVE };
    for (let v = this.#rows.from; v < this.#rows.to; v++) {
      const isLast = v + 1 === this.#rows.to;
      for (let u = 0, k = v * box.width, at = (v - this.#rows.from + 1) * this.#width + 1; u < box.width; u++, k++, at++) {
        if (origin[k]! >= 0) this.#links[at]! |= SOUGHT;
        if (u + 1 < box.width) this.#link(links, { k, at }, right);
        if (!isLast) this.#link(links, { k, at }, below);
      }
    }
  }

  #link(links: Links, { k, at }: { readonly k: number; readonly at: number }, { step, stride, to, there, back }: Way): void {
    // Copied side by side as they lie: nothing to mend.
    const liesAlike = links.lieAlike(k, step, stride);
    if (!liesAlike && !links.join(k, step, stride)) return;
    this.#links[at]! |= there;
    this.#links[at + to]! |= back;
    if (!liesAlike) this.#want(links.step, at, at + to);
  }

  #want(step: Float32Array, at: number, to: number): void {
    for (let c = 0; c < 3; c++) {
      this.#wanted[at * 4 + c]! += step[c]!;
      this.#wanted[to * 4 + c]! -= step[c]!;
    }
  }

  readInto(corrections: Int16Array): void {
    const { from, core, coreEnd } = this.#rows;
    const width = this.#width - 2;
    for (let v = core; v < coreEnd; v++) {
      for (let u = 0; u < width; u++) {
        const [k, at] = [(v * width + u) * 3, ((v - from + 1) * this.#width + u + 1) * 4];
        for (let c = 0; c < 3; c++) corrections[k + c] = Math.round(Math.min(1, Math.max(-1, this.#values[at + c]!)) / CORRECTION_UNIT);
      }
    }
  }
}

/** To a neighbour: in the box, in the photo and in the strip, and the links on both sides. */
interface Way {
  readonly step: number;
  readonly stride: number;
  readonly to: number;
  readonly there: number;
  readonly back: number;
}

/** What two neighbours in the box should differ by, and do. */
class Links {
  /** Wanted minus actual difference of the last joined pair, per colour. */
  readonly step = new Float32Array(3);
  readonly #copied: Copied;
  readonly #unit: number;
  readonly #channels: number;

  constructor(copied: Copied) {
    const { samples, channels } = copied.scene.photo;
    this.#copied = copied;
    this.#unit = 1 / fullScale(samples);
    this.#channels = channels;
  }

  lieAlike(k: number, ahead: number, stride: number): boolean {
    const { origin } = this.#copied;
    const own = origin[k]!;
    return own >= 0 && origin[k + ahead] === own + stride;
  }

  /** Whether box pixels `k` and `k + ahead` (1 = right, the box's width = below) are to be held together: one of them at least is sought. */
  join(k: number, ahead: number, stride: number): boolean {
    const { origin, scene, box } = this.#copied;
    const [a, b] = [origin[k]!, origin[k + ahead]!];
    if (a < 0 && b < 0) return false;
    const here = (box.y + Math.trunc(k / box.width)) * scene.photo.extent.width + box.x + (k % box.width);
    if ((a < 0 && scene.weight.values[here]! > 0) || (b < 0 && scene.weight.values[here + stride]! > 0)) return false;
    return this.#measure(a < 0 ? here : a, b < 0 ? here + stride : b, stride);
  }

  #measure(first: number, second: number, stride: number): boolean {
    const { samples } = this.#copied.scene.photo;
    const ahead = this.#knows(first, stride);
    const behind = this.#knows(second, -stride);
    const count = Math.max(1, Number(ahead) + Number(behind));
    for (let c = 0; c < 3; c++) {
      const channel = this.#channels > 2 ? c : 0;
      const at = (pixel: number) => samples[pixel * this.#channels + channel]! * this.#unit;
      const [p, q] = [at(first), at(second)];
      const wanted = ((ahead ? p - at(first + stride) : 0) + (behind ? at(second - stride) - q : 0)) / count;
      this.step[c] = wanted - (p - q);
      if (Math.abs(this.step[c]!) >= EDGE) return false;
    }
    return true;
  }

  #knows(pixel: number, stride: number): boolean {
    const { weight } = this.#copied.scene;
    const { width, height } = weight.extent;
    const neighbour = pixel + stride;
    if (neighbour < 0 || neighbour >= width * height) return false;
    if (Math.abs(stride) === 1 && Math.trunc(neighbour / width) !== Math.trunc(pixel / width)) return false;
    return weight.values[pixel] === 0 && weight.values[neighbour] === 0;
  }
}
