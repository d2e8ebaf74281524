import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JobQueue } from '#jobs/queue.js';
import { openLibrary } from '#packs/library.js';
import { openJournal } from '#service/journal.js';
import { openPreferences } from '#service/preferences.js';
import { openPictureStore } from '#service/pictures.js';
import { openRecent } from '#service/recent.js';
import { createService, type Service } from '#service/service.js';
import { fakeEngine, threeScales, type FakeEngine, type Lessons } from './fake-engine.js';
import { smallCard, writePack } from './pack-folder.js';

export interface TestService {
  readonly service: Service;
  readonly engine: FakeEngine;
  /** A folder of this test's own, with the pack "studio" in `models`. */
  readonly root: string;
  close(): Promise<void>;
}

/** The true service, library, queue and pictures around a fake engine. */
export async function openTestService(lessons: Lessons = {}): Promise<TestService> {
  const root = await mkdtemp(join(tmpdir(), 'service-test-'));
  await writePack(join(root, 'models'), smallCard('studio'));
  const engine = fakeEngine({ run: threeScales, ...lessons });
  const library = openLibrary({ builtIn: [join(root, 'models')], user: join(root, 'packs') });
  const pictures = await openPictureStore({ engine, parent: root });
  const journal = openJournal({ folder: join(root, 'journal'), pictures });
  const recent = openRecent({ folder: join(root, 'recent'), pictures });
  const preferences = openPreferences(join(root, 'preferences.json'));
  const service = createService({ engine, library, queue: new JobQueue(), pictures, journal, recent, preferences });
  const close = async (): Promise<void> => {
    await service.close();
    await rm(root, { recursive: true, force: true });
  };
  return { service, engine, root, close };
}
