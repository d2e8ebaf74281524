import { expect, test } from 'vitest';
import type { AnyCard } from '#contract/pack-card.js';
import type { FileRecipe } from '#contract/recipe.js';
import { DEFAULT_SETTINGS } from '#document/request.js';
import { recalled } from '#state/recalled.js';
import { tinyCard } from '../../support/tiny-card.js';
import { FakeLink, infoOf } from './fake-link.js';

const recipe: FileRecipe = {
  scalebrush: 1,
  pack: { name: 'tiny', version: '1.0.0', sha256: tinyCard.files.map(({ sha256 }) => sha256) },
  request: { task: 'edit', pack: 'tiny', instruction: '让它变成夜晚 🌃' },
  seed: 7,
};

function recall(card: AnyCard | undefined, made: FileRecipe = recipe) {
  const link = new FakeLink();
  link.table['packs.info'] = () => {
    if (!card) throw new Error('no such pack');
    return { card } as never;
  };
  return recalled(DEFAULT_SETTINGS, { ...infoOf('a'), recipe: made }, link);
}

const codesOf = ({ notices }: Awaited<ReturnType<typeof recall>>) => notices.map(({ code }) => code);

test('every setting comes back, and the pack', async () => {
  const back = await recall(tinyCard);
  expect(back.settings).toMatchObject({ instruction: '让它变成夜晚 🌃', seed: 7, pack: 'tiny' });
  expect(codesOf(back)).toEqual(['recipe.restored']);
});

test('other weights of the same pack are said once', async () => {
  const back = await recall(tinyCard, { ...recipe, pack: { ...recipe.pack, sha256: ['f'.repeat(64)] } });
  expect(back.settings.pack).toBe('tiny');
  expect(codesOf(back)).toEqual(['recipe.restored', 'recipe.other-weights']);
});

test('a pack that is not here leaves the chosen one', async () => {
  const back = await recall(undefined);
  expect(back.settings.pack).toBe(DEFAULT_SETTINGS.pack);
  expect(codesOf(back)).toEqual(['recipe.restored', 'recipe.other-pack']);
});

test('a picture without a recipe asks nothing', async () => {
  const link = new FakeLink();
  expect(await recalled(DEFAULT_SETTINGS, infoOf('a'), link)).toEqual({ settings: {}, notices: [] });
  expect(link.asked).toEqual([]);
});
