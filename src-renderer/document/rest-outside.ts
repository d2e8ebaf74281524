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
const ALIKE = 6;
/** A colour is at home around the mask where it and its like take so many of a thousand pixels there. */
const AT_HOME = 15;
/** Of a mask's border in one piece. On 100 rendered scenes 82 masks without the object's shadow reach it, and 12 with it. */
const LEAST_SHARE = 0.1;

export interface Rest {
  /** Part of the mask's border that it touches, 0..1. */
  readonly share: number;
  /** How far the mask has to grow to hold it, in pixels of the picture that was given. */
  readonly growPx: number;
}

/**
 * What touches a mask from outside, is darker than most and like nothing further around it: the shadow, or another rest,
 * of what was painted over. Undefined where there is none. `mask` has one byte per pixel of the picture; a side of some
 * two hundred pixels is enough.
 */
export function restOutside(picture: Pixels, mask: Uint8Array): Rest | undefined {
  const bounds = paintedBounds(mask, picture);
  if (!bounds) return undefined;
  const side = Math.max(bounds.width, bounds.height);
  const [from, to] = AROUND.map((part) => Math.max(NEAR_PX[1] + 2, part * side)) as [number, number];
  const region = { x: 0, y: 0, width: picture.width, height: picture.height };
  const distances = squaredDistances((x, y) => mask[y * picture.width + x]! >= INSIDE, region, Math.ceil(to));
  const around = indicesWithin(distances, [from, to]);
  const near = indicesWithin(distances, NEAR_PX);
  if (around.length === 0 || near.length === 0) return undefined;
  const isStrange = strangerTo(picture, around);
  const touching = largestPiece(near.filter(isStrange), picture.width);
  const share = touching.length / near.length;
  if (share < LEAST_SHARE) return undefined;
  return { share, growPx: reachOf(touching, { isStrange, distances, width: picture.width, limit: from }) };
}

function indicesWithin(distances: Int32Array, [from, to]: readonly [number, number]): number[] {
  const found: number[] = [];
  distances.forEach((squared, i) => {
    if (squared !== FAR && squared >= from * from && squared < to * to) found.push(i);
  });
  return found;
}

/** Whether a pixel is darker than half of those around, and of a colour that is not at home there. */
function strangerTo({ data }: Pixels, around: readonly number[]): (i: number) => boolean {
  const light = (i: number) => 0.299 * data[i * 4]! + 0.587 * data[i * 4 + 1]! + 0.114 * data[i * 4 + 2]!;
  const lights = Float64Array.from(around, light).sort();
  const middle = lights[Math.floor(lights.length / 2)]!;
  const isAtHome = coloursOf(data, around);
  return (i) => light(i) <= middle && !isAtHome(i);
}

function coloursOf(data: Pixels['data'], around: readonly number[]): (i: number) => boolean {
  // One empty cell on every side, so that each has its neighbours.
  const side = Math.ceil(256 / ALIKE) + 2;
  const counts = new Uint32Array(side ** 3);
  const cellOf = (i: number) => {
    const [red, green, blue] = [0, 1, 2].map((c) => Math.floor(data[i * 4 + c]! / ALIKE) + 1) as [number, number, number];
    return (red * side + green) * side + blue;
  };
  for (const i of around) counts[cellOf(i)]!++;
  const least = Math.max(1, (AT_HOME * around.length) / 1000);
  const STEP = [-1, 0, 1];
  const steps = STEP.flatMap((red) => STEP.flatMap((green) => STEP.map((blue) => (red * side + green) * side + blue)));
  return (i) => {
    const cell = cellOf(i);
    return steps.reduce((sum, step) => sum + counts[cell + step]!, 0) >= least;
  };
}

/** Those of the pixels that hang together, corners included, and are the most. */
function largestPiece(pixels: readonly number[], width: number): readonly number[] {
  const left = new Set(pixels);
  let largest: readonly number[] = [];
  for (const first of pixels) {
    const piece: number[] = [];
    const stack = [first];
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      if (!left.delete(i)) continue;
      piece.push(i);
      for (const row of [-width, 0, width]) stack.push(i + row - 1, i + row, i + row + 1);
    }
    if (piece.length > largest.length) largest = piece;
  }
  return largest;
}

interface Surroundings {
  readonly isStrange: (i: number) => boolean;
  readonly distances: Int32Array;
  readonly width: number;
  readonly limit: number;
}

/** How far what begins at the mask goes on, and a little more for its soft edge. */
function reachOf(touching: readonly number[], { isStrange, distances, width, limit }: Surroundings): number {
  const seen = new Uint8Array(distances.length);
  const stack = [...touching];
  let furthest = 0;
  for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
    const squared = distances[i] ?? FAR;
    if (seen[i] || squared === 0 || squared >= limit * limit || !isStrange(i)) continue;
    seen[i] = 1;
    furthest = Math.max(furthest, squared);
    const column = i % width;
    if (column > 0) stack.push(i - 1);
    if (column < width - 1) stack.push(i + 1);
    stack.push(i - width, i + width);
  }
  return Math.ceil(Math.sqrt(furthest) * 1.15) + 1;
}
