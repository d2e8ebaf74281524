import { expect, test } from 'vitest';
import { packNotice, type FileRecipe } from '#contract/recipe.js';
import { tinyCard } from '../../support/tiny-card.js';

const own = tinyCard.files.map(({ sha256 }) => sha256);
const other = 'f'.repeat(64);

function madeWith(pack: Partial<FileRecipe['pack']>): FileRecipe {
  return { scalebrush: 1, pack: { name: 'tiny', version: '1.0.0', sha256: own, ...pack }, request: { task: 'edit' }, seed: 1 };
}

test.each([
  ['the very pack', madeWith({}), undefined],
  ['a recipe that names no weights', madeWith({ sha256: [] }), undefined],
  ['other weights', madeWith({ sha256: [other] }), 'recipe.other-weights'],
  ['more weights', madeWith({ sha256: [...own, other] }), 'recipe.other-weights'],
  ['the same weights twice', madeWith({ sha256: [...own, ...own] }), 'recipe.other-weights'],
  ['another version, and with it other weights', madeWith({ version: '0.9.0', sha256: [other] }), 'recipe.other-pack'],
])('of %s it is said once, or not at all', (_, recipe, code) => {
  expect(packNotice(recipe, tinyCard)?.code).toBe(code);
});

test('a pack that is not here is another one', () => {
  expect(packNotice(madeWith({}), undefined)).toMatchObject({ code: 'recipe.other-pack', details: { name: 'tiny', version: '1.0.0' } });
});
