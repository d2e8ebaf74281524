import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ownerMark } from '#packs/owner.js';
import { sideFileOf } from '#service/side-files.js';
import { SettingsFile } from '../../../src-main/electron/settings.js';

let folder: string;
const file = () => path.join(folder, 'settings.json');

beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'scalebrush-settings-'))));
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('what was changed is there at the next start, and no unfinished file is left', () => {
  new SettingsFile(folder).change({ maximized: true });
  expect(new SettingsFile(folder).current).toEqual({ version: 1, maximized: true, recent: [], updates: false, language: 'en' });
  expect(readdirSync(folder)).toEqual(['settings.json']);
});

test('what killed starts left unfinished goes at the next one, and what others are writing stays', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const [place = '', , began = ''] = ownerMark().split('-');
  const killed = [`settings.json.${String(dead)}.tmp`, sideFileOf(file()).replace(ownerMark(), `${place}-${String(dead)}-${began}`)];
  const others = [sideFileOf(file()), `settings.json.${String(process.ppid)}.tmp`];
  for (const name of [...killed, ...others]) writeFileSync(path.join(folder, name), '{');
  expect(new SettingsFile(folder).current.version).toBe(1);
  await vi.waitFor(() => {
    expect(readdirSync(folder).sort()).toEqual([...others].sort());
  });
});

test('the shell speaks the language of the window, from the next start on as well', () => {
  new SettingsFile(folder).change({ language: 'de' });
  expect(new SettingsFile(folder).words.leaving.message).toBe('Eine Bearbeitung läuft noch.');
});

test('recent files are named once, the last one first, and only so many', () => {
  const settings = new SettingsFile(folder);
  for (let i = 0; i < 12; i++) settings.opened(`/photos/${i}.png`);
  settings.opened('/photos/5.png');
  expect(settings.current.recent).toHaveLength(10);
  expect(settings.current.recent.slice(0, 3)).toEqual(['/photos/5.png', '/photos/11.png', '/photos/10.png']);
});

test.each(['{', '{"version": 2}', '{"version": 1, "bounds": {"width": -1}}', ''])('damaged settings %j are set aside', (text) => {
  writeFileSync(file(), text);
  expect(new SettingsFile(folder).current).toEqual({ version: 1, maximized: false, recent: [], updates: false, language: 'en' });
  expect(readFileSync(`${file()}.damaged`, 'utf8')).toBe(text);
});

test('a folder that cannot be written costs the memory, not the session', () => {
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  writeFileSync(path.join(folder, 'taken'), '');
  const settings = new SettingsFile(path.join(folder, 'taken'));
  settings.change({ maximized: true });
  expect(settings.current.maximized).toBe(true);
  expect(said).toHaveBeenCalledWith(expect.stringContaining('settings could not be written'));
  said.mockRestore();
});
