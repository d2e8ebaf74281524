import type { Words } from './en.js';
import { language } from './language.svelte.js';

/** The words of the chosen language; what is drawn with them follows a change of it. */
export const messages = new Proxy({} as Words, { get: (_, name) => language.words[name as keyof Words] });
