import type { Extent, Grid } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';

// The published schedules for pictures of about 1 megapixel, h/w ≥ 1, as pairs of rows and columns;
// the inverse ratios are their transposes.
const ONE_MEGAPIXEL: Readonly<Record<string, string>> = {
  '1.000': '1,1 2,2 4,4 6,6 8,8 12,12 16,16 20,20 24,24 32,32 40,40 48,48 64,64',
  '1.250': '1,1 2,2 3,3 5,4 10,8 15,12 20,16 25,20 30,24 35,28 45,36 55,44 70,56',
  '1.333': '1,1 2,2 4,3 8,6 12,9 16,12 20,15 24,18 28,21 36,27 48,36 60,45 72,54',
  '1.500': '1,1 2,2 3,2 6,4 9,6 15,10 21,14 27,18 33,22 39,26 48,32 63,42 78,52',
  '1.750': '1,1 2,2 3,3 7,4 11,6 14,8 21,12 28,16 35,20 42,24 56,32 70,40 84,48',
  '2.000': '1,1 2,2 4,2 6,3 10,5 16,8 22,11 30,15 38,19 46,23 60,30 74,37 90,45',
  '2.500': '1,1 2,2 5,2 10,4 15,6 20,8 25,10 30,12 40,16 50,20 65,26 80,32 100,40',
  '3.000': '1,1 2,2 6,2 9,3 15,5 21,7 27,9 36,12 45,15 54,18 72,24 90,30 111,37',
};

const MILLI = 1000;

/**
 * The 13 token grids, coarse to fine, of the published 1-megapixel schedule.
 *
 * @param ratio height by width, cut to three decimals as the authors name it: `1.333`, `0.666`.
 * @throws ExpectedError `pack.damaged` for a ratio without a schedule.
 */
export function oneMegapixelSchedule(ratio: string): readonly Grid[] {
  const wanted = Math.round(Number(ratio) * MILLI);
  for (const [name, text] of Object.entries(ONE_MEGAPIXEL)) {
    const upright = Math.round(Number(name) * MILLI);
    if (wanted === upright) return parse(text);
    if (wanted === inverse(upright)) return parse(text).map(([rows, columns]) => [columns, rows]);
  }
  throw new ExpectedError('pack.damaged', `Expected one of the published aspect ratios but received ${ratio}.`);
}

/** The published ratio, height by width, that is nearest to a picture's. */
export function nearestRatio({ width, height }: Extent): string {
  const upright = Object.keys(ONE_MEGAPIXEL).map((name) => Math.round(Number(name) * MILLI));
  const distance = (milli: number) => Math.abs(Math.log((milli * width) / (MILLI * height)));
  const nearest = [...upright, ...upright.map(inverse)].reduce((best, milli) => (distance(milli) < distance(best) ? milli : best));
  return (nearest / MILLI).toFixed(3);
}

/** The lying shape of an upright one, in thousandths, cut as the authors cut it. */
function inverse(milli: number): number {
  return Math.floor((MILLI * MILLI) / exactMilli(milli));
}

/** 1.333 stands for 4/3: its inverse is 0.75, not 0.7501. */
function exactMilli(milli: number): number {
  return milli === 1333 ? (4 * MILLI) / 3 : milli;
}

function parse(text: string): Grid[] {
  return text.split(' ').map((pair) => {
    const [rows, columns] = pair.split(',').map(Number);
    return [rows!, columns!];
  });
}
