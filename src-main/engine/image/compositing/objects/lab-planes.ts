import type { Planes } from '#engine/image/colour/colour.js';

/** From linear sRGB to XYZ of D65 with its white at 1 (IEC 61966-2-1). */
const TO_XYZ = [
  [0.4338, 0.3762, 0.1899],
  [0.2126, 0.7152, 0.0722],
  [0.0178, 0.1094, 0.8729],
] as const;
/** Below this, the cube root is a straight line (CIE 1976). */
const [LINE_BELOW, SLOPE, START] = [0.008856, 7.787, 16 / 116];

/** sRGB in 0..1 as L*, a*, b* of CIE 1976, in which distances are about as they are seen. */
export function labOf([red, green, blue]: Planes): Planes {
  const planes: Planes = [new Float32Array(red.length), new Float32Array(red.length), new Float32Array(red.length)];
  for (let i = 0; i < red.length; i++) {
    const [r, g, b] = [linear(red[i]!), linear(green[i]!), linear(blue[i]!)];
    const [x, y, z] = TO_XYZ.map(([kr, kg, kb]) => root(kr * r + kg * g + kb * b)) as [number, number, number];
    planes[0][i] = 116 * y - 16;
    planes[1][i] = 500 * (x - y);
    planes[2][i] = 200 * (y - z);
  }
  return planes;
}

function linear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function root(value: number): number {
  return value > LINE_BELOW ? Math.cbrt(value) : SLOPE * value + START;
}
