import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { build } from 'vite';
import type { Project } from '#contract/project.js';
import { openJournal } from '#service/journal.js';
import { openPictureStore, type PictureStore } from '#service/pictures.js';
import { readProjectFile } from '#service/project-file.js';
import { fakeEngine } from '../../support/fake-engine.js';
import { numberedPicture } from '../../support/numbered-project.js';

const KILLS = 100;
const LONGEST_LIFE_MS = 60;
const folders = { root: '', journal: '', pictures: '', file: '' };
let store: PictureStore;

/** Plain Node cannot run TypeScript: the program is bundled first. */
beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), 'kill-test-'));
  Object.assign(folders, { root, journal: join(root, 'journal'), pictures: join(root, 'pictures'), file: join(root, 'photo.scalebrush') });
  await mkdir(folders.pictures);
  store = await openPictureStore({ engine: fakeEngine(), parent: root });
  await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: {
      ssr: 'test/support/journal-writer.ts',
      outDir: root,
      emptyOutDir: false,
      rolldownOptions: { output: { entryFileNames: 'writer.mjs' } },
    },
  });
});

afterAll(async () => {
  store.close();
  await rm(folders.root, { recursive: true, force: true });
});

interface Last {
  journal?: number;
  file?: number;
}

/** Lets a writer live for a moment, and says what it had finished for certain. */
async function killedWriter(from: number): Promise<Last> {
  const { root, journal, pictures, file } = folders;
  const child: ChildProcess = fork(join(root, 'writer.mjs'), [journal, pictures, file, String(from)], { stdio: 'inherit' });
  const last: Last = {};
  const begun = new Promise<void>((resolve) => {
    child.on('message', (message: Last) => {
      Object.assign(last, message);
      resolve();
    });
  });
  await begun;
  await pause(Math.random() * LONGEST_LIFE_MS);
  child.kill('SIGKILL');
  await once(child, 'close');
  return last;
}

/** Of one number from its settings to the last byte of its picture; gives the number. */
async function wholeNumber(project: Project | null): Promise<number> {
  const number = project?.settings.seed ?? Number.NaN;
  const picture = project?.sheets[0]?.picture ?? '';
  expect(Buffer.compare((await store.get(picture)).bytes, numberedPicture(number))).toBe(0);
  await store.remove(picture);
  return number;
}

test(`a program that is killed ${String(KILLS)} times while it saves leaves the old or the new, and never less than it said`, async () => {
  let from = 0;
  let certain = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const last = await killedWriter(from);
    const journal = openJournal({ folder: folders.journal, pictures: store });
    const owner = `checker-${String(kill)}`;
    const kept = await wholeNumber(await journal.recover(owner));
    await journal.write(owner, null);
    expect(kept).toBeGreaterThanOrEqual(last.journal ?? from);
    if (existsSync(folders.file)) {
      const saved = await wholeNumber(await readProjectFile({ body: [await readFile(folders.file)] }, store));
      certain = Math.max(certain, last.file ?? 0);
      expect(saved).toBeGreaterThanOrEqual(certain);
      expect(saved).toBeLessThanOrEqual(kept);
    }
    from = kept + 1;
  }
}, 300_000);
