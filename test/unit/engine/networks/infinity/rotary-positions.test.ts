import { describe, expect, it } from 'vitest';
import type { Grid } from '#base/geometry.js';
import { oneMegapixelSchedule } from '#engine/networks/infinity/ratios.js';
import { normalisedPositions, publishedPositions, publishedTable, rotaryTable } from '#engine/networks/infinity/rotary-positions.js';
import { Fixture } from '../../../../support/fixtures.js';

const fixture = new Fixture('../shared/fixtures/rotary');
const SQUARE_256 = [1, 2, 4, 6, 8, 12, 16].map((side): Grid => [side, side]);

describe('the published schedules', () => {
  it.each([
    ['1.000', [64, 64]],
    ['1.333', [72, 54]],
    ['0.750', [54, 72]],
    ['0.666', [52, 78]],
    ['0.571', [48, 84]],
    ['0.333', [37, 111]],
    ['3.000', [111, 37]],
  ] as const)('has 13 scales for h/w %s, the finest %s', (ratio, finest) => {
    const schedule = oneMegapixelSchedule(ratio);
    expect(schedule).toHaveLength(13);
    expect(schedule.at(-1)).toEqual(finest);
  });

  it('refuses a ratio of its own', () => {
    expect(() => oneMegapixelSchedule('1.6')).toThrow('published aspect ratios');
  });
});

describe('published positions', () => {
  it('run on in raster order through the source block below one megapixel', () => {
    const { source, scales } = publishedPositions(SQUARE_256, '1.000');
    const all = [...source, ...scales.flat()];
    expect(all).toHaveLength(777);
    expect(all).toEqual(all.map((_, p) => [64 + Math.floor(p / 64), 64 + (p % 64)]));
  });

  it('are those of each scale at one megapixel', () => {
    const { scales } = publishedPositions(oneMegapixelSchedule('1.000'), '1.000');
    expect(scales[1]).toEqual([
      [0, 0],
      [0, 32],
      [32, 0],
      [32, 32],
    ]);
    expect(scales.at(-1)!.at(-1)).toEqual([63, 63]);
  });

  describe.skipIf(!fixture.exists)('compared with the reference’s tables (needs ../shared/fixtures/rotary)', () => {
    it.each(['1.000', '1.333'])('are equal in every entry at ratio %s', (ratio) => {
      const expected = fixture.array(`index_${ratio}.npy`);
      expect(publishedTable(ratio).flat()).toEqual([...expected.data]);
    });
  });
});

describe('normalised positions', () => {
  it('are cell centres in units of the finest grid', () => {
    const { source, scales } = normalisedPositions([
      [1, 1],
      [2, 4],
    ]);
    expect(scales[0]).toEqual([[1, 2]]);
    expect(scales[1]!.slice(0, 5)).toEqual([
      [0.5, 0.5],
      [0.5, 1.5],
      [0.5, 2.5],
      [0.5, 3.5],
      [1.5, 0.5],
    ]);
    expect(source).toEqual(scales[1]);
  });

  it('are counted in cells of the grid that training began with, where the card names one', () => {
    const [coarse, fine]: Grid[] = [
      [2, 2],
      [4, 4],
    ];
    const { source, scales } = normalisedPositions([coarse!, fine!], 2);
    expect(scales[0]).toEqual(normalisedPositions([coarse!]).scales[0]);
    expect(scales[1]!.slice(0, 5)).toEqual([
      [0.25, 0.25],
      [0.25, 0.75],
      [0.25, 1.25],
      [0.25, 1.75],
      [0.75, 0.25],
    ]);
    expect(source).toEqual(scales[1]);
  });
});

describe('rotary tables', () => {
  it('turn the first half of the pairs with the row and the second with the column', () => {
    const { cos, sin } = rotaryTable([[2, 3]], { headWidth: 8, base: 100 });
    const angles = [2, 2 / 10, 3, 3 / 10];
    expect(cos.dims).toEqual([1, 4]);
    angles.forEach((angle, i) => {
      expect(cos.data[i]).toBeCloseTo(Math.cos(angle), 6);
      expect(sin.data[i]).toBeCloseTo(Math.sin(angle), 6);
    });
  });
});
