import * as v from 'valibot';
import type { Notice } from '#contract/event.js';
import { FileRecipe } from '#contract/recipe.js';
import { parseBoundedJson } from '#packs/json-file.js';

/** Request, control settings, and the rows of tokens. */
const MAX_DEPTH = 8;

/** The recipe in a picture's file, written by whomever: one that is not as it should be is passed over, with a notice. */
export function readRecipe(text: string | undefined): { readonly recipe?: FileRecipe; readonly notice?: Notice } {
  if (text === undefined) return {};
  const recipe = parsed(text);
  if (recipe) return { recipe };
  return { notice: { code: 'recipe.ignored', message: 'The recipe in this file cannot be read and was left out.' } };
}

function parsed(text: string): FileRecipe | undefined {
  try {
    const recipe = v.safeParse(FileRecipe, parseBoundedJson(text, 'recipe', MAX_DEPTH), { abortEarly: true });
    return recipe.success ? recipe.output : undefined;
  } catch {
    return undefined;
  }
}
