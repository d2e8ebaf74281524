import { LUMA } from '#base/luma.js';
import type { Planes } from '#engine/image/colour/colour.js';
import { along, applyMap, bent, isGray, pieceOf, type ColourMap, type ColourPairs, type Tone } from './colour-map.js';
import { plainMaps } from './plain-maps.js';
import { solve } from './solve.js';

// x a colour before, y after · n samples

export interface FittedMap {
  readonly map: ColourMap;
  /** Mean squared error per sample, and what it is where nothing is done. */
  readonly error: number;
  readonly unedited: number;
}

/** A simpler map is kept while its squared error stays within this factor of the best one's: the rest is the decoder's noise. */
const AS_GOOD = 1.11;
/**
 * The same of a map of two numbers: what richer ones gain over it are the hues that a tokenizer cannot hold. Asked for such a
 * map, both built-in packs make one within 1.24 to 1.93 of the best; asked for another, they are 11 and more away from any.
 */
const PLAIN_AS_GOOD = 3;
/** The same of the negative, which has no number, against the best of two: a model makes it flatter than it is. */
const NEGATIVE_AS_GOOD = 1.6;
/** Colour of so little, root mean square of 1, is noise beside none at all: a gray axis is kept while it costs no more. */
const COLOURLESS = 0.015;
const RIDGE = 1e-4;
const KNOTS = 17;
/** Weight of the curve's bends against its misfit. */
const STIFFNESS = 1e-4;
const ROUNDS = 8;

const IDENTITY: ColourMap = { tones: [line([1, 0, 0]), line([0, 1, 0]), line([0, 0, 1])] };
/** Black for white and each colour for its opposite. */
const NEGATIVE: ColourMap = { tones: [line([-1, 0, 0], 1), line([0, -1, 0], 1), line([0, 0, -1], 1)] };

function line(weights: Tone['weights'], offset = 0): Tone {
  return { weights, offset };
}

/**
 * The simplest map that explains the pairs: nothing; one gray axis that keeps grays; one gray axis; the negative; the best of
 * the plain ones; one affine map; the gray and the affine one with tone curves. Simpler wins wherever the noise of the pairs allows.
 */
export function simplestMap(pairs: ColourPairs): FittedMap {
  const unedited = errorOf(IDENTITY, pairs);
  const fitted = (map: ColourMap) => ({ map, error: errorOf(map, pairs), unedited });
  const candidates = candidateMaps(pairs).map(fitted);
  const best = Math.min(...candidates.map(({ error }) => error));
  const isAsGood = ({ map, error }: FittedMap) => error <= (isGray(map) ? best + COLOURLESS ** 2 : AS_GOOD * best);
  const [own, axis, gray, ...richer] = candidates;
  const simplest = [own!, axis!, gray!].find(isAsGood);
  if (simplest) return simplest;
  const plain = plainMaps(pairs).map(fitted);
  const plainest = plain.reduce((a, b) => (b.error < a.error ? b : a));
  if (plainest.error > PLAIN_AS_GOOD * best) return richer.find(isAsGood)!;
  const negative = fitted(NEGATIVE);
  return negative.error <= NEGATIVE_AS_GOOD * plainest.error ? negative : plainest;
}

/** From the simplest to the richest. */
function candidateMaps({ before, after }: ColourPairs): ColourMap[] {
  const light = lightOf(after);
  const gray = fitLine(before, light, LIGHT);
  const lines = after.map((target, c) => fitLine(before, target, IDENTITY.tones[c]!));
  return [
    IDENTITY,
    equalChannels(fitAxis(before, light)),
    equalChannels(gray),
    { tones: lines as unknown as ColourMap['tones'] },
    equalChannels(fitCurve(before, light, gray)),
    { tones: lines.map((tone, c) => fitCurve(before, after[c]!, tone)) as unknown as ColourMap['tones'] },
  ];
}

function lightOf([red, green, blue]: Planes): Float32Array {
  return red.map((value, i) => (value + green[i]! + blue[i]!) / 3);
}

/** What a gray axis is pulled to where the pairs say nothing. */
const LIGHT: Tone = { weights: LUMA, offset: 0 };

function equalChannels(tone: Tone): ColourMap {
  return { tones: [tone, tone, tone] };
}

/** A gray axis on which grays stay: the weights sum to 1. */
function fitAxis([red, green, blue]: Planes, target: Float32Array): Tone {
  const inputs = [red, blue].map((plane) => plane.map((value, i) => value - green[i]!));
  const wanted = target.map((value, i) => value - green[i]!);
  const [r = 0, b = 0] = regress({ inputs, target: wanted }, [LIGHT.weights[0], LIGHT.weights[2]]);
  return line([r, 1 - r - b, b]);
}

function fitLine(before: Planes, target: Float32Array, prior: Tone): Tone {
  const [r = 0, g = 0, b = 0, offset = 0] = regress({ inputs: [...before, ones(target)], target }, [...prior.weights, prior.offset]);
  return { weights: [r, g, b], offset };
}

