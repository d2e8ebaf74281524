import { existsSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { session } from 'electron';
import type { SettingsFile } from './settings.js';

/** Holds every picture and every wish of its document: for its user alone. */
const PROJECT = '.scalebrush';

export interface Asking {
  /** The next file is saved where the last one was, without a question and over nothing. */
  skipOnce(): void;
}

/**
 * Whatever the page saves goes through the system's own dialog: it begins where the last one ended, and asks before it
 * replaces a file. `onsaved` hears where it lies, or that it was not saved after all.
 */
export function askWhereToSave(settings: SettingsFile, onsaved: (file: string | undefined) => void): Asking {
  let skips = false;
  session.defaultSession.on('will-download', (_event, item) => {
    const name = item.getFilename();
    const { saveFolder } = settings.current;
    const defaultPath = path.join(saveFolder ?? '', name);
    const extension = path.extname(name).slice(1);
    if (skips && saveFolder !== undefined && existsSync(saveFolder)) item.setSavePath(freeName(defaultPath));
    else {
      item.setSaveDialogOptions({
        title: settings.words.save(name),
        defaultPath,
        filters: [{ name: extension.toUpperCase(), extensions: [extension] }],
        properties: ['showOverwriteConfirmation', 'createDirectory'],
      });
    }
    skips = false;
    item.once('done', (_done, state) => {
      const file = state === 'completed' ? item.getSavePath() : undefined;
      if (file !== undefined) settings.change({ saveFolder: path.dirname(file) });
      if (file !== undefined && path.extname(name) === PROJECT) void chmod(file, 0o600).catch(() => undefined);
      onsaved(file);
    });
  });
  return { skipOnce: () => void (skips = true) };
}

/** `cat.jpg`, or else `cat-2.jpg` and so on. */
function freeName(file: string): string {
  const { dir, name, ext } = path.parse(file);
  let free = file;
  for (let number = 2; existsSync(free); number += 1) free = path.join(dir, `${name}-${number}${ext}`);
  return free;
}
