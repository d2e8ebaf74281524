import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ExpectedError } from '#contract/errors.js';
import type { Project } from '#contract/project.js';
import { ownerMark } from '#packs/owner.js';
import { openJournal, type Journal } from '#service/journal.js';
import { openPictureStore, type PictureStore } from '#service/pictures.js';
import { fakeEngine, grayPng } from '../../support/fake-engine.js';

const OWNER = 'window-one';
let root: string;
let folder: string;
let store: PictureStore;
let journal: Journal;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'journal-test-'));
  folder = join(root, 'journal');
  store = await openPictureStore({ engine: fakeEngine(), parent: root });
  journal = openJournal({ folder, pictures: store, signMs: 20 });
});

afterEach(async () => {
  store.close();
  await rm(root, { recursive: true, force: true });
});

async function projectOf(level: number, px = 1): Promise<Project> {
  const { id } = await store.add(grayPng(3, 2, level), 'photo.png');
  const mask = { steps: [{ kind: 'grow' as const, px }], length: 1 };
  return { sheets: [{ picture: id, mask, blank: false }], open: 0, settings: {}, results: [], chosen: 0, others: [], done: [], undone: [] };
}

const [place = '', , began = ''] = ownerMark().split('-');

function own(owner = OWNER, mark = ownerMark()): string {
  return join(folder, `${owner}.${mark}`);
}

/** As if the program that wrote it had ended. */
async function orphan(owner: string, ageSeconds: number): Promise<void> {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  await become(owner, `${place}-${String(pid)}-${began}`, ageSeconds);
}

/** As if another program had written it, so long ago. */
async function become(owner: string, mark: string, ageSeconds = 60): Promise<void> {
  await rename(own(owner), own(owner, mark));
  const then = Date.now() / 1000 - ageSeconds;
  await utimes(join(own(owner, mark), 'project.json'), then, then);
  await utimes(own(owner, mark), then, then);
}

async function firstPixel(project: Project | null): Promise<Buffer> {
  return Buffer.from((await store.get(project?.sheets[0]?.picture ?? '')).bytes);
}

it('gives a window back what it had, with the very pictures that the service still holds', async () => {
  const project = await projectOf(10);
  await journal.write(OWNER, project);
  expect(await journal.recover(OWNER)).toEqual(project);
  expect(await openJournal({ folder, pictures: store }).recover('window-two')).toBeNull();
});

it('gives what a program that has ended left to the next window, once, the latest first', async () => {
  await journal.write('window-old', await projectOf(10));
  await orphan('window-old', 60);
  const project = await projectOf(20);
  await journal.write('window-new', project);
  await orphan('window-new', 5);
  await store.remove(project.sheets[0]!.picture);
  const back = await journal.recover(OWNER);
  expect(await firstPixel(back)).toEqual(Buffer.from(grayPng(3, 2, 20)));
  expect(await journal.recover(OWNER)).toEqual(back);
  expect(await firstPixel(await journal.recover('window-two'))).toEqual(Buffer.from(grayPng(3, 2, 10)));
  expect(await journal.recover('window-three')).toBeNull();
});

it('leaves alone what a living program writes', async () => {
  await journal.write('window-new', await projectOf(10));
  expect(await journal.recover(OWNER)).toBeNull();
});

it('keeps only what the last project names, and nothing for an empty table', async () => {
  const first = await projectOf(10);
  await journal.write(OWNER, first);
  const second = await projectOf(20);
  await Promise.all([journal.write(OWNER, first), journal.write(OWNER, second)]);
  expect((await readdir(own())).sort()).toEqual(['project.json', second.sheets[0]!.picture].sort());
  await journal.write(OWNER, null);
  expect(await readdir(folder)).toEqual([]);
});

it('passes over a journal that is damaged, to the one before it', async () => {
  await journal.write('window-old', await projectOf(10));
  await orphan('window-old', 60);
  const project = await projectOf(20);
  await journal.write('window-new', project);
  await writeFile(join(own('window-new'), project.sheets[0]!.picture), 'cut');
  await orphan('window-new', 5);
  await store.remove(project.sheets[0]!.picture);
  expect(await firstPixel(await journal.recover(OWNER))).toEqual(Buffer.from(grayPng(3, 2, 10)));
});

it('does not pile up what nobody came back for', async () => {
  for (let k = 0; k < 8; k++) {
    const owner = `window-${String(k)}`;
    await journal.write(owner, await projectOf(k));
    await orphan(owner, 100 - k);
  }
  await mkdir(join(folder, 'something-else'));
  await journal.recover(OWNER);
  expect((await readdir(folder)).filter((name) => name.startsWith('window-'))).toHaveLength(5);
  expect((await readFile(join(own(), 'project.json'))).length).toBeGreaterThan(0);
});

it('is not deceived by a process number that was given again: in containers it always is', async () => {
  await journal.write('window-old', await projectOf(10));
  await become('window-old', `${place}-${String(process.pid)}-${String(Number(began) - 1)}`);
  expect(await firstPixel(await journal.recover(OWNER))).toEqual(Buffer.from(grayPng(3, 2, 10)));
});

