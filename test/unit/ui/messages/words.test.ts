import { describe, expect, test } from 'vitest';
import { de } from '#ui/messages/de.js';
import { en } from '#ui/messages/en.js';
import { SHELL_WORDS } from '../../../../src-main/electron/words.js';

type Said = readonly [path: string, text: string];

/** What a message may be filled in with: counts of one and of several, words, and the settings of a model. */
const FILLINGS: readonly (readonly unknown[])[] = [
  [1, 1, 1],
  [2, 3, 4],
  ['word', 'word', 'word'],
  [{ guidance: 3, temperature: 1, topP: 0.9 }],
];

/** Everything that a catalogue can say, with where it stands. */
function saidBy(words: unknown, path = ''): readonly Said[] {
  if (typeof words === 'string') return [[path, words]];
  if (typeof words === 'function') return FILLINGS.flatMap((filling) => filled(words as (...parts: unknown[]) => string, filling, path));
  return Object.entries(words as object).flatMap(([name, part]) => saidBy(part, path === '' ? name : `${path}.${name}`));
}

function filled(message: (...parts: unknown[]) => string, parts: readonly unknown[], path: string): readonly Said[] {
  try {
    return [[path, message(...parts)]];
  } catch (error) {
    // It wants parts of another kind.
    if (error instanceof TypeError) return [];
    throw error;
  }
}

/** Where files of models are dealt with, their parts have the names that their authors gave them. */
const OF_MODEL_FILES = 'checkpoint.';

/** The window's catalogue, and what the desktop's shell says around it. */
const CATALOGUES = { en: { ...en, shell: SHELL_WORDS.en }, de: { ...de, shell: SHELL_WORDS.de } };

/** Words of the trade that a photographer need not know, and what is said in their place. */
const FORBIDDEN: readonly (readonly [language: keyof typeof CATALOGUES, words: RegExp, instead: string])[] = [
  ['en', /\btokens?\b/iu, 'scale 3 of 6'],
  ['en', /\b(?:model )?packs?\b/iu, 'model'],
  ['en', /\bcheckpoints?\b/iu, 'model file'],
  ['en', /\bpresets?\b/iu, 'speed'],
  ['en', /\bdepth preset/iu, 'speed'],
  ['en', /\b(?:logits?|inference|tensors?)\b/iu, 'what it does for the picture'],
  ['de', /\btokens?\b/iu, 'Stufe 3 von 6'],
  ['de', /\bpacks?\b/iu, 'Modell'],
  ['de', /\bcheckpoints?\b/iu, 'Modelldatei'],
  ['de', /\b(?:presets?|tiefen(?:stufe|vorgabe))/iu, 'Tempo'],
  ['de', /\b(?:ge|ab)?sicher(?:n|e|t|te|ung)\b/iu, 'Speichern'],
  ['de', /rechenwerk/iu, 'Hardware'],
  ['de', /\b(?:logits?|inferenz|tensor(?:en)?)\b/iu, 'was es für das Bild tut'],
];

describe('the words of the window', () => {
  test.each(FORBIDDEN)('in %s never say %s but “%s”', (language, words) => {
    const said = saidBy(CATALOGUES[language]).filter(([path]) => !path.startsWith(OF_MODEL_FILES));
    expect(said.filter(([, text]) => words.test(text))).toEqual([]);
  });

  test.each(['en', 'de'] as const)('in %s are all read', (language) => {
    const read = new Set(saidBy(CATALOGUES[language]).map(([path]) => path));
    expect(read.size).toBe(messagesIn(CATALOGUES[language]));
  });

  test('“Tiefe” is one thing: how far away something is', () => {
    const deep = saidBy(de).filter(([, text]) => /tiefe/iu.test(text));
    expect(deep.length).toBeGreaterThan(0);
    for (const [, text] of deep) expect(text).toMatch(/^Tiefe$|Tiefenmodell|Tiefenkarten/u);
  });
});

function messagesIn(words: unknown): number {
  return typeof words === 'object' && words ? Object.values(words).reduce<number>((sum, part) => sum + messagesIn(part), 0) : 1;
}
