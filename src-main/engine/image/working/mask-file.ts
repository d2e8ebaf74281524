import { sampleCount } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import { fullScale, type Photo } from '#engine/image/files/photo.js';

/** Values this near to black or white may be what compression or a scanner made of it, of 255. */
const NOISE = 16;
/** Noise is never taken for more than this, of 255. */
const MOST_NOISE = 64;
/** Background noise stays below its mean and so many deviations. */
const DEVIATIONS = 4;
/** A file of at most so many values uses them as names, not as shades. */
const FEW_VALUES = 32;
/** Channels that are this far apart, of 255, make a colour; compression makes less. */
const COLOURED = 24;
/** At least this share of the pixels is coloured in a file of colours. */
const SOME_COLOUR = 0.005;
/** Paint has few colours: so many of 4 bits per channel make up most of it; on black soft edges have darker ones too. */
const [FEW_COLOURS, FEW_ON_BLACK, MOST_OF_IT] = [8, 48, 0.95];
/** What is painted in colours lies on black. */
const LEAST_BLACK = 0.01;
/** A mask is black or white here and there; a photograph in gray hardly. */
const LEAST_EXTREME = 0.05;

export interface MaskValues {
  /** 0 = keep, 255 = repaint. */
  readonly values: Uint8Array;
  readonly notices: readonly Notice[];
}

/**
 * What a file paints, by the first of these rules that fits:
 * 1. A picture with transparent parts in it: the transparent parts.
 * 2. A layer of one colour beside transparency: its alpha.
 * 3. Otherwise brightness, the largest channel of each pixel, times alpha. Of colours on black every colour counts in full.
 *
 * Then the levels: a file of few dark values is one of labels, where all but the lowest is painted; a black or white that
 * is not quite one counts as one.
 *
 * @throws ExpectedError `mask.invalid` for pictures that are no mask.
 */
export function paintedValues(file: Photo): MaskValues {
  const photo = withoutCopies(file);
  const facts = factsOf(photo);
  if (facts.transparent && facts.visible > 0 && facts.isPicture) return byErasure(photo);
  if (facts.transparent && facts.oneColour) return byLevels(alphaOf(photo), fullScale(photo.samples), false);
  if (facts.isPicture) throw noMask();
  return byLevels(brightness(photo), fullScale(photo.samples), facts.coloured);
}

function noMask(): ExpectedError {
  const wanted = 'Expected a mask, white where to repaint or with that part erased,';
  return new ExpectedError('mask.invalid', `${wanted} but received a picture without transparent parts.`);
}

function byErasure(photo: Photo): MaskValues {
  const alpha = alphaOf(photo);
  const full = fullScale(photo.samples);
  alpha.forEach((value, i) => (alpha[i] = full - value));
  const { values } = byLevels(alpha, full, false);
  return { values, notices: [{ code: 'mask.erased', message: 'The mask is a picture: what is transparent in it is repainted.' }] };
}

interface Facts {
  readonly transparent: boolean;
  /** Pixels that are not wholly transparent. */
  readonly visible: number;
  /** All that is visible has one colour. */
  readonly oneColour: boolean;
  readonly coloured: boolean;
  /** What is visible looks like a picture, not like paint. */
  readonly isPicture: boolean;
}

/** A file in colours, or with transparency, that uses neither, as the gray one that it is: most masks are such files. */
function withoutCopies(photo: Photo): Photo {
  const { samples, channels, extent } = photo;
  if (channels === 1) return photo;
  const full = fullScale(samples);
  const [green, blue, alpha] = [channels > 2 ? 1 : 0, channels > 2 ? 2 : 0, channels % 2 === 0 ? channels - 1 : 0];
  const gray = samples.slice(0, sampleCount(extent));
  for (let i = 0, at = 0; i < gray.length; i++, at += channels) {
    const value = samples[at]!;
    if (value !== samples[at + green] || value !== samples[at + blue] || (alpha > 0 && samples[at + alpha] !== full)) return photo;
    gray[i] = value;
  }
  return { ...photo, channels: 1, samples: gray };
}

/** Of a gray file without transparency all is in how often each shade occurs. */
function grayFacts({ samples, extent }: Photo): Facts {
  const shades = new Uint32Array(256);
  const unit = fullScale(samples) / 255;
  countsOf(samples, fullScale(samples)).forEach((count, value) => (shades[Math.round(value / unit)]! += count));
  const visible = sampleCount(extent);
  const colours = new Uint32Array(4096);
  shades.forEach((count, shade) => (colours[(shade >> 4) * 0x111]! += count));
  const extreme = countIn(shades, 0, NOISE) + countIn(shades, 255 - NOISE, 255);
  const oneColour = shades.filter((count) => count > 0).length === 1;
  const isPicture = !oneColour && isGrayPicture(colours, { visible, extreme, partial: 0 });
  return { transparent: false, visible, oneColour, coloured: false, isPicture };
}

