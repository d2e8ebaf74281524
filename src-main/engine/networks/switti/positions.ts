import type { Grid } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { rotaryTable, type RotaryTable } from '../infinity/rotary-positions.js';

// c head width · C width · F frequencies, C/8

const BASE = 10_000;
/** Every scale, however coarse, lies between 0 and this. */
const SPAN = 128;

/** The angles of a scale's tokens: the first half of the pairs turns with the column, the second with the row. */
export function rotaryOfScale([rows, columns]: Grid, headWidth: number): RotaryTable {
  const [down, across] = [stride(rows), stride(columns)];
  const places = Array.from(
    { length: rows * columns },
    (_, cell) => [(cell % columns) * across, Math.floor(cell / columns) * down] as const,
  );
  return rotaryTable(places, { headWidth, base: BASE });
}

function stride(cells: number): number {
  return SPAN / Math.max(1, cells - 1);
}

/** The shorter side of every training picture; a picture that is drawn is that large, whatever its pixels, and lacks nothing at top and left. */
const WHOLE_PICTURE = [512, 512, 0, 0];

/**
 * Height, width, top and left of the crop that the model draws, each as sines, then cosines of its fixed frequencies: `[1, C]`.
 * Angles are thousands of radians, so single precision in this very order decides their phase.
 */
export function cropFeatures(weights: Weights): FloatTensor {
  const frequencies = weights.readFloats('crop_embed.weight'); // (F)
  const { fround } = Math;
  const values = WHOLE_PICTURE.flatMap((value) => {
    const angles = [...frequencies].map((frequency) => fround(fround(fround(value * frequency) * 2) * fround(Math.PI)));
    return [...angles.map(Math.sin), ...angles.map(Math.cos)];
  });
  return floats([1, values.length], Float32Array.from(values));
}
