import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { preferencesOf, type Preferences } from '#contract/preferences.js';
import { readJsonFile } from '#packs/json-file.js';
import { saveFile } from './files.js';

const LIMITS = { maxBytes: 1024 * 1024, maxDepth: 4, ownFile: true };

/**
 * A file of this machine and not the browser's storage: the server's port, and with it the page's origin, is another at
 * every start.
 */
export interface PreferencesFile {
  /** Never throws: what cannot be read is as it was in the beginning. */
  read(): Promise<Preferences>;
  /** Throws `output.unwritable`. */
  write(preferences: Preferences): Promise<void>;
}

export function openPreferences(file: string): PreferencesFile {
  return {
    read: async () => preferencesOf(await readJsonFile(file, 'the preferences', LIMITS).catch(() => undefined)),
    write: async (preferences) => {
      // Without the folder, saving says why.
      await mkdir(dirname(file), { recursive: true, mode: 0o700 }).catch(() => undefined);
      await saveFile(file, Buffer.from(JSON.stringify(preferences, undefined, 2)), { mode: 0o600 });
    },
  };
}