function factsOf(photo: Photo): Facts {
  if (photo.channels === 1) return grayFacts(photo);
  const count = sampleCount(photo.extent);
  const read = pixelReader(photo);
  const colours = new Uint32Array(4096);
  let [visible, partial, coloured, extreme, first, oneColour] = [0, 0, 0, 0, -1, true];
  for (let i = 0; i < count; i++) {
    const { red, green, blue, alpha } = read(i);
    if (alpha < 255) partial++;
    if (alpha === 0) continue;
    visible++;
    const colour = (red << 16) | (green << 8) | blue;
    if (first < 0) first = colour;
    oneColour &&= colour === first;
    const [lowest, highest] = [Math.min(red, green, blue), Math.max(red, green, blue)];
    if (highest - lowest > COLOURED) coloured++;
    if (highest <= NOISE || lowest >= 255 - NOISE) extreme++;
    colours[((red >> 4) << 8) | (green & 0xf0) | (blue >> 4)]!++;
  }
  const isColoured = coloured > SOME_COLOUR * visible;
  return {
    transparent: partial > 0,
    visible,
    oneColour,
    coloured: isColoured,
    isPicture: !oneColour && (isColoured ? !isPaint(colours, { visible, partial }) : isGrayPicture(colours, { visible, extreme, partial })),
  };
}

interface Shares {
  readonly visible: number;
  /** Pixels that are transparent in part or wholly. */
  readonly partial: number;
}

/** Few colours on black or on nothing. */
function isPaint(colours: Uint32Array, { visible, partial }: Shares): boolean {
  if (partial === 0 && colours[0]! < LEAST_BLACK * visible) return false;
  const most = [...colours].sort((a, b) => b - a).slice(0, partial > 0 ? FEW_COLOURS : FEW_ON_BLACK);
  return most.reduce((sum, value) => sum + value, 0) >= MOST_OF_IT * visible;
}

/** Shades all over, hardly any black or white; beside transparency, fewer of those than of others. */
function isGrayPicture(colours: Uint32Array, { visible, extreme, partial }: Shares & { readonly extreme: number }): boolean {
  const shades = colours.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);
  const least = partial > 0 ? 0.5 : LEAST_EXTREME;
  return shades > 4 && extreme < least * visible;
}

interface Pixel {
  red: number;
  green: number;
  blue: number;
  alpha: number;
}

/** Pixels of 8 bits; the same object every time. */
function pixelReader({ samples, channels }: Photo): (i: number) => Pixel {
  const unit = fullScale(samples) / 255;
  const gray = channels <= 2;
  const pixel: Pixel = { red: 0, green: 0, blue: 0, alpha: 255 };
  return (i) => {
    const at = i * channels;
    pixel.red = Math.round(samples[at]! / unit);
    pixel.green = gray ? pixel.red : Math.round(samples[at + 1]! / unit);
    pixel.blue = gray ? pixel.red : Math.round(samples[at + 2]! / unit);
    if (channels % 2 === 0) pixel.alpha = Math.round(samples[at + channels - 1]! / unit);
    return pixel;
  };
}

type Samples = Photo['samples'];

function alphaOf({ samples, channels, extent }: Photo): Samples {
  const alpha = samples.slice(0, sampleCount(extent));
  for (let i = 0; i < alpha.length; i++) alpha[i] = samples[i * channels + channels - 1]!;
  return alpha;
}

/** The largest channel of each pixel, times its alpha. */
function brightness({ samples, channels, extent }: Photo): Samples {
  if (channels === 1) return samples;
  const full = fullScale(samples);
  const bright = samples.slice(0, sampleCount(extent));
  for (let i = 0; i < bright.length; i++) {
    const at = i * channels;
    const light = channels <= 2 ? samples[at]! : Math.max(samples[at]!, samples[at + 1]!, samples[at + 2]!);
    bright[i] = channels % 2 === 0 ? Math.round((light * samples[at + channels - 1]!) / full) : light;
  }
  return bright;
}

function countsOf(samples: Samples, full: number): Uint32Array {
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

function byLevels(samples: Samples, full: number, coloured: boolean): MaskValues {
  const counts = countsOf(samples, full);
  const used = [...counts.keys()].filter((value) => counts[value]! > 0);
  const [lowest = 0, highest = 0] = [used[0], used.at(-1)];
  if (highest === 0) return { values: new Uint8Array(samples.length), notices: [] };
  if (used.length <= FEW_VALUES && (highest < full / 2 || coloured)) return byLabels(samples, { lowest, highest, full });
  // Values of 8 bits in a file of 16.
  const top = highest <= 255 ? 255 : full;
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
  const mids = countIn(shades, lowest + NOISE + 1, highest - NOISE - 1);
  const isFloorNoisy = lowest < 128 && countIn(shades, lowest + 1, lowest + NOISE) > mids;
  const isCeilingNoisy = highest >= 128 && countIn(shades, highest - NOISE, highest - 1) > mids;
  const isWhite = highest >= 255 - NOISE || coloured;
  return {
    floor: lowest >= 128 ? 0 : isFloorNoisy ? noiseFloor(shades, lowest) : lowest,
    ceiling: isWhite ? highest - (isCeilingNoisy ? NOISE : 0) : 255,
  };
}

function countIn(shades: Uint32Array, from: number, to: number): number {
  return shades.subarray(Math.max(0, from), Math.max(0, to + 1)).reduce((sum, count) => sum + count, 0);
}

function noiseFloor(shades: Uint32Array, lowest: number): number {
  const dark = shades.subarray(0, MOST_NOISE + 1);
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