function ones(like: Float32Array): Float32Array {
  return new Float32Array(like.length).fill(1);
}

interface Samples {
  readonly inputs: readonly Float32Array[];
  readonly target: Float32Array;
  /** What every sample's inputs are multiplied with. */
  readonly slopes?: Float32Array;
}

/** Ridge regression towards `prior`. */
function regress({ inputs, target, slopes }: Samples, prior: readonly number[]): number[] {
  const size = inputs.length;
  const normal = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  const right = new Array<number>(size).fill(0);
  const sample = new Float64Array(size);
  for (let i = 0; i < target.length; i++) {
    let left = target[i]!;
    const slope = slopes ? slopes[i]! : 1;
    for (let k = 0; k < size; k++) {
      const value = slope * inputs[k]![i]!;
      left -= prior[k]! * value;
      sample[k] = value;
    }
    for (let k = 0; k < size; k++) {
      right[k]! += sample[k]! * left;
      for (let j = 0; j < size; j++) normal[k]![j]! += sample[k]! * sample[j]!;
    }
  }
  const change = solve(
    normal.map((row, k) => row.map((sum, j) => sum / target.length + (k === j ? RIDGE : 0))),
    right.map((value) => value / target.length),
  );
  return change.map((value, k) => value + prior[k]!);
}

/** Line and curve in turn: the curve by penalised least squares (P-spline of degree 1), the line by Gauss–Newton. */
function fitCurve(before: Planes, target: Float32Array, start: Tone): Tone {
  let tone = spread(start);
  for (let round = 0; ; round++) {
    const curved = { ...tone, curve: curveOf(before, target, tone) };
    if (round === ROUNDS - 1) return curved;
    tone = spread(turned(before, target, curved));
  }
}

/** The same line scaled so that it takes the cube of all colours to exactly 0..1. */
function spread({ weights }: Tone): Tone {
  const lowest = weights.reduce((sum, weight) => sum + Math.min(0, weight), 0);
  const span = Math.max(
    1e-6,
    weights.reduce((sum, weight) => sum + Math.abs(weight), 0),
  );
  return { weights: weights.map((weight) => weight / span) as unknown as Tone['weights'], offset: -lowest / span };
}

function curveOf(before: Planes, target: Float32Array, tone: Tone): Float32Array {
  const normal = bends();
  const right = new Array<number>(KNOTS).fill(0);
  const share = 1 / target.length;
  for (let i = 0; i < target.length; i++) {
    const { knot, part } = pieceOf(along(tone, before, i), KNOTS);
    const inside = Math.min(1, Math.max(0, part));
    const [low, high] = [(1 - inside) * share, inside * share];
    normal[knot]![knot]! += low * (1 - inside);
    normal[knot]![knot + 1]! += low * inside;
    normal[knot + 1]![knot]! += low * inside;
    normal[knot + 1]![knot + 1]! += high * inside;
    right[knot]! += low * target[i]!;
    right[knot + 1]! += high * target[i]!;
  }
  return Float32Array.from(solve(normal, right));
}

/** Squared second differences of the knots, as a matrix. */
function bends(): number[][] {
  const matrix = Array.from({ length: KNOTS }, () => new Array<number>(KNOTS).fill(0));
  const stencil = [1, -2, 1];
  for (let first = 0; first + 2 < KNOTS; first++) {
    stencil.forEach((a, i) => {
      stencil.forEach((b, j) => (matrix[first + i]![first + j]! += STIFFNESS * a * b));
    });
  }
  return matrix;
}

/** One Gauss–Newton step on the line under a fixed curve. */
function turned(before: Planes, target: Float32Array, tone: Required<Tone>): Tone {
  const { curve } = tone;
  const [slopes, residual] = [new Float32Array(target.length), new Float32Array(target.length)];
  for (let i = 0; i < target.length; i++) {
    const t = along(tone, before, i);
    const { knot } = pieceOf(t, KNOTS);
    slopes[i] = (curve[knot + 1]! - curve[knot]!) * (KNOTS - 1);
    residual[i] = target[i]! - bent(curve, t);
  }
  const [r = 0, g = 0, b = 0, offset = 0] = regress({ inputs: [...before, ones(target)], target: residual, slopes }, [0, 0, 0, 0]);
  const [red, green, blue] = tone.weights;
  return { weights: [red + r, green + g, blue + b], offset: tone.offset + offset };
}

/** Mean squared error over all channels; what lies outside 0..1 counts as clamped. */
function errorOf(map: ColourMap, { before, after }: ColourPairs): number {
  const mapped: Planes = [new Float32Array(before[0].length), new Float32Array(before[0].length), new Float32Array(before[0].length)];
  applyMap(map, before, mapped);
  let total = 0;
  mapped.forEach((plane, c) => {
    for (let i = 0; i < plane.length; i++) total += (Math.min(1, Math.max(0, plane[i]!)) - after[c]![i]!) ** 2;
  });
  return total / (3 * before[0].length);
}
