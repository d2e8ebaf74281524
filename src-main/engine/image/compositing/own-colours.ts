import { planesOf, type ColourSpace, type Planes } from '#engine/image/colour/colour.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { applyMap, type ColourMap } from './colour-map.js';
import { applyObjectMap, type ObjectMap } from './objects/object-map.js';

// An edit is carried to a photo in the photo's own colours, so that no pixel of the photo is ever converted: what the model said
// in sRGB is converted at the model's size, and a map of colours on a grid through all of them. h, w model size

/** Colours per channel of the grid. */
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

/** The tabled colours of `before` into `after`, linear between the grid's; in floats of 32 bits, as the kernel counts. */
export function applyTable(table: ColourTable, before: Planes, after: Planes): void {
  const places = before.map(() => ({ cell: 0, part: 0 }));
  for (let i = 0; i < before[0].length; i++) {
    for (let c = 0; c < 3; c++) {
      const scaled = Math.fround(before[c]![i]! * (GRID - 1));
      const cell = Math.min(GRID - 2, Math.trunc(scaled));
      places[c] = { cell, part: Math.fround(scaled - cell) };
    }
    const [red, green, blue] = places as [Place, Place, Place];
    const corner = ((red.cell * GRID + green.cell) * GRID + blue.cell) * 4;
    for (let c = 0; c < 3; c++) {
      const along = (at: number) => between(table[at]!, table[at + 4]!, blue.part);
      const across = (at: number) => between(along(at), along(at + 4 * GRID), green.part);
      after[c]![i] = before[c]![i]! + between(across(corner + c), across(corner + c + 4 * GRID * GRID), red.part);
    }
  }
}

interface Place {
  readonly cell: number;
  readonly part: number;
}

function between(low: number, high: number, part: number): number {
  return Math.fround(low + Math.fround(part * Math.fround(high - low)));
}
