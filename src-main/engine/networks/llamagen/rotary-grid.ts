import type { Grid } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

// c head width

const BASE = 10_000;

export interface RotaryRows {
  readonly cos: FloatTensor; // (rows, c/2)
  readonly sin: FloatTensor;
}

/** The angles of a picture's tokens in raster order: the first half turns by the row, the second by the column. */
export function rotaryOfGrid([rows, columns]: Grid, headWidth: number): RotaryRows {
  const pairs = headWidth / 2;
  const perAxis = pairs / 2;
  const angles = floats([rows * columns, pairs]);
  for (let token = 0; token < rows * columns; token++) {
    const place = [Math.floor(token / columns), token % columns];
    for (let pair = 0; pair < pairs; pair++) {
      const frequency = BASE ** -((2 * (pair % perAxis)) / pairs);
      angles.data[token * pairs + pair] = place[Math.floor(pair / perAxis)]! * frequency;
    }
  }
  return { cos: { ...angles, data: angles.data.map(Math.cos) }, sin: { ...angles, data: angles.data.map(Math.sin) } };
}

/**
 * The angles of text: none, and not even a cosine. Queries and keys of text become zero, so that text attends to all
 * text before it alike — as published, and as the weights were trained.
 */
export function rotaryOfText(length: number, headWidth: number): RotaryRows {
  return { cos: floats([length, headWidth / 2]), sin: floats([length, headWidth / 2]) };
}

/** One token's row of a table, `[1, c/2]`. */
export function rotaryRow({ cos, sin }: RotaryRows, token: number): RotaryRows {
  const [, pairs = 0] = cos.dims;
  const row = ({ data }: FloatTensor) => floats([1, pairs], data.subarray(token * pairs, (token + 1) * pairs));
  return { cos: row(cos), sin: row(sin) };
}
