import type { FileRecipe } from '#contract/recipe.js';

/** Of the text chunk in a PNG. */
export const RECIPE_KEYWORD = 'Scalebrush recipe';
export const XMP_KEYWORD = 'XML:com.adobe.xmp';

const OPENING = '<scalebrush:recipe>';
const CLOSING = '</scalebrush:recipe>';
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** JSON in ASCII: letters of every script as escapes, so that nothing between here and a reader can harm them. */
export function recipeText(recipe: FileRecipe): string {
  return JSON.stringify(recipe).replace(/[\u007f-\uffff]/gu, (letter) => {
    return Array.from({ length: letter.length }, (_, i) => `\\u${letter.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
  });
}

/** A recipe as an XMP packet, for formats without texts of their own. */
export function recipePacket(recipe: FileRecipe): string {
  const text = recipeText(recipe).replace(/[&<>]/gu, (letter) => ESCAPES[letter] ?? letter);
  return [
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    `<rdf:Description rdf:about="" xmlns:scalebrush="urn:scalebrush:recipe:1">${OPENING}${text}${CLOSING}</rdf:Description>`,
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>',
  ].join('');
}

/** The text of the recipe in an XMP packet, where there is one. */
export function recipeInPacket(packet: string): string | undefined {
  const from = packet.indexOf(OPENING);
  const to = packet.indexOf(CLOSING, from);
  if (from < 0 || to < 0) return undefined;
  return packet
    .slice(from + OPENING.length, to)
    .replace(/&(amp|lt|gt);/gu, (_, name: string) => ({ amp: '&', lt: '<', gt: '>' })[name] ?? '');
}
