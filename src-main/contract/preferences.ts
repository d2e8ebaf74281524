import * as v from 'valibot';

/** What the program speaks. */
export const LANGUAGE_TAGS = ['en', 'de'] as const;
export type LanguageTag = (typeof LANGUAGE_TAGS)[number];
/** `system` follows what the machine is set to. */
export const LANGUAGE_CHOICES = ['system', ...LANGUAGE_TAGS] as const;
export type LanguageChoice = (typeof LANGUAGE_CHOICES)[number];
export const THEMES = ['system', 'dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

const short = v.pipe(v.string(), v.maxLength(64));
const language = v.picklist(LANGUAGE_CHOICES);
const theme = v.picklist(THEMES);
/** Per action the key presses that ask for it, in place of the table's own. */
const keys = v.record(short, v.pipe(v.array(short), v.maxLength(8)));
/** Packs whose licence was accepted, each with that licence. */
const licences = v.pipe(v.array(v.pipe(v.string(), v.maxLength(512))), v.maxLength(1000));

/** A farm of this user: a file that holds its address and secret, and the folder that its machines share; empty = the usual one. */
const farm = v.object({ file: v.pipe(v.string(), v.maxLength(4096)), store: v.pipe(v.string(), v.maxLength(4096)) });

/** What someone likes, whatever they work on: the same for every window of this machine. */
export const Preferences = v.object({ version: v.literal(1), language, theme, keys, licences, farm: v.optional(farm) });
export type Preferences = v.InferOutput<typeof Preferences>;

export const DEFAULT_PREFERENCES: Preferences = { version: 1, language: 'system', theme: 'system', keys: {}, licences: [] };

const Stored = v.fallback(
  v.object({
    version: v.literal(1),
    language: v.fallback(language, DEFAULT_PREFERENCES.language),
    theme: v.fallback(theme, DEFAULT_PREFERENCES.theme),
    keys: v.fallback(keys, {}),
    licences: v.fallback(licences, []),
    farm: v.optional(v.fallback(v.optional(farm), undefined)),
  }),
  DEFAULT_PREFERENCES,
);

/** What was kept; a part that is damaged is as it was in the beginning. */
export function preferencesOf(stored: unknown): Preferences {
  return v.parse(Stored, stored);
}
