import type { PictureInfo } from '#contract/api.js';
import type { Notice } from '#contract/event.js';
import { isDrawingCard } from '#contract/pack-card.js';
import { packNotice } from '#contract/recipe.js';
import { settingsOf, type Settings } from '#document/request.js';
import { NO_MARGINS } from '#document/space.js';
import type { PageLink } from '#link/http.js';

/** The settings that a picture's own recipe asks for, and what is to be said of it. Its border is already in the picture. */
export async function recalled(
  { pack }: Settings,
  { recipe, notices }: PictureInfo,
  link: Pick<PageLink, 'call'>,
): Promise<{ readonly settings: Partial<Settings>; readonly notices: readonly Notice[] }> {
  if (!recipe) return { settings: {}, notices };
  const { name } = recipe.pack;
  const installed = await link.call('packs.info', { name }).catch(() => undefined);
  const card = installed && isDrawingCard(installed.card) ? installed.card : undefined;
  const said = [{ code: 'recipe.restored', message: 'Every setting is as it was when this picture was made.' } as const];
  const strange = packNotice(recipe, card);
  return {
    settings: { ...settingsOf(recipe), margins: NO_MARGINS, pack: card ? name : pack },
    notices: [...notices, ...said, ...(strange ? [strange] : [])],
  };
}
