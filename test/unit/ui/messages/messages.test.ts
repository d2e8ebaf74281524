import { afterEach, describe, expect, test } from 'vitest';
import { language, languageFor } from '#ui/messages/language.svelte.js';
import { messages } from '#ui/messages/messages.js';

afterEach(() => {
  language.tag = 'en';
});

describe('the words of the window', () => {
  test('follow a change of the language at once', () => {
    expect(messages.undo).toBe('Undo');
    language.tag = 'de';
    expect([messages.undo, messages.verbs.fill, messages.scale(4, 10)]).toEqual(['Rückgängig', 'Füllen', 'Stufe 4 von 10']);
    expect(messages.duration(1250)).toBe('1,3 s');
  });

  test('name the steps of a run after what they are', () => {
    expect([messages.scale(4, 63, 'diagonals'), messages.scaleNumber(4, 'rows')]).toEqual(['Diagonal 4 of 63', 'row 4']);
    language.tag = 'de';
    expect([messages.scale(4, 63, 'diagonals'), messages.scaleNumber(4, 'rows')]).toEqual(['Diagonale 4 von 63', 'Zeile 4']);
  });
});

describe('the first language', () => {
  test.each([
    [['de-CH', 'en'], 'de'],
    [['fr', 'DE'], 'de'],
    [['fr-FR'], 'en'],
    [[], 'en'],
    [['constructor'], 'en'],
  ] as const)('%j is %s', (wanted, tag) => {
    expect(languageFor(wanted)).toBe(tag);
  });
});
