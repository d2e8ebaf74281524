import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { session } from 'electron';
import type { SettingsFile } from './settings.js';

/** Holds every picture and every wish of its document: for its user alone. */
const PROJECT = '.scalebrush';

/**
 * Whatever the page saves goes through the system's own dialog: it begins where the last one ended, and asks before it
 * replaces a file. `onsaved` hears where it lies, or that it was not saved after all.
 */
export function askWhereToSave(settings: SettingsFile, onsaved: (file: string | undefined) => void): void {
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
      const file = state === 'completed' ? item.getSavePath() : undefined;
      if (file !== undefined) settings.change({ saveFolder: path.dirname(file) });
      if (file !== undefined && path.extname(name) === PROJECT) void chmod(file, 0o600).catch(() => undefined);
      onsaved(file);
    });
  });
}
