import { beyond } from '#base/distance.js';
import { intersect, sampleCount, type Rect } from '#base/geometry.js';
import type { Planes } from '#engine/image/colour/colour.js';
import { smoothStep } from '#base/smooth-step.js';
import { fullScale, type Photo } from '#engine/image/files/photo.js';

// Along the border of the old picture runs a ring of n = 2 (width + height) places: the top from left to right, the right
// side downwards, the bottom from right to left, the left side upwards.

/** Sums that should be 0 are not quite, after many additions. */
const LEAST_CERTAINTY = 1e-6;

/** A line of new pixels, one wide or one high, before the seam is closed: in 0..1 of the photo's own profile. */
export type FreshLine = (line: Rect) => Planes;

interface Border {
  readonly photo: Photo;
  /** The part of the photo that is old. */
  readonly kept: Rect;
  /** How far into the new pixels their border is carried, in pixels. */
  readonly reachPx: number;
}

/**
 * What has to be added to new pixels around an old picture so that they meet it without a step: the difference along the
 * border, carried outwards as a membrane carries it (seamless cloning, Pérez et al. 2003). Beside a straight border that
 * membrane is the difference smoothed along the border, the wider the farther out (Poisson's kernel), so that a ring per
 * octave of distance holds all of it. It fades to nothing at `reachPx`.
 */
export class Seam {
  readonly #border: Border;
  /** Per channel and octave of distance: the smoothed difference along the ring, `[n]`. */
  readonly #octaves: readonly (readonly Float32Array[])[];

  constructor(border: Border, fresh: FreshLine) {
    this.#border = border;
    const { differences, certainty } = measured(border, fresh);
    const octaves = Math.ceil(Math.log2(Math.max(2, border.reachPx))) + 1;
    this.#octaves = differences.map((ring) => octavesOf(ring, certainty, octaves));
  }

  /** Closes the seam in a row of new pixels: canvas row `y`, from column `x` on. Old pixels among them are left alone. */
  close(planes: Planes, { x, y }: { readonly x: number; readonly y: number }): void {
    const { kept, reachPx } = this.#border;
    const dy = beyond(y, kept.y, kept.height);
    if (Math.abs(dy) >= reachPx) return;
    const from = Math.max(0, Math.ceil(kept.x - reachPx) - x);
    const to = Math.min(planes[0].length, Math.floor(kept.x + kept.width + reachPx) - x);
    for (let i = from; i < to; i++) {
      const dx = beyond(x + i, kept.x, kept.width);
      if (dx === 0 && dy === 0) i = kept.x + kept.width - 1 - x;
      else this.#add(planes, { i, distance: Math.sqrt(dx ** 2 + dy ** 2), place: placeOf(kept, { x: x + i, y, dx, dy }) });
    }
  }

