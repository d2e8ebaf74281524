import type { Notice } from '#contract/event.js';
import type { Photo } from '#engine/image/files/photo.js';

/** Values this near to black or white may be what compression or a scanner made of it, of 255. */
export const NOISE = 16;
/** Noise is never taken for more than this, of 255. */
const MOST_NOISE = 64;
/** Background noise stays below its mean and so many deviations. */
const DEVIATIONS = 4;
/** A file of at most so many values uses them as names, not as shades. */
const FEW_VALUES = 32;
/** Labels fill areas: of all neighbours so many are equal. Noise has no areas. */
const LEAST_EQUAL = 0.5;
/** The white of video, of 255. */
const VIDEO_WHITE = 235;
/** The numbers of bits that cameras, scanners and instruments write into words of 16. */
const DEPTHS = [8, 10, 12, 14, 16];

export interface MaskValues {
  /** 0 = keep, 255 = repaint. */
  readonly values: Uint8Array;
  readonly notices: readonly Notice[];
}

type Samples = Photo['samples'];

export function countsOf(samples: Samples, full: number): Uint32Array {
  const counts = new Uint32Array(full + 1);
  for (const value of samples) counts[value]!++;
  return counts;
}

/** Each sample through a table; a loop, because the arrays' own `from` takes a second for a large photograph. */
function throughTable(samples: Samples, table: Uint8Array): Uint8Array {
  const values = new Uint8Array(samples.length);
  for (let i = 0; i < values.length; i++) values[i] = table[samples[i]!]!;
  return values;
}

/**
 * The levels of a mask: a file of few dark values, in areas, is one of labels, where all but the lowest is painted; a black or
 * white that is not quite one counts as one, and so does any one shade that makes up most of what is painted.
 */
export function byLevels(samples: Samples, full: number, coloured: boolean): MaskValues {
  const counts = countsOf(samples, full);
  const used = [...counts.keys()].filter((value) => counts[value]! > 0);
  const [lowest = 0, highest = 0] = [used[0], used.at(-1)];
  if (highest === 0) return { values: new Uint8Array(samples.length), notices: [] };
  // What is alike all over and dark is an empty mask whose black is not quite one; of 0 and 1 all may be painted.
  if (lowest === highest && lowest > 1 && lowest < full / 2) return { values: new Uint8Array(samples.length), notices: [] };
  const few = used.length <= FEW_VALUES && (highest < full / 2 || coloured);
  if (few && hasAreas(samples)) return byLabels(samples, { lowest, highest, full });
  const top = Math.min(full, 2 ** DEPTHS.find((bits) => highest < 2 ** bits)! - 1);
  const shades = shadeCounts(counts, top);
  return stretched(samples, { top, full, ...limitsOf(shades, coloured) });
}

function byLabels(samples: Samples, { lowest, highest, full }: { lowest: number; highest: number; full: number }): MaskValues {
  const background = lowest === highest ? 0 : lowest;
  const table = Uint8Array.from({ length: full + 1 }, (_, value) => (value > background ? 255 : 0));
  const values = throughTable(samples, table);
  if (background === 0 && highest === full) return { values, notices: [] };
  const message = `The mask has no value above ${highest}: all but ${background} is repainted.`;
  return { values, notices: [{ code: 'mask.labels', message, details: { highest, background } }] };
}

/** How often each of 256 shades occurs. */
function shadeCounts(counts: Uint32Array, top: number): Uint32Array {
  const shades = new Uint32Array(256);
  counts.forEach((count, value) => {
    if (count > 0) shades[Math.min(255, Math.round((value * 255) / top))]! += count;
  });
  return shades;
}

interface Limits {
  /** What counts as black and as white, of 255. */
  readonly floor: number;
  readonly ceiling: number;
}

/** Soft edges have more middle shades than nearly black and nearly white ones; where it is the other way round, those are noise. */
function limitsOf(shades: Uint32Array, coloured: boolean): Limits {
  const [lowest, highest] = [shades.findIndex((count) => count > 0), shades.findLastIndex((count) => count > 0)];
  const paint = highest < VIDEO_WHITE ? paintOf(shades, lowest) : undefined;
  const mids = paint ? countIn(shades, lowest + NOISE + 1, paint - 1) : countIn(shades, lowest + NOISE + 1, highest - NOISE - 1);
  const isFloorNoisy = lowest < 128 && countIn(shades, lowest + 1, lowest + NOISE) > mids;
  const isCeilingNoisy = highest >= 128 && countIn(shades, highest - NOISE, highest - 1) > mids;
  const isWhite = highest >= VIDEO_WHITE || coloured;
  return {
    floor: lowest >= 128 ? 0 : isFloorNoisy ? noiseFloor(shades, lowest, paint) : lowest,
    ceiling: paint ?? (isWhite ? highest - (isCeilingNoisy ? NOISE : 0) : 255),
  };
}

/** The lowest shade of the one kind of paint that most of a mask was painted with; undefined where there is no such kind. */
function paintOf(shades: Uint32Array, lowest: number): number | undefined {
  const darkest = lowest + 2 * NOISE;
  const painted = countIn(shades, darkest, 255);
  let best = darkest;
  for (let from = darkest; from < 256; from++) if (isMore(shades, from, best)) best = from;
  if (countIn(shades, best, best + 2 * NOISE) * 2 <= painted) return undefined;
  // Flat paint has a shade of its own; compression spreads it.
  while (shades[best] === 0) best++;
  return best;
}

function isMore(shades: Uint32Array, from: number, best: number): boolean {
  return countIn(shades, from, from + 2 * NOISE) > countIn(shades, best, best + 2 * NOISE);
}

/** Neighbours are mostly equal. */
function hasAreas(samples: Samples): boolean {
  let equal = 0;
  for (let i = 1; i < samples.length; i++) if (samples[i] === samples[i - 1]) equal++;
  return equal >= LEAST_EQUAL * samples.length;
}

export function countIn(shades: Uint32Array, from: number, to: number): number {
  return shades.subarray(Math.max(0, from), Math.max(0, to + 1)).reduce((sum, count) => sum + count, 0);
}

function noiseFloor(shades: Uint32Array, lowest: number, paint = 256): number {
  const dark = shades.subarray(0, Math.min(paint, MOST_NOISE + 1));
  const count = countIn(dark, 0, MOST_NOISE);
  const mean = dark.reduce((sum, of, shade) => sum + of * shade, 0) / count;
  const variance = dark.reduce((sum, of, shade) => sum + of * (shade - mean) ** 2, 0) / count;
  return Math.min(MOST_NOISE, Math.max(lowest + NOISE, Math.ceil(mean + DEVIATIONS * Math.sqrt(variance))));
}

function stretched(samples: Samples, { top, full, floor, ceiling }: Limits & { readonly top: number; readonly full: number }): MaskValues {
  const table = Uint8Array.from({ length: full + 1 }, (_, value) => {
    const shade = Math.min(255, Math.round((value * 255) / top));
    return Math.round(Math.min(255, Math.max(0, ((shade - floor) * 255) / (ceiling - floor))));
  });
  const values = throughTable(samples, table);
  if (floor === 0 && ceiling === 255) return { values, notices: [] };
  const message = `In the mask everything up to ${floor} counts as black and from ${ceiling} on as white.`;
  return { values, notices: [{ code: 'mask.cleaned', message, details: { floor, ceiling } }] };
}
