import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DEFAULT_PREFERENCES } from '#contract/preferences.js';
import { openPreferences } from '#service/preferences.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'preferences-test-'));
});
afterEach(() => rm(root, { recursive: true }));

it('keeps what is liked, and makes its folder', async () => {
  const file = join(root, 'new', 'preferences.json');
  const liked = { ...DEFAULT_PREFERENCES, language: 'de' as const };
  await openPreferences(file).write(liked);
  expect(await openPreferences(file).read()).toEqual(liked);
  expect(await readdir(join(root, 'new'))).toEqual(['preferences.json']);
});

it.each([
  ['no file', undefined, {}],
  ['half a file', '{"version":1,"theme":"li', {}],
  ['something else', '[]', {}],
  ['a later version', '{"version":2,"theme":"light"}', {}],
  ['a damaged part', '{"version":1,"theme":"pink","language":"de","keys":{"brush":7}}', { language: 'de' }],
])('%s is as in the beginning where it is damaged', async (_what, text, kept) => {
  const file = join(root, 'preferences.json');
  if (text !== undefined) await writeFile(file, text);
  expect(await openPreferences(file).read()).toEqual({ ...DEFAULT_PREFERENCES, ...kept });
});

it('says why it cannot write', async () => {
  await writeFile(join(root, 'file'), '');
  const preferences = openPreferences(join(root, 'file', 'preferences.json'));
  await expect(preferences.write(DEFAULT_PREFERENCES)).rejects.toMatchObject({ code: 'output.unwritable' });
});

it.skipIf(process.platform === 'win32')('are for this user alone, and follow no link that was planted in their place', async () => {
  const [file, precious] = [join(root, 'new', 'preferences.json'), join(root, 'precious')];
  await openPreferences(file).write(DEFAULT_PREFERENCES);
  const modes = [join(root, 'new'), file].map(async (path) => ((await stat(path)).mode & 0o777).toString(8));
  expect(await Promise.all(modes)).toEqual(['700', '600']);
  await writeFile(precious, JSON.stringify({ ...DEFAULT_PREFERENCES, language: 'de' }));
  await rm(file);
  await symlink(precious, file);
  expect(await openPreferences(file).read()).toEqual(DEFAULT_PREFERENCES);
  await openPreferences(file).write({ ...DEFAULT_PREFERENCES, theme: 'light' });
  expect(JSON.parse(await readFile(precious, 'utf8'))).toMatchObject({ language: 'de' });
  expect((await lstat(file)).isSymbolicLink()).toBe(false);
});
