import { FAR, squaredDistances } from '#base/distance.js';
import { paintedBounds } from '#base/painted-bounds.js';
import type { Pixels } from './similar.js';

/** Painted from here on. */
const INSIDE = 128;
/** The painted edge itself is neither inside nor outside. */
const NEAR_PX = [2, 5] as const;
/** Where the surroundings are looked at, in parts of the painted part's longer side. */
const AROUND = [0.3, 0.6] as const;
/** Colours that differ by no more than about so much of 255 are one colour; noise and gradients stay below it. */
const ALIKE = 14;
/** A colour is at home around the mask where it takes so many of a thousand pixels there. */
const AT_HOME = 2;
/** Measured on rendered scenes: with the shadow outside 94 of 100 masks reach this share of their border, with it inside 3. */
const LEAST_SHARE = 0.0;

export interface Rest {
  /** Part of the mask's border that it touches, 0..1. */
  readonly share: number;
  /** How far the mask has to grow to hold it, in pixels of the picture that was given. */
  readonly growPx: number;
}

/**
 * What touches a mask from outside and is like nothing further around it: the shadow, or another rest, of what was
 * painted over. Undefined where there is none. `mask` has one byte per pixel of the picture; a side of some two hundred
 * pixels is enough.
 */
export function restOutside(picture: Pixels, mask: Uint8Array): Rest | undefined {
  const bounds = paintedBounds(mask, picture);
  if (!bounds) return undefined;
  const side = Math.max(bounds.width, bounds.height);
  const [from, to] = AROUND.map((part) => Math.max(NEAR_PX[1] + 2, part * side)) as [number, number];
  const region = { x: 0, y: 0, width: picture.width, height: picture.height };
  const distances = squaredDistances((x, y) => mask[y * picture.width + x]! >= INSIDE, region, Math.ceil(to));
  const familiar = coloursWithin(picture, distances, [from, to]);
  if (!familiar) return undefined;
  const strange = (i: number) => !familiar(i);
  const near = indicesWithin(distances, NEAR_PX);
  const touching = near.filter(strange);
  const share = touching.length / Math.max(1, near.length);
  if (share < LEAST_SHARE) return undefined;
  return { share, growPx: reachOf(touching, { strange, distances, width: picture.width, limit: from }) };
}

function indicesWithin(distances: Int32Array, [from, to]: readonly [number, number]): number[] {
  const found: number[] = [];
  distances.forEach((squared, i) => {
    if (squared !== FAR && squared >= from * from && squared < to * to) found.push(i);
  });
  return found;
}

/** Whether the colour of a pixel is at home in a ring; undefined where there is no ring. */
function coloursWithin({ data }: Pixels, distances: Int32Array, ring: readonly [number, number]): ((i: number) => boolean) | undefined {
  const around = indicesWithin(distances, ring);
  if (around.length === 0) return undefined;
  const side = Math.ceil(256 / ALIKE) + 2;
  const counts = new Uint32Array(side ** 3);
  const cellOf = (i: number) => {
    const [red, green, blue] = [0, 1, 2].map((c) => Math.floor(data[i * 4 + c]! / ALIKE) + 1) as [number, number, number];
    return (red * side + green) * side + blue;
  };
  for (const i of around) counts[cellOf(i)]!++;
  const least = Math.max(1, (AT_HOME * around.length) / 1000);
  const steps = [-1, 0, 1].flatMap((r) => [-1, 0, 1].flatMap((g) => [-1, 0, 1].map((b) => (r * side + g) * side + b)));
  return (i) => {
    const cell = cellOf(i);
    return steps.reduce((sum, step) => sum + counts[cell + step]!, 0) >= least;
  };
}

interface Surroundings {
  readonly strange: (i: number) => boolean;
  readonly distances: Int32Array;
  readonly width: number;
  readonly limit: number;
}

/** How far what begins at the mask goes on, and a little more for its soft edge. */
function reachOf(touching: readonly number[], { strange, distances, width, limit }: Surroundings): number {
  const seen = new Uint8Array(distances.length);
  const stack = [...touching];
  let furthest = 0;
  for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
    const squared = distances[i] ?? FAR;
    if (seen[i] || squared === 0 || squared >= limit * limit || !strange(i)) continue;
    seen[i] = 1;
    furthest = Math.max(furthest, squared);
    const column = i % width;
    if (column > 0) stack.push(i - 1);
    if (column < width - 1) stack.push(i + 1);
    stack.push(i - width, i + width);
  }
  return Math.ceil(Math.sqrt(furthest) * 1.15) + 1;
}
