import type { Extent } from '#base/geometry.js';
import type { Plane } from '#engine/tensor/closeness.js';

/** Capital letters, five dots wide and seven high: seven numbers each, the left dot highest. Fonts differ from machine to machine. */
const DOTS: Readonly<Record<string, readonly number[]>> = {
  A: [14, 17, 17, 31, 17, 17, 17],
  B: [30, 17, 17, 30, 17, 17, 30],
  C: [14, 17, 16, 16, 16, 17, 14],
  D: [30, 17, 17, 17, 17, 17, 30],
  E: [31, 16, 16, 30, 16, 16, 31],
  F: [31, 16, 16, 30, 16, 16, 16],
  G: [14, 17, 16, 23, 17, 17, 14],
  H: [17, 17, 17, 31, 17, 17, 17],
  I: [14, 4, 4, 4, 4, 4, 14],
  J: [7, 2, 2, 2, 2, 18, 12],
  K: [17, 18, 20, 24, 20, 18, 17],
  L: [16, 16, 16, 16, 16, 16, 31],
  M: [17, 27, 21, 21, 17, 17, 17],
  N: [17, 25, 21, 19, 17, 17, 17],
  O: [14, 17, 17, 17, 17, 17, 14],
  P: [30, 17, 17, 30, 16, 16, 16],
  Q: [14, 17, 17, 17, 21, 18, 13],
  R: [30, 17, 17, 30, 20, 18, 17],
  S: [15, 16, 16, 14, 1, 1, 30],
  T: [31, 4, 4, 4, 4, 4, 4],
  U: [17, 17, 17, 17, 17, 17, 14],
  V: [17, 17, 17, 17, 17, 10, 4],
  W: [17, 17, 17, 21, 21, 27, 17],
  X: [17, 17, 10, 4, 10, 17, 17],
  Y: [17, 17, 10, 4, 4, 4, 4],
  Z: [31, 1, 2, 4, 8, 16, 31],
};
const LETTERS = Object.values(DOTS);
const COLUMNS = 5;
const ROWS = 7;
/** Dots around a letter on each side. */
const MARGIN = 1;
/** Of fewer letters no share is said. */
const FEWEST = 4;
const INK = 0.1;
const PAPER = 0.9;

/** A page full of letters of one height. */
export interface LetterPage {
  readonly page: Plane;
  readonly px: number;
  readonly places: readonly { readonly row: number; readonly column: number; readonly letter: number }[];
}

/** Undefined where too few of them fit. */
export function letterPage({ width, height }: Extent, px: number): LetterPage | undefined {
  const cell = cellOf(px);
  const [across, down] = [Math.floor(width / cell.width), Math.floor(height / cell.height)];
  if (across * down < FEWEST) return undefined;
  const values = new Float32Array(width * height).fill(PAPER);
  const places = Array.from({ length: across * down }, (_, i) => ({
    row: Math.floor(i / across) * cell.height,
    column: (i % across) * cell.width,
    letter: (7 * i + px) % LETTERS.length,
  }));
  for (const { row, column, letter } of places) {
    drawn(letter, px).forEach((value, i) => {
      values[(row + Math.floor(i / cell.width)) * width + column + (i % cell.width)] = value;
    });
  }
  return { page: { values, width, height }, px, places };
}

/** The share of a page's letters that look most like themselves. */
export function lettersTold({ px, places }: Pick<LetterPage, 'px' | 'places'>, { values, width }: Plane): number {
  const cell = cellOf(px);
  const models = LETTERS.map((_, letter) => drawn(letter, px));
  const told = places.filter(({ row, column, letter }) => {
    const unlike = models.map((model) =>
      model.reduce(
        (sum, value, i) => sum + (value - values[(row + Math.floor(i / cell.width)) * width + column + (i % cell.width)]!) ** 2,
        0,
      ),
    );
    return unlike.indexOf(Math.min(...unlike)) === letter;
  });
  return told.length / places.length;
}

function cellOf(px: number): Extent {
  const dot = px / ROWS;
  return { width: Math.ceil((COLUMNS + 2 * MARGIN) * dot), height: Math.ceil((ROWS + 2 * MARGIN) * dot) };
}

/** A letter in its cell, each pixel as dark as it is covered: 4 × 4 looks at each. */
function drawn(letter: number, px: number): Float32Array {
  const { width, height } = cellOf(px);
  const looks = [0.125, 0.375, 0.625, 0.875];
  return Float32Array.from({ length: width * height }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    const covered = looks.flatMap((dy) =>
      looks.filter((dx) => isInk(letter, ((y + dy) * ROWS) / px - MARGIN, ((x + dx) * ROWS) / px - MARGIN)),
    );
    return PAPER + ((INK - PAPER) * covered.length) / looks.length ** 2;
  });
}

function isInk(letter: number, row: number, column: number): boolean {
  if (row < 0 || row >= ROWS || column < 0 || column >= COLUMNS) return false;
  return (((LETTERS[letter]?.[Math.floor(row)] ?? 0) >> (COLUMNS - 1 - Math.floor(column))) & 1) === 1;
}
