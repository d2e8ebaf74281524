import { EventEmitter } from 'node:events';
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
    title: 'cat-edit.png sichern',
    defaultPath: '/pictures/cat-edit.png',
    filters: [{ name: 'PNG', extensions: ['png'] }],
    properties: ['showOverwriteConfirmation', 'createDirectory'],
  });
  item.emit('done', {}, state);
  expect(change.mock.calls).toEqual(Array(remembered).fill([{ saveFolder: '/other' }]));
  expect(saved).toHaveBeenCalledExactlyOnceWith(remembered === 1 ? '/other/cat.png' : undefined);
});
