import type { FileRecipe } from '#contract/recipe.js';

/** Of the text chunk in a PNG. */
export const RECIPE_KEYWORD = 'Scalebrush recipe';
export const XMP_KEYWORD = 'XML:com.adobe.xmp';

/** JSON in ASCII: letters of every script as escapes, so that nothing between here and a reader can harm them. */
export function recipeText(recipe: FileRecipe): string {
  return JSON.stringify(recipe).replace(/[\u007f-\uffff]/gu, (letter) => {
    return Array.from({ length: letter.length }, (_, i) => `\\u${letter.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
  });
}
