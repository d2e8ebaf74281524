import { describe, expect, test } from 'vitest';
import { chordOf, DEFAULT_BINDINGS, isAction, isReserved, worksWhileTyping } from '#document/keys.js';

const NOTHING = { ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };
const ALT_GR = { ctrlKey: true, altKey: true };

describe('a key press is called', () => {
  test.each([
    ['Ctrl O', { key: 'o', code: 'KeyO', ctrlKey: true }, 'CmdOrCtrl+O'],
    ['Cmd Z on a Mac', { key: 'z', code: 'KeyZ', metaKey: true }, 'CmdOrCtrl+Z'],
    ['Ctrl Shift Z', { key: 'Z', code: 'KeyZ', ctrlKey: true, shiftKey: true }, 'CmdOrCtrl+Shift+Z'],
    ['Z where Swiss keyboards have it', { key: 'z', code: 'KeyY', ctrlKey: true }, 'CmdOrCtrl+Z'],
    ['plus with Shift', { key: '+', code: 'Digit1', ctrlKey: true, shiftKey: true }, 'CmdOrCtrl+Plus'],
    ['equals, the plus without Shift', { key: '=', code: 'Equal', ctrlKey: true }, 'CmdOrCtrl+Plus'],
    ['F1', { key: 'F1', code: 'F1' }, 'F1'],
    ['Ctrl Enter', { key: 'Enter', code: 'Enter', ctrlKey: true }, 'CmdOrCtrl+Enter'],
    ['? on a US keyboard', { key: '?', code: 'Slash', shiftKey: true }, '?'],
    ['? on a Swiss keyboard', { key: '?', code: 'Minus', shiftKey: true }, '?'],
    ['a digit that French keyboards print with Shift', { key: '0', code: 'Digit0', shiftKey: true }, '0'],
    ['[ of a US keyboard', { key: '[', code: 'BracketLeft' }, '['],
    ['[ by AltGr on Windows', { key: '[', code: 'BracketLeft', ...ALT_GR }, '['],
    ['[ by AltGr on Linux', { key: '[', code: 'BracketLeft' }, '['],
    ['[ by Option on a Mac', { key: '[', code: 'Digit5', altKey: true }, '['],
    ['a letter of its own', { key: 'ü', code: 'BracketLeft' }, 'Ü'],
    ['B where Cyrillic is printed', { key: 'и', code: 'KeyB' }, 'B'],
    ['Ctrl Z where Cyrillic is printed', { key: 'я', code: 'KeyZ', ctrlKey: true }, 'CmdOrCtrl+Z'],
    ['[ where Cyrillic is printed', { key: 'х', code: 'BracketLeft' }, '['],
    ['L where Greek is printed', { key: 'λ', code: 'KeyL' }, 'L'],
    ['a letter with Alt', { key: 'o', code: 'KeyO', ctrlKey: true, altKey: true }, undefined],
    ['Shift alone', { key: 'Shift', code: 'ShiftLeft', shiftKey: true }, undefined],
    ['a dead key', { key: 'Dead', code: 'BracketRight' }, undefined],
  ])('%s', (_what, press, chord) => {
    expect(chordOf({ ...NOTHING, ...press })).toBe(chord);
  });
});

test('no two actions share a chord, none of them is reserved, and names are told from other words', () => {
  const chords = Object.values(DEFAULT_BINDINGS).flat();
  expect(new Set(chords).size).toBe(chords.length);
  expect(chords.filter(isReserved)).toEqual([]);
  expect([isAction('brush'), isAction('undo'), isAction('toString')]).toEqual([true, true, false]);
});

test('letters are letters while words are typed', () => {
  expect(['CmdOrCtrl+S', 'F1', 'B', '?', 'Delete'].map(worksWhileTyping)).toEqual([true, true, false, false, false]);
});
