import path from 'node:path';
import { session } from 'electron';
import type { SettingsFile } from './settings.js';

/** Whatever the page saves goes through the system's own dialog: it begins where the last one ended, and asks before it replaces a file. */
export function askWhereToSave(settings: SettingsFile): void {
  session.defaultSession.on('will-download', (_event, item) => {
    const name = item.getFilename();
    const defaultPath = path.join(settings.current.saveFolder ?? '', name);
    const extension = path.extname(name).slice(1);
    item.setSaveDialogOptions({
      title: settings.words.save(name),
      defaultPath,
      filters: [{ name: extension.toUpperCase(), extensions: [extension] }],
      properties: ['showOverwriteConfirmation', 'createDirectory'],
    });
    item.once('done', (_done, state) => {
      if (state === 'completed') settings.change({ saveFolder: path.dirname(item.getSavePath()) });
    });
  });
}
