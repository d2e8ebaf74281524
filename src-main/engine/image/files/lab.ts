import type { Photo } from './photo.js';
import { inverse } from './make-profile.js';

/** Linear sRGB to XYZ, adapted to D50 (Bradford), as every sRGB profile carries it. */
export const SRGB_TO_XYZ = [0.4360747, 0.3850649, 0.1430804, 0.2225045, 0.7168786, 0.0606169, 0.0139322, 0.0971045, 0.7141733];
const FROM_XYZ = inverse(SRGB_TO_XYZ);
const D50 = [0.9642, 1, 0.8249] as const;

/** Of linear light. */
function srgbSignal(linear: number): number {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
}

/** The inverse of CIE 1976's f. */
function unbent(t: number): number {
  return t > 6 / 29 ? t ** 3 : 3 * (6 / 29) ** 2 * (t - 4 / 29);
}

export interface LabLayout {
  /** Samples per pixel: three, or four with transparency, which stays as it is. */
  readonly per: number;
  /** a* and b* are two's complement (CIELAB in TIFF 6.0), or offset by half the range (ICC LAB). */
  readonly signed: boolean;
}

/** CIELAB (D50) as TIFF stores it, at the same depth in sRGB; colours outside sRGB are clipped. */
export function srgbOfLab(samples: Photo['samples'], { per, signed }: LabLayout): Photo['samples'] {
  const deep = samples.BYTES_PER_ELEMENT === 2;
  const [full, unit, range] = deep ? [65535, 256, 65536] : [255, 1, 256];
  const chroma = (value: number) => (signed ? (value >= range / 2 ? value - range : value) : value - range / 2) / unit;
  const result = samples.slice();
  for (let at = 0; at < samples.length; at += per) {
    const fy = ((samples[at]! / full) * 100 + 16) / 116;
    const [x, y, z] = [
      D50[0] * unbent(fy + chroma(samples[at + 1]!) / 500),
      D50[1] * unbent(fy),
      D50[2] * unbent(fy - chroma(samples[at + 2]!) / 200),
    ];
    for (let c = 0; c < 3; c++) {
      const linear = FROM_XYZ[c * 3]! * x + FROM_XYZ[c * 3 + 1]! * y + FROM_XYZ[c * 3 + 2]! * z;
      result[at + c] = Math.round(full * Math.min(1, Math.max(0, srgbSignal(linear))));
    }
  }
  return result;
}
