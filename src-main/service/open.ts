import { join } from 'node:path';
import { startEngine } from '#engine/door/client.js';
import { JobQueue } from '#jobs/queue.js';
import { openLibrary } from '#packs/library.js';
import { builtInPacksFolder, journalFolder, packageRoot, preferencesFile, recentFolder, userPacksFolder } from '#packs/places.js';
import { openJournal } from './journal.js';
import { openRecent } from './recent.js';
import { openPreferences } from './preferences.js';
import { openPictureStore } from './pictures.js';
import { createService, type Service } from './service.js';

/** Where the build puts the script of the inference process, seen from package.json. */
const INFERENCE_SCRIPT = 'dist/main/inference.js';

/** The service of this machine with its real engine. The inference process starts at the first question to it. */
export async function openService(): Promise<Service> {
  const engine = startEngine({ entry: join(packageRoot(), INFERENCE_SCRIPT) });
  const library = openLibrary({ builtIn: [builtInPacksFolder()], user: userPacksFolder() });
  const pictures = await openPictureStore({ engine });
  const recent = openRecent({ folder: recentFolder(), pictures });
  const journal = openJournal({ folder: journalFolder(), pictures });
  return createService({
    engine,
    library,
    queue: new JobQueue(),
    pictures,
    journal,
    recent,
    preferences: openPreferences(preferencesFile()),
  });
}
