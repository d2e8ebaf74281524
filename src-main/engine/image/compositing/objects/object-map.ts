import type { Planes } from '#engine/image/colour/colour.js';
import { solve } from '../solve.js';
import { clusters } from './colour-model.js';

/** Ridge: pulls a map towards leaving colours as they are. */
const RIDGE = 2e-3;
/** Two colours are two when their means lie this far apart, squared, and the lesser holds this share. */
const [APART, LESSER] = [0.03, 0.08];
/** Two maps are kept where they leave less than this share of one map's error. */
const TWO_GAIN = 0.85;
/** How much faster than in a straight line the second map takes over between the two colours. */
const STEEP = 3;
/** Pixels that lie so many times farther from a map than half of them do are not the object's colours. */
const STRAYS = 2.5;
const STEADY_ROUNDS = 3;

/** Rows of a 3×3 matrix, then the offset. */
type Affine = readonly number[];

/** What became of an object's colours: one affine map, or two that share the way between the object's two colours. */
export interface ObjectMap {
  readonly first: Affine;
  readonly second?: { readonly affine: Affine; readonly along: readonly [number, number, number, number] };
}

/** The map of an object's colours and the root mean square, of 1, that it leaves. */
export function bestMap(before: Planes, after: Planes, pixels: readonly number[]): { readonly map: ObjectMap; readonly error: number } {
  const one: ObjectMap = { first: affine(before, after, pixels) };
  const two = twoMaps(before, after, pixels);
  const single = errorOf(one, { before, after, pixels });
  const double = two ? errorOf(two, { before, after, pixels }) : Infinity;
  return { map: two && double < TWO_GAIN * single ? two : one, error: Math.min(single, double) };
}

/** The map of most of an object's colours: what a model drew besides, far from all that the map makes, does not pull at it. */
export function steadyMap(before: Planes, after: Planes, pixels: readonly number[]): ObjectMap {
  let { map } = bestMap(before, after, pixels);
  for (let round = 0; round < STEADY_ROUNDS; round++) {
    const errors = squaredErrors(map, { before, after, pixels });
    const most = STRAYS ** 2 * errors.toSorted()[errors.length >> 1]!;
    ({ map } = bestMap(
      before,
      after,
      pixels.filter((_, i) => errors[i]! <= most),
    ));
  }
  return map;
}

function twoMaps(before: Planes, after: Planes, pixels: readonly number[]): ObjectMap | undefined {
  const { means, labels } = clusters(before, pixels, 2);
  const [from, to] = means as [number[], number[]];
  const way = to.map((value, c) => value - from[c]!);
  const apart = way.reduce((sum, value) => sum + value * value, 0);
  const sides = [0, 1].map((side) => pixels.filter((_, i) => labels[i] === side));
  if (apart < APART || Math.min(...sides.map((side) => side.length)) < LESSER * pixels.length) return undefined;
  const weights = way.map((value) => (STEEP * value) / apart);
  const start = weights.reduce((sum, weight, c) => sum + weight * from[c]!, 0);
  return {
    first: affine(before, after, sides[0]!),
    second: { affine: affine(before, after, sides[1]!), along: [weights[0]!, weights[1]!, weights[2]!, 0.5 - STEEP / 2 - start] },
  };
}

function affine(before: Planes, after: Planes, pixels: readonly number[]): Affine {
  const mean = (plane: Float32Array) => pixels.reduce((sum, pixel) => sum + plane[pixel]!, 0) / pixels.length;
  const [from, to] = [before.map(mean), after.map(mean)];
  const product = (a: (pixel: number) => number, b: (pixel: number) => number) =>
    pixels.reduce((sum, pixel) => sum + a(pixel) * b(pixel), 0) / pixels.length;
  const centred = (c: number) => (pixel: number) => before[c]![pixel]! - from[c]!;
  const normal = [0, 1, 2].map((a) => [0, 1, 2].map((b) => product(centred(a), centred(b)) + (a === b ? RIDGE : 0)));
  const rows = [0, 1, 2].map((out) => {
    const residual = (pixel: number) => after[out]![pixel]! - to[out]! - centred(out)(pixel);
    const change = solve(
      normal,
      [0, 1, 2].map((a) => product(centred(a), residual)),
    );
    return change.map((value, c) => value + (c === out ? 1 : 0));
  });
  return [...rows.flat(), ...rows.map((row, out) => to[out]! - row.reduce((sum, value, c) => sum + value * from[c]!, 0))];
}

interface Explained {
  readonly before: Planes;
  readonly after: Planes;
  readonly pixels: readonly number[];
}

function errorOf(map: ObjectMap, pairs: Explained): number {
  return Math.sqrt(squaredErrors(map, pairs).reduce((sum, error) => sum + error, 0) / (3 * pairs.pixels.length));
}

/** Of every pixel, summed over its channels. */
function squaredErrors(map: ObjectMap, { before, after, pixels }: Explained): Float32Array {
  const picked = (planes: Planes) => planes.map((plane) => Float32Array.from(pixels, (pixel) => plane[pixel]!)) as unknown as Planes;
  const mapped = picked(before);
  applyObjectMap(map, picked(before), mapped);
  const wanted = picked(after);
  return Float32Array.from(pixels, (_, i) => mapped.reduce((sum, plane, c) => sum + (plane[i]! - wanted[c]![i]!) ** 2, 0));
}

/** The mapped colours of `before` into `after`, unclamped. */
export function applyObjectMap({ first, second }: ObjectMap, before: Planes, after: Planes): void {
  const [red, green, blue] = before;
  for (let i = 0; i < red.length; i++) {
    const [r, g, b] = [red[i]!, green[i]!, blue[i]!];
    const part = second ? Math.min(1, Math.max(0, at(second.along, 0, r, g, b) + second.along[3])) : 0;
    for (let c = 0; c < 3; c++) {
      const one = at(first, c * 3, r, g, b) + first[9 + c]!;
      after[c]![i] = second ? one + part * (at(second.affine, c * 3, r, g, b) + second.affine[9 + c]! - one) : one;
    }
  }
}

function at(row: readonly number[], from: number, ...[r, g, b]: [number, number, number]): number {
  return row[from]! * r + row[from + 1]! * g + row[from + 2]! * b;
}
