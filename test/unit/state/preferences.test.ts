import { expect, test } from 'vitest';
import { DEFAULT_PREFERENCES } from '#contract/preferences.js';
import { Preferences } from '#state/preferences.svelte.js';
import { FakeLink } from './fake-link.js';

function open() {
  const link = new FakeLink();
  const written: object[] = [];
  link.table['preferences.write'] = (liked) => {
    written.push(liked);
    return null;
  };
  return { link, written, preferences: new Preferences(link) };
}

test('a change counts at once, and the changes are kept in their order', async () => {
  const { written, preferences } = open();
  preferences.change({ theme: 'dark' });
  preferences.change({ language: 'de' });
  expect(preferences.current).toMatchObject({ theme: 'dark', language: 'de' });
  await preferences.settled();
  expect(written).toMatchObject([
    { theme: 'dark', language: 'system' },
    { theme: 'dark', language: 'de' },
  ]);
});

test('what is kept is read, and nothing where there is no answer', async () => {
  const { link, preferences } = open();
  await preferences.load();
  expect(preferences.current).toEqual(DEFAULT_PREFERENCES);
  link.table['preferences.read'] = () => ({ ...DEFAULT_PREFERENCES, theme: 'light' });
  await preferences.load();
  expect(preferences.current.theme).toBe('light');
});

test('a change that cannot be kept counts all the same, and is said', async () => {
  const { link, preferences } = open();
  delete link.table['preferences.write'];
  preferences.change({ theme: 'light' });
  await preferences.settled();
  expect([preferences.current.theme, preferences.unkept]).toEqual(['light', true]);
});

test('a licence is accepted per pack, and another licence anew', () => {
  const { preferences } = open();
  preferences.accept({ name: 'var', licence: 'MIT' });
  expect(preferences.hasAccepted({ name: 'var', licence: 'MIT' })).toBe(true);
  expect(preferences.hasAccepted({ name: 'var', licence: 'other' })).toBe(false);
  expect(preferences.hasAccepted({ name: 'var2', licence: 'MIT' })).toBe(false);
});
