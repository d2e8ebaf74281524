import { expect, test } from 'vitest';
import { Preferences } from '#state/preferences.svelte.js';
import { Shortcuts } from '#state/shortcuts.svelte.js';
import { FakeLink } from './fake-link.js';

function open() {
  const preferences = new Preferences(new FakeLink());
  return { preferences, shortcuts: new Shortcuts(preferences) };
}

test('an action gets another chord, and the old ones mean nothing', () => {
  const { preferences, shortcuts } = open();
  expect(shortcuts.bind('brush', 'N')).toBe('bound');
  expect([shortcuts.actionOf('N'), shortcuts.actionOf('B'), shortcuts.changed]).toEqual(['brush', undefined, true]);
  expect(preferences.current.keys).toEqual({ brush: ['N'] });
  shortcuts.reset();
  expect([shortcuts.actionOf('B'), shortcuts.changed]).toEqual(['brush', false]);
});

test('a chord that is taken or reserved is refused, and nothing changes', () => {
  const { preferences, shortcuts } = open();
  expect(shortcuts.bind('brush', 'E')).toEqual({ takenBy: 'eraser' });
  expect(shortcuts.bind('brush', 'Escape')).toBe('reserved');
  expect(preferences.current.keys).toEqual({});
  expect(shortcuts.bind('redo', 'CmdOrCtrl+Y')).toBe('bound');
});

test('two actions swap their chords', () => {
  const { shortcuts } = open();
  shortcuts.swap('brush', 'E');
  expect([shortcuts.actionOf('E'), shortcuts.actionOf('B')]).toEqual(['brush', 'eraser']);
  shortcuts.swap('brush', '0');
  expect([shortcuts.bindings.brush, shortcuts.bindings.fit]).toEqual([['0'], ['E', 'CmdOrCtrl+0']]);
});

test('a chord that the user chose is not taken back by an action that a newer version brings', () => {
  const { preferences, shortcuts } = open();
  preferences.change({ keys: { crop: ['Q'] } });
  expect([shortcuts.actionOf('Q'), shortcuts.bindings.object]).toEqual(['crop', []]);
});

test('what another version kept does no harm', () => {
  const { preferences, shortcuts } = open();
  preferences.change({ keys: { teleport: ['T'], brush: ['Q'] } });
  expect([shortcuts.actionOf('T'), shortcuts.actionOf('Q')]).toEqual([undefined, 'brush']);
});
