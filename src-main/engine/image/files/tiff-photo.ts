import sharp from 'sharp';
import type { Notice } from '#contract/event.js';
import { ExpectedError } from '#contract/errors.js';
import { srgbOfLab } from './lab.js';
import { unmultiplied } from './alpha.js';
import { upright } from './orient.js';
import { fullScale, type ExtraChannels, type Layout, type Photo } from './photo.js';
import { ALPHA, PHOTOMETRIC, type TiffFacts } from './tiff-facts.js';
import { isDeepTiff, readTiffSamples } from './tiff-samples.js';
import { encodeCmykTiff } from './tiff-writer.js';

/** Four channels of the largest picture. */
const MAX_SAMPLES = 400_000_000;
/** Photoshop has 56; more are measurements, not channels of a photograph. */
const MAX_EXTRA = 53;

const INKS = 4;

type Samples = Photo['samples'];

/** The layout of a TIFF whose samples are read here. Throws `image.too-large`, `image.unsupported`. */
export function layoutOfTiff(facts: TiffFacts): Layout {
  expectReadable(facts);
  const { photometric } = facts;
  const gray = photometric <= PHOTOMETRIC.blackIsZero;
  const colours = gray ? 1 : 3;
  const deep = isDeepTiff(facts) && photometric !== PHOTOMETRIC.cmyk;
  const channels = alphaOf(facts) >= 0 ? colours + 1 : colours;
  return { channels: channels as Layout['channels'], deep, convert: !gray && photometric !== PHOTOMETRIC.rgb };
}

function expectReadable({ width, height, samples, bits, extras, tile }: TiffFacts): void {
  if (width * height * samples > MAX_SAMPLES) {
    throw new ExpectedError('image.too-large', `Expected at most ${String(MAX_SAMPLES / 1e6)} million samples but received more.`);
  }
  const tileSamples = tile.width * tile.height * samples;
  if (width * height > 0 && tileSamples > 0 && tileSamples <= MAX_SAMPLES && bits > 0 && bits <= 64 && extras.length <= MAX_EXTRA) return;
  const received = `a TIFF of ${String(samples)} samples of ${String(bits)} bits`;
  throw new ExpectedError('image.unsupported', `Expected a TIFF that can be read here but received ${received}.`, {
    details: { received },
  });
}

/** Which of the samples behind the colours is transparency; −1 where none is. */
function alphaOf({ extras }: TiffFacts): number {
  return extras.findIndex((kind) => kind !== ALPHA.unspecified);
}

export interface TiffPhoto {
  readonly samples: Samples;
  readonly extra?: ExtraChannels;
  readonly damaged: boolean;
  readonly notices: readonly Notice[];
}

/** Reads, converts and turns what the decoder would misread. Throws `image.unreadable` where nothing of it is there. */
export async function photoOfTiff(file: Uint8Array, facts: TiffFacts): Promise<TiffPhoto> {
  const { values, clipped, white, read } = readTiffSamples(file, facts);
  if (read === 0) throw new ExpectedError('image.unreadable', 'Expected a picture but received a damaged file.');
  const alpha = alphaOf(facts);
  const colours = facts.samples - facts.extras.length;
  const places = [...Array(colours).keys(), ...(alpha >= 0 ? [colours + alpha] : [])];
  const others = facts.extras.flatMap((_, i) => (i === alpha ? [] : [colours + i]));
  const picked = pick(values, facts.samples, places);
  const turned = upright(
    await straight(picked, places.length, { facts, premultiplied: facts.extras[alpha] === ALPHA.premultiplied }),
    facts,
    facts.orientation,
  );
  const extra = others.length > 0 ? upright(pick(values, facts.samples, others), facts, facts.orientation).samples : undefined;
  const expected =
    Math.ceil(facts.width / facts.tile.width) * Math.ceil(facts.height / facts.tile.height) * (facts.separate ? facts.samples : 1);
  return {
    samples: turned.samples,
    ...(extra && { extra: { count: others.length, samples: extra } }),
    damaged: read < expected,
    notices: noticesOf(facts, { clipped, white, channels: others.length }),
  };
}

interface Stored {
  readonly facts: TiffFacts;
  readonly premultiplied: boolean;
}

