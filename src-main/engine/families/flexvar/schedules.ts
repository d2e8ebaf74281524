import { cellCount, type Grid } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { Fit } from '#engine/pipelines/model.js';

/** Side of the grid that it was trained on, at most. */
const TRAINED_SIDE = 16;

/** Sides of the grids that its authors drew on. */
const PUBLISHED: readonly (readonly number[])[] = [
  [1, 2, 4, 6, 10, 16],
  [1, 2, 3, 5, 7, 10, 13, 16],
  [1, 2, 3, 4, 5, 7, 10, 13, 16],
  [1, 2, 3, 4, 5, 6, 8, 10, 13, 16],
  [1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16],
  [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 23, 32], // 512 pixels
];
/** As many scales as most pictures in training had. */
const TEN = PUBLISHED.find(({ length }) => length === 10) ?? [];

export const SCALE_COUNTS = { least: 2, most: 16 };
/** Of the finest grid. */
const LEAST_SIDE = 4;
const MOST_SIDE = 32;
/** Of any shape: as many tokens as the largest square has, and no stripe longer than this. */
const MOST_CELLS = MOST_SIDE ** 2;
const LONGEST = 128;

/** Sides that the published sampler draws from; on others, and on larger grids, it takes the likeliest. */
const DRAWN_SIDES: readonly number[] = [1, 2, 3, 4, 5, 6, 8, 10, 13, 16];

/** Sides in pixels of the squares that it can draw. */
export function modelSides(cell: number): { least: number; most: number; step: number } {
  return { least: LEAST_SIDE * cell, most: MOST_SIDE * cell, step: cell };
}

/**
 * The grids for a wish: the published ones where there are such, else grids that grow by the same factor.
 *
 * @param cell pixels of a token, per axis.
 * @throws ExpectedError `request.invalid` where so small a picture has fewer scales.
 */
export function gridsFor({ shape, scaleCount, modelSide, schedule }: Fit, cell: number): [number, number][] {
  if (schedule && isDrawable(schedule)) return schedule.map(([rows, columns]) => [rows, columns]);
  const finest = modelSide === undefined ? TRAINED_SIDE : modelSide / cell;
  const sides = sidesFor(finest, scaleCount, cell);
  return sides.map((side) => inShape(side, shape ? shape.height / shape.width : 1));
}

/** The published sampler's rule for squares; other shapes have none, and only those of more tokens than it was trained on are sure. */
export function isCertain([rows, columns]: Grid): boolean {
  return rows === columns ? !DRAWN_SIDES.includes(rows) : rows * columns > TRAINED_SIDE ** 2;
}

/** Whether given tokens may lie on such grids: coarse to fine, from the one token that stands for the class. */
function isDrawable(schedule: readonly Grid[]): boolean {
  const [first] = schedule;
  return (
    first !== undefined && cellCount(first) === 1 && schedule.every((grid) => cellCount(grid) <= MOST_CELLS && Math.max(...grid) <= LONGEST)
  );
}

function sidesFor(finest: number, scaleCount: number | undefined, cell: number): readonly number[] {
  const count = scaleCount ?? usualCount(finest);
  const published = PUBLISHED.find((sides) => sides.length === count && sides.at(-1) === finest);
  if (published) return published;
  if (count > finest) {
    const message = `Expected at most ${finest} scales for ${finest * cell} pixels but received ${count}.`;
    throw new ExpectedError('request.invalid', message, { details: { field: 'scaleCount' } });
  }
  let last = 0;
  return Array.from({ length: count }, (_, k) => {
    const even = Math.round(finest ** (k / (count - 1)));
    // Each is larger than the one before and leaves room for those behind.
    last = Math.min(finest - (count - 1 - k), Math.max(last + 1, even));
    return last;
  });
}

function usualCount(finest: number): number {
  if (finest <= TRAINED_SIDE) return TEN.filter((side) => side < finest).length + 1;
  return TEN.length + Math.ceil((finest - TRAINED_SIDE) * (5 / TRAINED_SIDE)); // 15 at 512 pixels, as published
}

/** About as many tokens as the square, `ratio` times as high as wide. */
function inShape(side: number, ratio: number): [number, number] {
  const rows = Math.min(LONGEST, side ** 2, Math.max(1, Math.round(side * Math.sqrt(ratio))));
  const columns = Math.min(LONGEST, Math.max(1, Math.round(side / Math.sqrt(ratio))));
  return side === 1 ? [1, 1] : [rows, columns];
}
