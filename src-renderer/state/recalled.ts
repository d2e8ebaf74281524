import type { PackSummary, PictureInfo } from '#contract/api.js';
import type { Notice } from '#contract/event.js';
import { settingsOf, type Settings } from '#document/request.js';
import { NO_MARGINS } from '#document/space.js';

/** The settings that a picture's own recipe asks for, and what is to be said of it. Its border is already in the picture. */
export function recalled(
  { pack }: Settings,
  { recipe, notices }: PictureInfo,
  packs: readonly PackSummary[],
): { readonly settings: Partial<Settings>; readonly notices: readonly Notice[] } {
  if (!recipe) return { settings: {}, notices };
  const settings = { ...settingsOf(recipe), margins: NO_MARGINS };
  const { name, version } = recipe.pack;
  const installed = packs.find((other) => other.name === name);
  const said: Notice[] = [{ code: 'recipe.restored', message: 'Every setting is as it was when this picture was made.' }];
  if (installed?.version !== version) {
    said.push({
      code: 'recipe.other-pack',
      message: `It was made with the pack ${name} ${version}, which is not installed.`,
      details: { name, version },
    });
  }
  return { settings: { ...settings, pack: installed ? name : pack }, notices: [...notices, ...said] };
}
