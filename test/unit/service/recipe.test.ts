import { describe, expect, it } from 'vitest';
import { readRecipe } from '#service/recipe.js';

const recipe = {
  scalebrush: 1,
  pack: { name: 'sketch', version: '1', sha256: [] },
  request: { task: 'edit', instruction: '東京 🌃', seed: 3, guidance: 2 },
  seed: 3,
  tokens: { pack: 'sketch', schedule: [[1, 1]], tokens: [['0f']] },
};

describe('the recipe in a file', () => {
  it('is read with every setting', () => {
    expect(readRecipe(JSON.stringify(recipe))).toMatchObject({ recipe });
    expect(readRecipe(undefined)).toEqual({});
  });

  it.each([
    ['is no JSON', 'make it night'],
    ['is nested deep', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['reaches for prototypes', '{"__proto__":{"instruction":"x"},"scalebrush":1}'],
    ['has a wish of another type', JSON.stringify({ ...recipe, request: { task: 'edit', instruction: { toString: 1 } } })],
    ['has a number out of range', JSON.stringify({ ...recipe, request: { ...recipe.request, guidance: 1e9 } })],
    ['has tokens that are none', JSON.stringify({ ...recipe, tokens: { pack: 'sketch', schedule: [[1, 1e9]], tokens: [] } })],
    ['is of a later layout', JSON.stringify({ ...recipe, scalebrush: 2 })],
  ])('is passed over with a notice where it %s', (_what, text) => {
    expect(readRecipe(text)).toEqual({ notice: { code: 'recipe.ignored', message: expect.stringContaining('left out') as string } });
  });

  it('brings nothing that the contract does not know', () => {
    const { recipe: read } = readRecipe(JSON.stringify({ ...recipe, path: '/home/me', request: { ...recipe.request, source: 'abc' } }));
    expect(JSON.stringify(read)).not.toMatch(/home|abc/u);
  });
});
