import { join } from 'node:path';
import { startEngine } from '#engine/door/client.js';
import { JobQueue } from '#jobs/queue.js';
import type { Engine } from '#engine/door/engine.js';
import { openLibrary, type Library } from '#packs/library.js';
import { builtInPacksFolder, journalFolder, packageRoot, preferencesFile, recentFolder, userPacksFolder } from '#packs/places.js';
import type { OpenFarm } from './farm.js';
import { openJournal } from './journal.js';
import { openRecent } from './recent.js';
import { openPreferences } from './preferences.js';
import { openPictureStore } from './pictures.js';
import { createService, type Service } from './service.js';

/** Where the build puts the script of the inference process, seen from package.json. */
const INFERENCE_SCRIPT = 'dist/main/inference.js';

/** The engine of this machine. The inference process starts at the first question to it. */
export function openEngine(): Engine {
  return startEngine({ entry: join(packageRoot(), INFERENCE_SCRIPT) });
}

export function openOwnLibrary(): Library {
  return openLibrary({ builtIn: [builtInPacksFolder()], user: userPacksFolder() });
}

/** The service of this machine with its real engine. */
export async function openService(openFarm?: OpenFarm): Promise<Service> {
  const engine = openEngine();
  const library = openOwnLibrary();
  const pictures = await openPictureStore({ engine });
  const recent = openRecent({ folder: recentFolder(), pictures });
  const journal = openJournal({ folder: journalFolder(), pictures });
  const preferences = openPreferences(preferencesFile());
  return createService({ engine, library, queue: new JobQueue(), pictures, journal, recent, preferences, ...(openFarm && { openFarm }) });
}
