import type { LanguageTag } from '#contract/preferences.js';
import { de } from './de.js';
import { en, type Words } from './en.js';

/** Languages as they call themselves. */
export const LANGUAGES: Readonly<Record<LanguageTag, string>> = { en: 'English', de: 'Deutsch' };

const CATALOGUES: Readonly<Record<LanguageTag, Words>> = { en, de };

class Language {
  /** What the window speaks; can be changed while it is open. */
  tag = $state<LanguageTag>('en');
  readonly words: Words = $derived(CATALOGUES[this.tag]);
}

export const language = new Language();

/** The first of the user's own languages that there is a catalogue for. */
export function languageFor(wanted: readonly string[]): LanguageTag {
  const tags = wanted.map((tag) => tag.toLowerCase().split('-')[0] ?? '');
  return tags.find((tag): tag is LanguageTag => Object.hasOwn(LANGUAGES, tag)) ?? 'en';
}
