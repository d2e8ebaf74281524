import { expect, test } from 'vitest';
import type { InfinityCard, PackCard } from '#contract/pack-card.js';
import { controlKindsOf, traitsOf, wholeGrid } from '#contract/traits.js';
import { smallCard } from '../../support/pack-folder.js';

const infinity = (transformer: Partial<InfinityCard['config']['transformer']>): PackCard => {
  const card = smallCard('sketch') as InfinityCard;
  return { ...card, config: { ...card.config, transformer: { ...card.config.transformer, ...transformer } } };
};
const PUBLISHED = { kind: 'published', ratio: '1.000' } as const;

test.each([
  ['a pack of an early card sees the source', infinity({}), { seesSource: true, fills: true, anyShape: false, padsSource: false }],
  ['VAREdit pads it', infinity({ source: true, rotary: PUBLISHED }), { seesSource: true, anyShape: true, padsSource: true }],
  ['Infinity sees none', infinity({ source: false, rotary: PUBLISHED }), { seesSource: false, fills: true, padsSource: false }],
])('%s', (_, card, expected) => {
  expect(traitsOf(card)).toMatchObject(expected);
});

test('single tokens can be drawn again by packs that draw a whole step at once', () => {
  expect(traitsOf(infinity({})).redraws).toBe('experimental');
  expect(traitsOf({ family: 'var' } as PackCard).redraws).toBe('experimental');
  expect(traitsOf({ family: 'controlar', config: { transformer: { control: 'canny' } } } as PackCard).redraws).toBeUndefined();
});

test('of channels, those are kinds that a user may choose', () => {
  expect(controlKindsOf(infinity({}))).toBeUndefined();
  const control = { channels: ['depth', 'depth-flag', 'canny', 'canny-flag'], layers: [0] };
  expect(controlKindsOf(infinity({ control }))).toEqual(['canny', 'depth']);
});

test.each([
  ['scales', {}, [[1, 1], [2, 3], [4, 6]], [4, 6]],
  ['one scale', {}, [[1, 5]], [1, 5]],
  ['scales of a single row', {}, [[1, 2], [1, 5]], [1, 5]],
  ['rows', { steps: 'rows' as const }, [[1, 6], [1, 6], [1, 6]], [3, 6]],
  ['diagonals', { steps: 'diagonals' as const }, [[1, 1], [1, 2], [1, 3], [1, 2], [1, 1]], [3, 3]],
])('%s make a picture of a grid', (_, traits, schedule, grid) => {
  expect(wholeGrid(schedule as [number, number][], traits)).toEqual(grid);
}); // prettier-ignore
