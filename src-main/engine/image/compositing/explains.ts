import type { Extent } from '#base/geometry.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { resizeArea } from '#engine/tensor/resample.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { applyMap, isGray, type ColourMap, type ColourPairs } from './colour-map.js';
import { planesOf, type Planes } from '#engine/image/colour/colour.js';

/** A tokenizer's wavering averages out over this share of the picture's height; what an edit did stays. */
const SIGMA_SHARE = 1 / 32;
/** More rows than that hold no more of what is left then: larger pictures are judged by means of squares. */
const ROWS = 128;
/** Root mean squares, of 1. Below `WAVERS` a decoded pair differs by the tokenizer's mood alone, below `DRIFTS` by a model that did nearly as told. */
const [WAVERS, DRIFTS] = [0.04, 0.045];
/** Shares of the change that may stay unexplained: by a map that drifts, and by any. */
const [UNSURE, SURE] = [0.5, 0.3];

/** Two decoded pictures `[1, 3, h, w]`, and how much each pixel counts, `[…, h, w]`. */
export interface DecodedPair {
  readonly before: FloatTensor;
  readonly after: FloatTensor;
  readonly where?: FloatTensor;
}

export interface Misfit {
  /** Root mean square of what changed. */
  readonly change: number;
  /** The same of what the map leaves unexplained. */
  readonly left: number;
}

/** How far a map explains an edit, once the noise of single pixels is averaged away. */
export function misfitOf(map: ColourMap, decoded: DecodedPair): Misfit {
  const pair = coarse(decoded);
  const pairs = pairsOf(pair);
  const mapped = pairs.before.map((plane) => new Float32Array(plane.length)) as unknown as Planes;
  applyMap(map, pairs.before, mapped);
  mapped.forEach((plane) => {
    plane.forEach((value, i) => (plane[i] = Math.min(1, Math.max(0, value))));
  });
  const counts = countsOf(pair);
  return { change: rootMeanSquare(pairs.after, pairs.before, counts), left: rootMeanSquare(pairs.after, mapped, counts) };
}

/**
 * Whether what a picture became is what `map` makes of it; where next to nothing happened to it, a map that does something
 * may still hold. A picture that lost its colours as a gray map asks obeyed it, however dark or light the model made them.
 */
export function explains(map: ColourMap, pair: DecodedPair): boolean {
  const { change, left } = isGray(map) ? colourLeft(pair) : misfitOf(map, pair);
  if (change < WAVERS || left < WAVERS) return true;
  return left < SURE * change || (left < DRIFTS && left < UNSURE * change);
}

/** The misfit of a gray map in colour alone. */
function colourLeft(decoded: DecodedPair): Misfit {
  const pair = coarse(decoded);
  const { before, after } = pairsOf(pair);
  const counts = countsOf(pair);
  const gray = [grayOf(after), grayOf(after), grayOf(after)] as const;
  return { change: rootMeanSquare(after, before, counts), left: rootMeanSquare(after, gray, counts) };
}

function grayOf([red, green, blue]: Planes): Float32Array {
  return red.map((value, i) => (value + green[i]! + blue[i]!) / 3);
}

function coarse({ before, after, where }: DecodedPair): DecodedPair {
  const [, , height = 0, width = 0] = before.dims;
  const rows = Math.min(ROWS, height);
  const columns = Math.max(1, Math.round((width * rows) / height));
  const shrunk = (map: FloatTensor): FloatTensor => {
    const { dims, data } = resizeArea({ ...map, dims: [map.data.length / (height * width), height, width] }, [rows, columns]);
    return { ...map, dims: [1, ...dims], data };
  };
  return { before: shrunk(before), after: shrunk(after), ...(where && { where: shrunk(where) }) };
}

function countsOf({ before, where }: DecodedPair): Counts {
  const [, , height = 0, width = 0] = before.dims;
  return { extent: { width, height }, where: where?.data };
}

export function pairsOf({ before, after }: DecodedPair): ColourPairs {
  return { before: planesOf(before), after: planesOf(after) };
}

interface Counts {
  readonly extent: Extent;
  readonly where: Float32Array | undefined;
}

/** Of the low-passed difference, where it counts. */
function rootMeanSquare(a: Planes, b: Planes, { extent, where }: Counts): number {
  const sigma = extent.height * SIGMA_SHARE;
  const weights = where && gaussian(where, extent, sigma);
  let [total, count] = [0, 0];
  for (let c = 0; c < 3; c++) {
    const low = gaussian(
      a[c]!.map((value, i) => (value - b[c]![i]!) * (where ? where[i]! : 1)),
      extent,
      sigma,
    );
    for (let i = 0; i < low.length; i++) {
      total += low[i]! ** 2;
      count += weights ? weights[i]! ** 2 : 1;
    }
  }
  return Math.sqrt(total / Math.max(1e-9, count));
}