/** Converted, with straight alpha. Ink is divided by it as ink, everything else as the colours that it becomes. */
async function straight(picked: Samples, per: number, { facts, premultiplied }: Stored): Promise<Samples> {
  if (!premultiplied) return converted(picked, per, facts);
  if (facts.photometric === PHOTOMETRIC.cmyk) return converted(unmultiplied(picked, per), per, facts);
  return unmultiplied(await converted(picked, per, facts), per);
}

function pick(values: Samples, per: number, places: readonly number[]): Samples {
  if (places.length === per) return values;
  const pixels = values.length / per;
  const result = values.BYTES_PER_ELEMENT === 2 ? new Uint16Array(pixels * places.length) : new Uint8Array(pixels * places.length);
  for (let i = 0; i < pixels; i++) for (let c = 0; c < places.length; c++) result[i * places.length + c] = values[i * per + places[c]!]!;
  return result;
}

async function converted(samples: Samples, per: number, facts: TiffFacts): Promise<Samples> {
  switch (facts.photometric) {
    case PHOTOMETRIC.whiteIsZero:
      return inverted(samples, per);
    case PHOTOMETRIC.cielab:
    case PHOTOMETRIC.icclab:
      return srgbOfLab(samples, { per, signed: facts.photometric === PHOTOMETRIC.cielab });
    case PHOTOMETRIC.cmyk:
      return srgbOfCmyk(samples, per, facts);
    default:
      return samples;
  }
}

function inverted(samples: Samples, per: number): Samples {
  const full = fullScale(samples);
  // Transparency, where there is some, is not turned round.
  return samples.map((value, i) => (per === 2 && i % 2 === 1 ? value : full - value));
}

/** By the decoder, which knows profiles of ink, from a file without the further channels. */
async function srgbOfCmyk(samples: Samples, per: number, facts: TiffFacts): Promise<Samples> {
  const file = await encodeCmykTiff(facts, pick(samples, per, [0, 1, 2, 3]), facts.icc);
  const bytes = await sharp(file, { limitInputPixels: false }).toColourspace('srgb').removeAlpha().raw({ depth: 'uchar' }).toBuffer();
  return per > INKS ? withAlpha(bytes, pick(samples, per, [INKS])) : new Uint8Array(bytes);
}

/** Transparency is no ink: it stays as it is, in 8 bits like the colours. */
function withAlpha(colours: Uint8Array, alpha: Samples): Uint8Array {
  const result = new Uint8Array(alpha.length * 4);
  const full = fullScale(alpha);
  alpha.forEach((value, i) => {
    for (let c = 0; c < 3; c++) result[i * 4 + c] = colours[i * 3 + c]!;
    result[i * 4 + 3] = Math.round((value * 255) / full);
  });
  return result;
}

/** What white is where the values do not say otherwise. */
function whiteOf({ format, bits }: TiffFacts): number {
  return format === 'float' ? 1 : 2 ** (format === 'signed' ? bits - 1 : bits) - 1;
}

/** What the header tells of how the samples will be read. */
export function forewordOfTiff(facts: TiffFacts): readonly Notice[] {
  const channels = facts.extras.length - (alphaOf(facts) >= 0 ? 1 : 0);
  return noticesOf(facts, { clipped: false, white: whiteOf(facts), channels });
}

interface Reading {
  readonly clipped: boolean;
  readonly white: number;
  readonly channels: number;
}

function noticesOf(facts: TiffFacts, { clipped, white, channels }: Reading): readonly Notice[] {
  const { format, bits, photometric } = facts;
  const notices: Notice[] = [];
  const say = (code: Notice['code'], message: string) => notices.push({ code, message });
  if (photometric === PHOTOMETRIC.cmyk) say('image.cmyk', 'The picture was converted from CMYK to sRGB.');
  if (photometric >= PHOTOMETRIC.cielab) say('image.lab', 'The picture was converted from CIELAB to sRGB.');
  const kept = format === 'unsigned' && bits <= 16;
  const scaled = white === whiteOf(facts) ? '' : ` By its values, ${String(white)} was taken for white.`;
  const lost = clipped ? ' What is brighter than white or darker than black was clipped.' : '';
  if (!kept)
    say(
      'image.floats',
      `The picture holds ${format === 'float' ? 'floating-point numbers' : 'large or signed integers'} and is worked on with 16 bits per channel.${scaled}${lost}`,
    );
  if (channels > 0) say('image.channels', 'The file has channels that are neither colour nor transparency; only a TIFF keeps them.');
  return notices;
}
