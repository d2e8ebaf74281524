import { createHash } from 'node:crypto';
import { remember } from '#base/remember.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { applyCube, cubeFromP3, cubeToP3, type ColourCube } from './colour-cube.js';
import { readMatrixProfile, type MatrixProfile, type ToneCurve } from '#engine/image/files/icc-profile.js';
import { inverse, product } from '#engine/image/files/make-profile.js';
import type { Photo } from '#engine/image/files/photo.js';
import { forwardTable, inverseTable, lookUp, type ToneTable } from './tone-table.js';

/** Red, green and blue (equal for gray photos), each `[n]` in 0..1 of the space it is in. */
export type Planes = readonly [Float32Array, Float32Array, Float32Array];

/** The colours of a picture `[1, 3, h, w]`, as views of it. */
export function planesOf({ data }: FloatTensor): Planes {
  const pixels = data.length / 3;
  return [data.subarray(0, pixels), data.subarray(pixels, 2 * pixels), data.subarray(2 * pixels)];
}

/** Both directions between a photo's own colours and sRGB, on planes in place. */
export interface ColourSpace {
  /** True where nothing has to be done: the photo is sRGB, or says nothing of its colours. */
  readonly plain: boolean;
  toSrgb(planes: Planes): void;
  fromSrgb(planes: Planes): void;
}

const SRGB: ColourSpace = { plain: true, toSrgb: () => undefined, fromSrgb: () => undefined };

/** Linear sRGB to XYZ, adapted to D50 (Bradford), as every sRGB profile carries it. */
const SRGB_TO_XYZ = [0.4360747, 0.3850649, 0.1430804, 0.2225045, 0.7168786, 0.0606169, 0.0139322, 0.0971045, 0.7141733];

/** Linear Display P3 to XYZ, adapted to D50. */
const P3_TO_XYZ = [0.515121, 0.291977, 0.157104, 0.241196, 0.692245, 0.066574, -0.001053, 0.041885, 0.784073];

/** A profile whose matrix and curves stay within this of sRGB's is sRGB, rounded differently. */
const SAME_SPACE = 2e-3;

/** By digest, because each decode brings its profile anew; more than a session opens. */
const known = new Map<string, Promise<ColourSpace>>();
const MOST_KNOWN = 16;

/** The colours that a photo's samples mean. Matrix profiles keep colours outside sRGB; table profiles clamp them. */
export function colourSpaceOf({ icc }: Pick<Photo, 'icc'>): Promise<ColourSpace> {
  if (!icc) return Promise.resolve(SRGB);
  const key = createHash('sha256').update(icc).digest('hex');
  if (!known.has(key) && known.size >= MOST_KNOWN) known.delete(known.keys().next().value!);
  return remember(known, key, () => makeSpace(icc));
}

async function makeSpace(icc: Uint8Array): Promise<ColourSpace> {
  const profile = readMatrixProfile(icc);
  if (profile) return isSrgb(profile) ? SRGB : matrixSpace(profile);
  try {
    return cubeSpace(await cubeToP3(icc), await cubeFromP3(icc));
  } catch {
    // A profile that even the colour engine refuses says nothing about the samples; its bytes are kept all the same.
    return SRGB;
  }
}

/** For profiles that work by tables; exported for comparison with the exact way. */
export function cubeSpace(toP3: ColourCube, fromP3: ColourCube): ColourSpace {
  const p3 = matrixSpace({ kind: 'rgb', curves: [srgbCurve, srgbCurve, srgbCurve], matrix: P3_TO_XYZ });
  return {
    plain: false,
    toSrgb: (planes) => {
      applyCube(toP3, planes);
      p3.toSrgb(planes);
    },
    fromSrgb: (planes) => {
      p3.fromSrgb(planes);
      applyCube(fromP3, planes);
    },
  };
}

function srgbCurve(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function isSrgb(profile: MatrixProfile): boolean {
  const near = (curve: ToneCurve) => [0.1, 0.25, 0.5, 0.75, 0.9].every((value) => Math.abs(curve(value) - srgbCurve(value)) < SAME_SPACE);
  if (!profile.curves.every(near)) return false;
  return profile.kind === 'gray' || profile.matrix.every((value, i) => Math.abs(value - SRGB_TO_XYZ[i]!) < SAME_SPACE);
}

function matrixSpace(profile: MatrixProfile): ColourSpace {
  const curves = profile.kind === 'gray' ? [0, 1, 2].map(() => profile.curves[0]!) : profile.curves;
  const matrix = profile.kind === 'gray' ? IDENTITY : product(inverse(SRGB_TO_XYZ), profile.matrix);
  const to: Conversion = { before: curves.map(forwardTable), matrix, after: [0, 1, 2].map(() => inverseTable(srgbCurve)) };
  const from: Conversion = {
    before: [0, 1, 2].map(() => forwardTable(srgbCurve)),
    matrix: inverse(matrix),
    after: curves.map(inverseTable),
  };
  return {
    plain: false,
    toSrgb: (planes) => {
      convert(to, planes);
    },
    fromSrgb: (planes) => {
      convert(from, planes);
    },
  };
}

/** Curve per channel, 3×3 matrix on linear light, curve per channel. */
interface Conversion {
  readonly before: readonly ToneTable[];
  readonly matrix: readonly number[];
  readonly after: readonly ToneTable[];
}

function convert({ before, matrix, after }: Conversion, [red, green, blue]: Planes): void {
  const [m0, m1, m2, m3, m4, m5, m6, m7, m8] = matrix as Matrix3;
  const [linearR, linearG, linearB] = before as [ToneTable, ToneTable, ToneTable];
  const [encodeR, encodeG, encodeB] = after as [ToneTable, ToneTable, ToneTable];
  for (let i = 0; i < red.length; i++) {
    const r = lookUp(linearR, red[i]!);
    const g = lookUp(linearG, green[i]!);
    const b = lookUp(linearB, blue[i]!);
    red[i] = lookUp(encodeR, m0 * r + m1 * g + m2 * b);
    green[i] = lookUp(encodeG, m3 * r + m4 * g + m5 * b);
    blue[i] = lookUp(encodeB, m6 * r + m7 * g + m8 * b);
  }
}

type Matrix3 = [number, number, number, number, number, number, number, number, number];

const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];
