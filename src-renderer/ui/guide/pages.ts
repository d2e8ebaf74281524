import type { LanguageTag } from '#contract/preferences.js';

export const PAGES = ['jobs', 'cli', 'formats'] as const;
export type Page = (typeof PAGES)[number];

const JOBS = { en: () => import('#docs/guide/en.md'), de: () => import('#docs/guide/de.md') } satisfies Record<LanguageTag, unknown>;

/** A page of the guide as HTML, loaded when it is first looked at; the references are in English. */
export async function pageOf(page: Page, language: LanguageTag): Promise<string> {
  if (page === 'cli') return (await import('#docs/cli.md')).html;
  if (page === 'formats') return (await import('#docs/formats.md')).html;
  return (await JOBS[language]()).html;
}
