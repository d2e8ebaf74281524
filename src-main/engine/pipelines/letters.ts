import type { Extent } from '#base/geometry.js';
import type { LettersTold } from '#contract/tokenizer-report.js';
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
/** A height is looked at in so many rows that each letter is there once, where that many fit. */
const WANTED = LETTERS.length;
/** Heights that are looked at, in pixels of the model's picture. */
const HEIGHTS_PX = [6, 8, 10, 12, 14, 16, 20, 24, 32, 40];
/** So large a share must be told apart. */
const TOLD = 0.9;
const INK = 0.1;
const PAPER = 0.9;

interface LetterPlace {
  readonly px: number;
  readonly row: number;
  readonly column: number;
  readonly letter: number;
}

/** Letters of several heights, in bands. */
export interface LetterPage {
  readonly page: Plane;
  readonly places: readonly LetterPlace[];
}

/** As few pages as hold all heights; a height of which too few letters fit is left out. */
export function letterPages({ width, height }: Extent, heights: readonly number[] = HEIGHTS_PX): readonly LetterPage[] {
  const pages: LetterPlace[][] = [];
  let from = height;
  for (const px of heights) {
    const cell = cellOf(px);
    const across = Math.floor(width / cell.width);
    const rows = Math.min(Math.ceil(WANTED / across), Math.floor(height / cell.height));
    if (across * rows < FEWEST || across === 0) continue;
    if (from + rows * cell.height > height) {
      pages.push([]);
      from = 0;
    }
    pages.at(-1)?.push(...band({ px, across, rows }, from));
    from += rows * cell.height;
  }
  return pages.map((places) => ({ places, page: printed(places, { width, height }) }));
}

function band({ px, across, rows }: { px: number; across: number; rows: number }, from: number): LetterPlace[] {
  const cell = cellOf(px);
  return Array.from({ length: across * rows }, (_, i) => ({
    px,
    row: from + Math.floor(i / across) * cell.height,
    column: (i % across) * cell.width,
    letter: (7 * i + px) % LETTERS.length,
  }));
}

function printed(places: readonly LetterPlace[], { width, height }: Extent): Plane {
  const values = new Float32Array(width * height).fill(PAPER);
  for (const { px, row, column, letter } of places) {
    const cell = cellOf(px);
    drawn(letter, px).forEach((value, i) => {
      values[(row + Math.floor(i / cell.width)) * width + column + (i % cell.width)] = value;
    });
  }
  return { values, width, height };
}

/** By height: the share of a page's letters that look most like themselves in what is kept of it. */
export function lettersTold({ places }: Pick<LetterPage, 'places'>, seen: Plane): LettersTold {
  return [...new Set(places.map(({ px }) => px))].map((px) => {
    const models = LETTERS.map((_, letter) => drawn(letter, px));
    const all = places.filter((place) => place.px === px);
    return { px, told: all.filter((place) => isTold(place, models, seen)).length / all.length };
  });
}

function isTold({ px, row, column, letter }: LetterPlace, models: readonly Float32Array[], { values, width }: Plane): boolean {
  const cell = cellOf(px);
  const unlike = models.map((model) =>
    model.reduce(
      (sum, value, i) => sum + (value - values[(row + Math.floor(i / cell.width)) * width + column + (i % cell.width)]!) ** 2,
      0,
    ),
  );
  return unlike.indexOf(Math.min(...unlike)) === letter;
}

/** The least height from which on all that was looked at is told; null where the largest is not. */
export function lettersFromPx(letters: LettersTold): number | null {
  const failing = letters.findLastIndex(({ told }) => told < TOLD);
  return letters[failing + 1]?.px ?? null;
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
