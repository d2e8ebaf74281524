import { planesOf, type ColourSpace, type Planes } from '#engine/image/colour/colour.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { applyMap, type ColourMap } from './colour-map.js';
import { applyObjectMap, type ObjectMap } from './objects/object-map.js';

// An edit is carried to a photo in the photo's own colours, so that no pixel of the photo is ever converted: what the model said
// in sRGB is converted at the model's size, and a map of colours on a grid through all of them. h, w model size

/** Colours per channel of the grid. 65 would come to within a level in all but 5 of 100,000 samples (99.4 of 100 now), but making the table takes a fifth of an edit then (test/bench/BY_HAND.md). */
export const GRID = 33;

/** What becomes of colours: the differences at the grid's colours, `[GRID, GRID, GRID, 4]` red slowest, of 0..1; the fourth is 0. */
export type ColourTable = Float32Array;

/** A picture `[1, 3, h, w]` of sRGB as the photo would say it. */
export function inOwnColours(picture: FloatTensor, space: ColourSpace): FloatTensor {
  if (space.plain) return picture;
  const own = floats(
    picture.dims,
    picture.data.map((value) => Math.min(1, Math.max(0, value))),
  );
  space.fromSrgb(planesOf(own));
  return own;
}

/** A map of sRGB as a table of the photo's own colours. */
export function tableOf(map: ColourMap | ObjectMap, space: ColourSpace): ColourTable {
  const before = gridColours();
  space.toSrgb(before);
  const after = copied(before);
  if ('tones' in map) applyMap(map, before, after);
  else applyObjectMap(map, before, after);
  after.forEach((plane, c) => {
    plane.forEach((value, i) => (plane[i] = withinOwn(value, before[c]![i]!)));
  });
  space.fromSrgb(after);
  space.fromSrgb(before);
  const table = new Float32Array(GRID ** 3 * 4);
  for (let i = 0; i < table.length; i++) if (i % 4 < 3) table[i] = after[i % 4]![i >> 2]! - before[i % 4]![i >> 2]!;
  return table;
}

/** Colours that were outside sRGB before the edit may stay there. */
function withinOwn(value: number, own: number): number {
  return Math.min(Math.max(1, own), Math.max(Math.min(0, own), value));
}

function copied(planes: Planes): Planes {
  return planes.map((plane) => plane.slice()) as unknown as Planes;
}

function gridColours(): Planes {
  const plane = (channel: number) =>
    Float32Array.from({ length: GRID ** 3 }, (_, i) => (Math.trunc(i / GRID ** (2 - channel)) % GRID) / (GRID - 1));
  return [plane(0), plane(1), plane(2)];
}

/** A difference in 1/64 of a level of 8 bits, as whole numbers of 16 bits. */
export function byteStep(difference: number): number {
  return Math.min(32767, Math.max(-32768, Math.round(difference * 255 * BYTE_STEPS)));
}

const BYTE_STEPS = 64;
/** Parts of a cell, and of the weights of its eight corners. */
const [CELL_STEPS, WEIGHT_STEPS] = [128, 2 ** 14];

/** The tabled colours of `before` into `after`, linear between the grid's, as the kernel counts: bytes in whole numbers. */
export function applyTable(table: ColourTable, { before, after, deep }: { before: Planes; after: Planes; deep: boolean }): void {
  const change = deep ? wordChange : byteChange;
  const colour = [0, 0, 0];
  for (let i = 0; i < before[0].length; i++) {
    for (let c = 0; c < 3; c++) colour[c] = before[c]![i]!;
    for (let c = 0; c < 3; c++) after[c]![i] = colour[c]! + change(table, colour, c);
  }
}

/** In floats of 32 bits. */
function wordChange(table: ColourTable, colour: readonly number[], c: number): number {
  const [red, green, blue] = colour.map((value) => {
    const scaled = Math.fround(value * (GRID - 1));
    const cell = Math.min(GRID - 2, Math.trunc(scaled));
    return { cell, part: Math.fround(scaled - cell) };
  }) as [Place, Place, Place];
  const corner = ((red.cell * GRID + green.cell) * GRID + blue.cell) * 4 + c;
  const along = (at: number) => between(table[at]!, table[at + 4]!, blue.part);
  const across = (at: number) => between(along(at), along(at + 4 * GRID), green.part);
  return between(across(corner), across(corner + 4 * GRID * GRID), red.part);
}

function byteChange(table: ColourTable, colour: readonly number[], c: number): number {
  const [red, green, blue] = colour.map((value) => {
    const byte = Math.round(value * 255);
    const steps = 16 * byte + ((byte + 8) >> 4); // of 4096, all cells
    return { cell: steps >> 7, part: steps % CELL_STEPS };
  }) as [Place, Place, Place];
  let sum = 0;
  for (let corner = 0; corner < 8; corner++) {
    const [i, j, k] = [corner >> 2, (corner >> 1) & 1, corner & 1];
    const across = sideOf(red, i) * sideOf(green, j);
    const weight = (across * Math.min(32767, sideOf(blue, k) << 8) + 2 ** 14) >> 15;
    const at = (((red.cell + i) * GRID + green.cell + j) * GRID + blue.cell + k) * 4 + c;
    if (weight > 0) sum += weight * byteStep(table[at]!);
  }
  return sum / (WEIGHT_STEPS * BYTE_STEPS * 255);
}

function sideOf({ part }: Place, far: number): number {
  return far === 1 ? part : CELL_STEPS - part;
}

interface Place {
  readonly cell: number;
  readonly part: number;
}

function between(low: number, high: number, part: number): number {
  return Math.fround(low + Math.fround(part * Math.fround(high - low)));
}