  #add(planes: Planes, { i, distance, place }: { i: number; distance: number; place: number }): void {
    const share = smoothStep(Math.max(0, 1 - (distance - 1) / this.#border.reachPx));
    const octave = Math.log2(distance);
    const [near, along] = [Math.floor(octave), Math.floor(place)];
    for (let c = 0; c < 3; c++) {
      const rings = this.#octaves[c]!;
      const [fine, coarse] = [rings[near]!, rings[Math.min(rings.length - 1, near + 1)]!];
      const value = between(fine, along, place - along);
      planes[c]![i]! += share * (value + (octave - near) * (between(coarse, along, place - along) - value));
    }
  }
}

function between(ring: Float32Array, at: number, part: number): number {
  const value = ring[at]!;
  return part === 0 ? value : value + part * (ring[(at + 1) % ring.length]! - value);
}

interface Spot {
  readonly x: number;
  readonly y: number;
  /** How far it lies beside and above or below the old picture. */
  readonly dx: number;
  readonly dy: number;
}

/** The nearest place of the ring; beyond a corner, between the two that meet there, by the angle. */
function placeOf({ x: left, y: top, width, height }: Rect, { x, y, dx, dy }: Spot): number {
  const turn = (after: number, before: number) => Math.atan2(Math.abs(after), Math.abs(before)) / (Math.PI / 2);
  const [right, bottom, leftSide] = [width, width + height, 2 * width + height];
  if (dx === 0) return dy < 0 ? x - left : bottom + (left + width - 1 - x);
  if (dy === 0) return dx > 0 ? right + y - top : leftSide + (top + height - 1 - y);
  if (dx > 0) return dy < 0 ? right - 1 + turn(dx, dy) : bottom - 1 + turn(dy, dx);
  return dy > 0 ? leftSide - 1 + turn(dx, dy) : leftSide + height - 1 + turn(dy, dx);
}

/** One side of the old picture: its last pixels, the first new ones beside them, and which places of the ring they are. */
interface Side {
  readonly old: Rect;
  readonly fresh: Rect;
  placeAt(i: number): number;
}

/** The sides that the canvas goes on beyond. */
function sidesOf({ photo, kept }: Border): readonly Side[] {
  const { x, y, width, height } = kept;
  const [right, bottom] = [x + width, y + height];
  const [row, column] = [
    { x, width, height: 1 },
    { y, width: 1, height },
  ];
  const sides = [
    { old: { ...row, y }, fresh: { ...row, y: y - 1 }, placeAt: (i: number) => i },
    { old: { ...column, x: right - 1 }, fresh: { ...column, x: right }, placeAt: (i: number) => width + i },
    { old: { ...row, y: bottom - 1 }, fresh: { ...row, y: bottom }, placeAt: (i: number) => 2 * width + height - 1 - i },
    { old: { ...column, x }, fresh: { ...column, x: x - 1 }, placeAt: (i: number) => 2 * (width + height) - 1 - i },
  ];
  return sides.filter(({ fresh }) => sampleCount(intersect(fresh, photo.extent)) > 0);
}

/** Old minus new along the ring, and how much each place says: nothing where there is no new pixel or the old one is transparent. */
function measured(border: Border, fresh: FreshLine): { differences: readonly Float32Array[]; certainty: Float32Array } {
  const { photo, kept } = border;
  const { samples, channels } = photo;
  const unit = 1 / fullScale(samples);
  const count = 2 * (kept.width + kept.height);
  const [differences, certainty] = [[0, 1, 2].map(() => new Float32Array(count)), new Float32Array(count)];
  for (const side of sidesOf(border)) {
    const planes = fresh(side.fresh);
    for (let i = 0; i < planes[0].length; i++) {
      const [x, y] = [side.old.x + (i % side.old.width), side.old.y + Math.trunc(i / side.old.width)];
      const [at, place] = [(y * photo.extent.width + x) * channels, side.placeAt(i)];
      certainty[place] = channels % 2 === 0 ? samples[at + channels - 1]! * unit : 1;
      for (let c = 0; c < 3; c++) differences[c]![place] = samples[at + (channels > 2 ? c : 0)]! * unit - planes[c]![i]!;
    }
  }
  return { differences, certainty };
}

/** The ring itself, then ever smoother ones: each the last one's average over twice as many places. */
function octavesOf(ring: Float32Array, certainty: Float32Array, octaves: number): readonly Float32Array[] {
  const rings: Float32Array[] = [ring.map((value, i) => value * certainty[i]!)];
  for (let octave = 1, radius = 1; octave < octaves; octave++, radius *= 2) {
    rings.push(averaged(rings[octave - 1]!, certainty, Math.min(radius, (ring.length >> 1) - 1)));
  }
  return rings;
}

/** Average over `radius` places to either side, each counted by its certainty. */
function averaged(ring: Float32Array, certainty: Float32Array, radius: number): Float32Array {
  const { length } = ring;
  const result = new Float32Array(length);
  let [sum, weight] = [0, 0];
  const weigh = (place: number, sign: number) => {
    const at = (place + length) % length;
    sum += sign * ring[at]! * certainty[at]!;
    weight += sign * certainty[at]!;
  };
  for (let place = -radius; place <= radius; place++) weigh(place, 1);
  for (let place = 0; place < length; place++) {
    result[place] = weight > LEAST_CERTAINTY ? sum / weight : 0;
    weigh(place - radius, -1);
    weigh(place + radius + 1, 1);
  }
  return result;
}
