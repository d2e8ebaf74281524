import { EventEmitter } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { SettingsFile } from '../../../src-main/electron/settings.js';
import { SHELL_WORDS } from '../../../src-main/electron/words.js';

const session = vi.hoisted(() => ({ listener: undefined as ((event: unknown, item: unknown) => void) | undefined }));
vi.mock('electron', () => ({
  session: { defaultSession: { on: (_name: string, listener: (event: unknown, item: unknown) => void) => (session.listener = listener) } },
}));
const { askWhereToSave } = await import('../../../src-main/electron/save-dialog.js');

it.each([
  ['completed', 1],
  ['cancelled', 0],
])('a picture is saved where the last one was, and never over another without a question: %s', (state, remembered) => {
  const change = vi.fn();
  const saved = vi.fn();
  askWhereToSave({ current: { saveFolder: '/pictures' }, words: SHELL_WORDS.de, change } as unknown as SettingsFile, saved);
  const setSaveDialogOptions = vi.fn();
  const item = Object.assign(new EventEmitter(), {
    getFilename: () => 'cat-edit.png',
    getSavePath: () => '/other/cat.png',
    setSaveDialogOptions,
  });
  session.listener?.({}, item);
  expect(setSaveDialogOptions).toHaveBeenCalledWith({
    title: 'cat-edit.png speichern',
    defaultPath: '/pictures/cat-edit.png',
    filters: [{ name: 'PNG', extensions: ['png'] }],
    properties: ['showOverwriteConfirmation', 'createDirectory'],
  });
  item.emit('done', {}, state);
  expect(change.mock.calls).toEqual(Array(remembered).fill([{ saveFolder: '/other' }]));
  expect(saved).toHaveBeenCalledExactlyOnceWith(remembered === 1 ? '/other/cat.png' : undefined);
});

it.skipIf(process.platform === 'win32').each([
  ['scalebrush', '600'],
  ['png', '644'],
])('a project is for its user alone, a picture for whom the user’s files are: %s', async (extension, mode) => {
  const folder = await mkdtemp(join(tmpdir(), 'save-dialog-'));
  const file = join(folder, `cat.${extension}`);
  await writeFile(file, '', { mode: 0o644 });
  askWhereToSave({ current: {}, words: SHELL_WORDS.en, change: vi.fn() } as unknown as SettingsFile, vi.fn());
  const item = { getFilename: () => `cat.${extension}`, getSavePath: () => file, setSaveDialogOptions: vi.fn() };
  const download = Object.assign(new EventEmitter(), item);
  session.listener?.({}, download);
  download.emit('done', {}, 'completed');
  await vi.waitFor(async () => {
    expect(((await stat(file)).mode & 0o777).toString(8)).toBe(mode);
  });
  await rm(folder, { recursive: true });
});

it('what is saved as last time goes beside it without a question, under a name that is free, once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'save-dialog-'));
  await writeFile(join(folder, 'cat.png'), 'mine');
  await writeFile(join(folder, 'cat-2.png'), 'mine too');
  const asking = askWhereToSave({ current: { saveFolder: folder }, words: SHELL_WORDS.en, change: vi.fn() } as unknown as SettingsFile, vi.fn()); // prettier-ignore
  const begun = () => {
    const item = Object.assign(new EventEmitter(), { getFilename: () => 'cat.png', setSavePath: vi.fn(), setSaveDialogOptions: vi.fn() });
    session.listener?.({}, item);
    return item;
  };
  asking.skipOnce();
  const quiet = begun();
  expect(quiet.setSavePath).toHaveBeenCalledExactlyOnceWith(join(folder, 'cat-3.png'));
  expect(quiet.setSaveDialogOptions).not.toHaveBeenCalled();
  const asked = begun();
  expect(asked.setSavePath).not.toHaveBeenCalled();
  expect(asked.setSaveDialogOptions).toHaveBeenCalledOnce();
  await rm(folder, { recursive: true });
  asking.skipOnce();
  expect(begun().setSaveDialogOptions).toHaveBeenCalledOnce();
});
