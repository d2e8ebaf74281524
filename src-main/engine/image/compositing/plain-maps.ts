import { LUMA, luma } from '#base/luma.js';
import type { Planes } from '#engine/image/colour/colour.js';
import type { ColourMap, ColourPairs, Tone } from './colour-map.js';

/** A tokenizer keeps pale colours best, and of a plain map they tell all: how fast the say of a colour falls with its spread of channels, of 1. */
const PALE = 0.3;
const ROUNDS = 8;
/** Powers that are tried, in stages: each looks closer about the best of the last. Every so manieth sample is enough. */
const [LEAST_POWER, MOST_POWER, TRIES, STAGES, EVERY] = [0.3, 3, 8, 3, 4];
/** A power's curve has the knots of the grid through which maps of colours are applied. */
const KNOTS = 33;

/** Pairs, and how much each sample counts. */
interface Weighed extends ColourPairs {
  readonly counts: Float32Array;
}

/**
 * The maps of a darkroom that have no more than two numbers, fitted to the pairs: one line for all channels that ends at black
 * and white (contrast, inversion), one power for all of them (gamma), and more or less colour about the pixel's own light.
 */
export function plainMaps(pairs: ColourPairs): readonly ColourMap[] {
  const weighed = { ...pairs, counts: palenessOf(pairs.before) };
  return [lineMap(weighed), powerMap(weighed), saturationMap(weighed)];
}

function palenessOf([red, green, blue]: Planes): Float32Array {
  return red.map((value, i) => {
    const spread = Math.max(value, green[i]!, blue[i]!) - Math.min(value, green[i]!, blue[i]!);
    return Math.exp(-((spread / PALE) ** 2));
  });
}

function perChannel(toneOf: (channel: number) => Tone): ColourMap {
  return { tones: [toneOf(0), toneOf(1), toneOf(2)] };
}

/** `amount` of the own channel, and `light` of the pixel's light. */
function mixed(channel: number, amount: number, light: number): Tone['weights'] {
  const [r, g, b] = LUMA.map((share, c) => light * share + (c === channel ? amount : 0));
  return [r!, g!, b!];
}

/** Weighted least squares in rounds: what the last line drove beyond black or white says nothing of its slope. */
function lineMap({ before, after, counts }: Weighed): ColourMap {
  let [slope, offset] = [1, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const sums = { n: 0, x: 0, y: 0, xx: 0, xy: 0 };
    before.forEach((plane, c) => {
      const target = after[c]!;
      for (let i = 0; i < plane.length; i++) {
        const x = plane[i]!;
        const y = target[i]!;
        const count = counts[i]!;
        const said = slope * x + offset;
        if (round > 0 && (said <= 0 || said >= 1)) continue;
        sums.n += count;
        sums.x += count * x;
        sums.y += count * y;
        sums.xx += count * x * x;
        sums.xy += count * x * y;
      }
    });
    const spread = sums.n * sums.xx - sums.x ** 2;
    if (spread <= 1e-9) break;
    slope = (sums.n * sums.xy - sums.x * sums.y) / spread;
    offset = (sums.y - slope * sums.x) / sums.n;
  }
  return perChannel((channel) => ({ weights: mixed(channel, slope, 0), offset }));
}

function powerMap(pairs: Weighed): ColourMap {
  let [low, high, power] = [LEAST_POWER, MOST_POWER, 1];
  for (let stage = 0; stage < STAGES; stage++) {
    const step = (high / low) ** (1 / (TRIES - 1));
    const tried = Array.from({ length: TRIES }, (_, k) => low * step ** k);
    const errors = tried.map((one) => powerError(pairs, one));
    power = tried[errors.indexOf(Math.min(...errors))]!;
    [low, high] = [power / step, power * step];
  }
  const curve = Float32Array.from({ length: KNOTS }, (_, k) => (k / (KNOTS - 1)) ** power);
  return perChannel((channel) => ({ weights: mixed(channel, 1, 0), offset: 0, curve }));
}

function powerError({ before, after, counts }: Weighed, power: number): number {
  let total = 0;
  before.forEach((plane, c) => {
    for (let i = 0; i < plane.length; i += EVERY) total += counts[i]! * (Math.max(0, plane[i]!) ** power - after[c]![i]!) ** 2;
  });
  return total;
}

function saturationMap({ before: [red, green, blue], after, counts }: Weighed): ColourMap {
  const light = red.map((value, i) => luma(value, green[i]!, blue[i]!));
  let amount = 1;
  for (let round = 0; round < ROUNDS; round++) {
    let [product, square] = [0, 1e-9];
    [red, green, blue].forEach((plane, c) => {
      for (let i = 0; i < plane.length; i++) {
        const colour = plane[i]! - light[i]!;
        const said = light[i]! + amount * colour;
        if (said <= 0 || said >= 1) continue;
        product += counts[i]! * colour * (after[c]![i]! - light[i]!);
        square += counts[i]! * colour * colour;
      }
    });
    amount = product / square;
  }
  return perChannel((channel) => ({ weights: mixed(channel, amount, 1 - amount), offset: 0 }));
}
