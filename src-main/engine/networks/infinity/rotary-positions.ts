import { at } from '#base/assert.js';
import { cellCount, type Grid } from '#base/geometry.js';
import type { TransformerConfig } from '#contract/pack-card.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { oneMegapixelSchedule } from './ratios.js';

// Where a token stands in the plane, for the 2-D rotary embedding. n source tokens · c head width

/** Row and column, in units of a grid, of every token of one block. */
export type Positions = readonly Position[];

type Position = readonly [row: number, column: number];

export interface TokenPositions {
  readonly source: Positions;
  readonly scales: readonly Positions[];
}

/** cos and sin, `[tokens, c/2]` each: the first half of the pairs turns with the row, the second with the column. */
export interface RotaryTable {
  readonly cos: FloatTensor;
  readonly sin: FloatTensor;
}

export interface RotaryTables {
  readonly source: RotaryTable;
  readonly scales: readonly RotaryTable[];
}

const PUBLISHED_BASE = 10_000;

/** The tables of a whole schedule. Where a model may see a source, tokens keep their places whether or not there is one. */
export function rotaryTables(config: Pick<TransformerConfig, 'rotary' | 'scales' | 'source'>, headWidth: number): RotaryTables {
  const { rotary, scales } = config;
  const published = rotary.kind === 'published';
  const positions = published ? publishedPositions(scales, rotary.ratio, config.source) : normalisedPositions(scales, rotary.span);
  const options = { headWidth, base: published ? PUBLISHED_BASE : rotary.base };
  return { source: rotaryTable(positions.source, options), scales: positions.scales.map((scale) => rotaryTable(scale, options)) };
}

/** Cell centres, in units of a grid of `span` cells a side, else of the finest one. The source stands where the finest scale does. */
export function normalisedPositions(schedule: readonly Grid[], span?: number): TokenPositions {
  const finest = at(schedule, schedule.length - 1);
  const [height, width] = span === undefined ? finest : [span, span];
  const scales = schedule.map((grid) => mapCells(grid, (row, column) => [centre(row, grid[0], height), centre(column, grid[1], width)]));
  return { source: at(scales, scales.length - 1), scales };
}

function centre(index: number, cells: number, finest: number): number {
  return Math.fround(Math.fround(index + 0.5) * Math.fround(finest / cells));
}

/**
 * The positions that VAREdit's published weights were trained with. The reference code keeps one table
 * per aspect ratio, laid out for a 1-megapixel picture: first the source block (its rows and columns
 * shifted by its own height and width), then the 13 scales. Every resolution reads that table by plain
 * offset, so below 1 megapixel the tokens' positions are a running raster index over the source block.
 * Infinity, which sees no source, has the same table without that block.
 */
export function publishedPositions(schedule: readonly Grid[], ratio: string, hasSource = true): TokenPositions {
  const finest = at(schedule, schedule.length - 1);
  const table = hasSource ? publishedTable(ratio) : scaleEntries(ratio);
  let offset = hasSource ? cellCount(finest) : 0;
  const scales = schedule.map((grid) => {
    const block = table.slice(offset, offset + cellCount(grid));
    offset += cellCount(grid);
    return block;
  });
  return { source: table.slice(0, cellCount(finest)), scales };
}

/** All entries of the reference's table for one aspect ratio, in its order. */
export function publishedTable(ratio: string): Positions {
  const schedule = oneMegapixelSchedule(ratio);
  const finest = at(schedule, schedule.length - 1);
  const [height, width] = finest;
  const source = mapCells(finest, (row, column) => [height + row, width + column]);
  return [...source, ...scaleEntries(ratio)];
}

function scaleEntries(ratio: string): Positions {
  const schedule = oneMegapixelSchedule(ratio);
  const [height, width] = at(schedule, schedule.length - 1);
  return schedule.flatMap(([rows, columns]) =>
    mapCells([rows, columns], (row, column) => [spread(row, rows, height), spread(column, columns, width)]),
  );
}

/** Single precision and half to even, as the reference computes it: other roundings differ at every ratio but 1. */
function spread(index: number, cells: number, finest: number): number {
  return roundHalfToEven(Math.fround(index * Math.fround(finest / cells)));
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function mapCells([rows, columns]: Grid, position: (row: number, column: number) => Position): Positions {
  return Array.from({ length: rows * columns }, (_, cell) => position(Math.floor(cell / columns), cell % columns));
}

/** Angles as the reference has them: frequencies and products in single precision. */
export function rotaryTable(positions: Positions, { headWidth, base }: { headWidth: number; base: number }): RotaryTable {
  const perAxis = headWidth / 4;
  const frequencies = Array.from({ length: perAxis }, (_, i) => Math.fround(1 / base ** (i / perAxis)));
  const cos = floats([positions.length, headWidth / 2]);
  const sin = floats([positions.length, headWidth / 2]);
  positions.forEach((position, token) => {
    position.forEach((place, axis) => {
      frequencies.forEach((frequency, i) => {
        const angle = Math.fround(place * frequency);
        const index = (token * 2 + axis) * perAxis + i;
        cos.data[index] = Math.cos(angle);
        sin.data[index] = Math.sin(angle);
      });
    });
  });
  return { cos, sin };
}
