import type { CodePoints } from './photo.js';
import { makeProfile, type Primaries, type Tone } from './make-profile.js';

// Colours named by code points (ITU-T H.273: cICP in PNG, nclx in AVIF) or by gamma and chromaticities (PNG).

const D65 = [0.3127, 0.329] as const;
const DCI = [0.314, 0.351] as const;
const C = [0.31, 0.316] as const;

export const SRGB_PRIMARIES: Primaries = { red: [0.64, 0.33], green: [0.3, 0.6], blue: [0.15, 0.06], white: D65 };

const PRIMARIES: Readonly<Record<number, Primaries>> = {
  1: SRGB_PRIMARIES,
  4: { red: [0.67, 0.33], green: [0.21, 0.71], blue: [0.14, 0.08], white: C },
  5: { red: [0.64, 0.33], green: [0.29, 0.6], blue: [0.15, 0.06], white: D65 },
  6: { red: [0.63, 0.34], green: [0.31, 0.595], blue: [0.155, 0.07], white: D65 },
  7: { red: [0.63, 0.34], green: [0.31, 0.595], blue: [0.155, 0.07], white: D65 },
  9: { red: [0.708, 0.292], green: [0.17, 0.797], blue: [0.131, 0.046], white: D65 },
  11: { red: [0.68, 0.32], green: [0.265, 0.69], blue: [0.15, 0.06], white: DCI },
  12: { red: [0.68, 0.32], green: [0.265, 0.69], blue: [0.15, 0.06], white: D65 },
  22: { red: [0.63, 0.34], green: [0.295, 0.605], blue: [0.155, 0.077], white: D65 },
};

const SRGB_TONE = [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045];
const VIDEO_TONE = [1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081];

const TONES: Readonly<Record<number, Tone>> = {
  1: VIDEO_TONE,
  4: [2.2],
  5: [2.8],
  6: VIDEO_TONE,
  7: [1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0913],
  8: [1],
  13: SRGB_TONE,
  14: VIDEO_TONE,
  15: VIDEO_TONE,
  16: perceptualQuantiser,
  17: [2.6],
  18: hybridLogGamma,
};

const UNSPECIFIED = 2;
const BT709 = 1;
const SRGB = 13;
/** Diffuse white of graded HDR pictures (ITU-R BT.2408), in cd/m². */
const WHITE = 203;

/** SMPTE ST 2084, with diffuse white as 1; what is brighter is clipped. */
function perceptualQuantiser(value: number): number {
  const root = value ** (1 / 78.84375);
  const light = (Math.max(0, root - 0.8359375) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125);
  return (light * 10_000) / WHITE;
}

/** ITU-R BT.2100 on a screen of 1000 cd/m², with diffuse white as 1. */
function hybridLogGamma(value: number): number {
  const [a, b, c] = [0.17883277, 0.28466892, 0.55991073];
  const scene = value <= 0.5 ? value ** 2 / 3 : (Math.exp((value - c) / a) + b) / 12;
  return (scene ** 1.2 * 1000) / WHITE;
}

/** Brightness beyond a display's white is meant. */
export function isHdr([, transfer]: CodePoints): boolean {
  return transfer === 16 || transfer === 18;
}

const ADOBE: Primaries = { ...SRGB_PRIMARIES, green: [0.21, 0.71] };

/** As Adobe's own specification of 2005 gives it. */
export function adobeRgb(): Uint8Array {
  return makeProfile({ name: 'Compatible with Adobe RGB (1998)', primaries: ADOBE, tone: [563 / 256] }, 'RGB ');
}

/** What a file says of its colours where it has no profile. */
export type Naming = { readonly kind: 'plain' } | { readonly kind: 'profile'; readonly icc: Uint8Array } | { readonly kind: 'unknown' };

const PLAIN: Naming = { kind: 'plain' };

/** sRGB is plain; everything else that is known becomes a profile of the same meaning. */
export function namingOfCodePoints(codePoints: CodePoints, model: 'GRAY' | 'RGB ', level?: (value: number) => number): Naming {
  const [p, t] = codePoints;
  const [colour, transfer] = [p === UNSPECIFIED ? BT709 : p, t === UNSPECIFIED ? SRGB : t];
  if (!level && transfer === SRGB && (colour === BT709 || model === 'GRAY')) return PLAIN;
  const [primaries, tone] = [PRIMARIES[colour], TONES[transfer]];
  if (!primaries || !tone) return { kind: 'unknown' };
  const name = `CICP ${String(colour)}/${String(transfer)}${level ? ' of video levels' : ''}`;
  const curve = level ? (value: number) => toneFunction(tone)(level(value)) : tone;
  return { kind: 'profile', icc: makeProfile({ name, primaries, tone: curve }, model) };
}

/** Samples themselves are stored so, not what they were coded into: as in PNG, which knows no matrix. */
export function namingOfSamples(codePoints: CodePoints, { model, bits }: { model: 'GRAY' | 'RGB '; bits: number }): Naming {
  const [, , matrix, fullRange] = codePoints;
  if (matrix !== 0 && model !== 'GRAY') return { kind: 'unknown' };
  return namingOfCodePoints(codePoints, model, fullRange === 0 ? videoLevels(bits) : undefined);
}

/** Black and white of video (ITU-R BT.2100, table 9) as the ends of a curve; what lies beyond them is clipped. */
function videoLevels(bits: number): (value: number) => number {
  const step = 2 ** (bits - 8) / (2 ** bits - 1);
  return (value) => Math.min(1, Math.max(0, (value / step - 16) / 219));
}

function toneFunction(tone: Tone): (value: number) => number {
  if (typeof tone === 'function') return tone;
  const [g = 1, a = 1, b = 0, c = 0, d = 0] = tone;
  return (value) => (tone.length === 1 || value >= d ? (a * value + b) ** g : c * value);
}

/** A gamma and corners this near to sRGB's mean sRGB. */
const NEAR = 0.002;
const NEAR_GAMMA = 0.01;

/** By PNG's gAMA (the exponent that was applied, 0.45455 for sRGB) and cHRM. */
export function namingOfGamma({ gamma, corners }: { gamma: number; corners?: Primaries }, model: 'GRAY' | 'RGB '): Naming {
  const primaries = corners && model === 'RGB ' && !isNear(corners, SRGB_PRIMARIES) ? corners : undefined;
  const usual = Math.abs(gamma - 1 / 2.2) < NEAR_GAMMA;
  if (usual && !primaries) return PLAIN;
  if (!(gamma > 0.1 && gamma < 4) || (primaries && !isPossible(primaries))) return { kind: 'unknown' };
  const tone = usual ? SRGB_TONE : [1 / gamma];
  return {
    kind: 'profile',
    icc: makeProfile({ name: `gamma ${(1 / gamma).toFixed(2)}`, primaries: primaries ?? SRGB_PRIMARIES, tone }, model),
  };
}

function isNear(a: Primaries, b: Primaries): boolean {
  return (['red', 'green', 'blue', 'white'] as const).every((corner) =>
    [0, 1].every((i) => Math.abs(a[corner][i]! - b[corner][i]!) < NEAR),
  );
}

/** Corners that lie on one line, or a white without light, span no colours. */
function isPossible({ red, green, blue, white }: Primaries): boolean {
  const area = (green[0] - red[0]) * (blue[1] - red[1]) - (blue[0] - red[0]) * (green[1] - red[1]);
  return Math.abs(area) > 0.005 && [red, green, blue, white].every(([x, y]) => x >= 0 && x <= 1 && y > 0.001 && x + y <= 1.1);
}