it('offers what an earlier version wrote under the bare number of a process that is somebody else’s now', async () => {
  await journal.write('window-old', await projectOf(10));
  await become('window-old', String(process.pid));
  expect(await firstPixel(await journal.recover(OWNER))).toEqual(Buffer.from(grayPng(3, 2, 10)));
});

it('offers what a program on another machine left, and leaves alone what one there still writes', async () => {
  await journal.write('window-old', await projectOf(10));
  await become('window-old', '00000000-7-7');
  await journal.write('window-new', await projectOf(20));
  await become('window-new', '11111111-7-7', 0);
  const living = setInterval(() => void utimes(own('window-new', '11111111-7-7'), new Date(), new Date()), 5);
  expect(await firstPixel(await journal.recover(OWNER))).toEqual(Buffer.from(grayPng(3, 2, 10)));
  clearInterval(living);
  expect(await readdir(folder)).toContain('window-new.11111111-7-7');
});

it('gives a journal to one of two that ask at once', async () => {
  for (let round = 0; round < 20; round++) {
    await journal.write('window-old', await projectOf(10));
    await orphan('window-old', 60);
    const both = await Promise.all([journal.recover('window-one'), openJournal({ folder, pictures: store }).recover('window-two')]);
    expect(both.filter((project) => project !== null)).toHaveLength(1);
    await journal.write('window-one', null);
    await journal.write('window-two', null);
  }
});

it.skipIf(process.platform === 'win32')('is for this user alone, and follows no link that was planted in its place', async () => {
  const elsewhere = join(root, 'elsewhere');
  await mkdir(elsewhere);
  await writeFile(join(elsewhere, 'precious'), 'mine');
  await symlink(elsewhere, folder);
  const project = await projectOf(10);
  await journal.write(OWNER, project);
  expect(await readdir(elsewhere)).toEqual(['precious']);
  const modes = [folder, own(), join(own(), 'project.json'), join(own(), project.sheets[0]!.picture)];
  expect(await Promise.all(modes.map(async (path) => ((await stat(path)).mode & 0o777).toString(8)))).toEqual(['700', '700', '600', '600']);
  await rm(join(own(), 'project.json'));
  await symlink(join(elsewhere, 'precious'), join(own(), 'project.json'));
  await journal.write(OWNER, project);
  expect(await readFile(join(elsewhere, 'precious'), 'utf8')).toBe('mine');
});

it('a window that outlived its service gets its own back, by the names that its pictures had', async () => {
  const project = await projectOf(10);
  await journal.write(OWNER, project);
  await orphan(OWNER, 60);
  await journal.write('window-later', await projectOf(20));
  await orphan('window-later', 5);
  await store.remove(project.sheets[0]!.picture);
  const again = openJournal({ folder, pictures: store, signMs: 20 });
  expect(await again.recover(OWNER)).toEqual(project);
  expect(await firstPixel(project)).toEqual(Buffer.from(grayPng(3, 2, 10)));
});

/** A store that has no room now. */
const full = () => ({ ...asParts(store), receive: () => Promise.reject(new ExpectedError('output.unwritable', 'Expected room.')) });
const asParts = (whole: PictureStore): PictureStore => ({
  ...whole,
  file: (id) => whole.file(id),
  describe: (id) => whole.describe(id),
  remove: (id) => whole.remove(id),
});

it('what cannot be opened now, for want of room, says so and waits for another time', async () => {
  const project = await projectOf(10);
  await journal.write('window-old', project);
  await orphan('window-old', 60);
  await store.remove(project.sheets[0]!.picture);
  const cramped = openJournal({ folder, pictures: full(), signMs: 20 });
  for (let start = 0; start < 2; start++) await expect(cramped.recover(OWNER)).rejects.toMatchObject({ code: 'output.unwritable' });
  expect(await firstPixel(await journal.recover(OWNER))).toEqual(Buffer.from(grayPng(3, 2, 10)));
});

it('what this window had, and cannot be opened now, is not given up for what another one left', async () => {
  const project = await projectOf(10);
  await journal.write(OWNER, project);
  await journal.write('window-old', await projectOf(20));
  await orphan('window-old', 60);
  await store.remove(project.sheets[0]!.picture);
  await expect(openJournal({ folder, pictures: full() }).recover(OWNER)).rejects.toMatchObject({ code: 'output.unwritable' });
  expect(await firstPixel(await journal.recover(OWNER))).toEqual(Buffer.from(grayPng(3, 2, 10)));
});

it('passes over what a newer version left, and leaves it there', async () => {
  await journal.write('window-new', await projectOf(20));
  await writeFile(join(own('window-new'), 'project.json'), JSON.stringify({ scalebrush: 99 }));
  await orphan('window-new', 5);
  await journal.write('window-old', await projectOf(10));
  await orphan('window-old', 60);
  expect(await firstPixel(await journal.recover(OWNER))).toEqual(Buffer.from(grayPng(3, 2, 10)));
  expect((await readdir(folder)).filter((name) => name.startsWith('window-new.'))).toHaveLength(1);
});
