import { sampleCount } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import { fullScale, type Photo } from '#engine/image/files/photo.js';
import { byLevels, countIn, countsOf, NOISE, type MaskValues } from './mask-levels.js';

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
/** Photographs of hard contrast have more of it, and texture: in shades this far from both, in so many of the pixels, a bend of more than this from pixel to pixel. */
const [BETWEEN, LEAST_BETWEEN, TEXTURE] = [64, 0.12, 1.2];
const MOST_EXTREME = 0.6;

/**
 * What a file paints, by the first of these rules that fits:
 * 1. A picture with transparent parts in it: the transparent parts.
 * 2. A layer of one colour beside transparency: its alpha.
 * 3. Otherwise brightness, the largest channel of each pixel, times alpha. Of colours on black every colour counts in full.
 *
 * Then the levels, see `byLevels`.
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
  const isPicture =
    !oneColour && (isGrayPicture(colours, { visible, extreme, partial: 0 }) || (extreme < MOST_EXTREME * visible && hasTexture(samples)));
  return { transparent: false, visible, oneColour, coloured: false, isPicture };
}

/** How far the shades between black and white bend, as second differences along the rows: what is soft hardly does. */
function hasTexture(samples: Samples): boolean {
  const unit = fullScale(samples) / 255;
  let [between, bend] = [0, 0];
  for (let i = 1; i + 1 < samples.length; i++) {
    const here = samples[i]! / unit;
    if (here < BETWEEN || here > 255 - BETWEEN) continue;
    between++;
    bend += Math.abs(samples[i - 1]! + samples[i + 1]! - 2 * samples[i]!) / unit;
  }
  return between >= LEAST_BETWEEN * samples.length && bend > TEXTURE * between;
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
