import * as v from 'valibot';
import { DEFAULT_PACK, OUTPUT_FORMATS } from './request.js';

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

/** As the photograph came, or always one of these. */
export const FORMAT_CHOICES = ['source', ...OUTPUT_FORMATS] as const;
export type FormatChoice = (typeof FORMAT_CHOICES)[number];
const format = v.picklist(FORMAT_CHOICES);
const quality = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100));

export const MOST_VARIANTS = 8;
/** How many pictures a run makes where its wish does not say; `auto` = one, and as many more as a second has room for. */
const variants = v.union([v.literal('auto'), v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_VARIANTS))]);
export type VariantsChoice = v.InferOutput<typeof variants>;

const packName = v.pipe(v.string(), v.maxLength(128));
/** The pack that a window begins with; `last` = the one that was used last. */
export const LAST_PACK = 'last';
export const MOST_RECENT_PACKS = 8;
/** Packs that were used, the last one first. */
const recentPacks = v.pipe(v.array(packName), v.maxLength(MOST_RECENT_PACKS));

export const LEAST_MEMORY_MB = 128;
export const MOST_MEMORY_MB = 1024 * 1024;
/** What the process that computes may have in all. */
const memoryLimitMb = v.pipe(v.number(), v.integer(), v.minValue(LEAST_MEMORY_MB), v.maxValue(MOST_MEMORY_MB));

/** What someone likes, whatever they work on: the same for every window of this machine. */
export const Preferences = v.object({
  version: v.literal(1),
  language,
  theme,
  keys,
  licences,
  farm: v.optional(farm),
  format: v.optional(format, 'source'),
  quality: v.optional(quality, 92),
  variants: v.optional(variants, 'auto'),
  pack: v.optional(packName, DEFAULT_PACK),
  recentPacks: v.optional(recentPacks, []),
  /** Absent = all that there is. */
  memoryLimitMb: v.optional(memoryLimitMb),
});
export type Preferences = v.InferOutput<typeof Preferences>;

export const DEFAULT_PREFERENCES: Preferences = v.parse(Preferences, {
  version: 1,
  language: 'system',
  theme: 'system',
  keys: {},
  licences: [],
});

const Stored = v.fallback(
  v.object({
    version: v.literal(1),
    language: v.fallback(language, DEFAULT_PREFERENCES.language),
    theme: v.fallback(theme, DEFAULT_PREFERENCES.theme),
    keys: v.fallback(keys, {}),
    licences: v.fallback(licences, []),
    farm: v.optional(v.fallback(v.optional(farm), undefined)),
    format: v.fallback(format, DEFAULT_PREFERENCES.format),
    quality: v.fallback(quality, DEFAULT_PREFERENCES.quality),
    variants: v.fallback(variants, DEFAULT_PREFERENCES.variants),
    pack: v.fallback(packName, DEFAULT_PREFERENCES.pack),
    recentPacks: v.fallback(recentPacks, []),
    memoryLimitMb: v.optional(v.fallback(v.optional(memoryLimitMb), undefined)),
  }),
  DEFAULT_PREFERENCES,
);

/** What was kept; a part that is damaged is as it was in the beginning. */
export function preferencesOf(stored: unknown): Preferences {
  return v.parse(Stored, stored);
}
