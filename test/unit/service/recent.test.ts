import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Project } from '#contract/project.js';
import { openPictureStore, type PictureStore } from '#service/pictures.js';
import { openRecent, type Recent } from '#service/recent.js';
import { fakeEngine, grayPng } from '../../support/fake-engine.js';

const SAID = { name: 'photo.png', steps: 0, width: 3, height: 2, thumbnail: '' };
let root: string;
let folder: string;
let store: PictureStore;
let recent: Recent;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'recent-test-'));
  folder = join(root, 'recent');
  store = await openPictureStore({ engine: fakeEngine(), parent: root });
  recent = openRecent({ folder, pictures: store });
});

afterEach(async () => {
  store.close();
  await rm(root, { recursive: true, force: true });
});

async function projectOf(level: number): Promise<Project> {
  const { id } = await store.add(grayPng(3, 2, level), 'photo.png');
  const mask = { steps: [], length: 0 };
  return { sheets: [{ picture: id, mask, blank: false }], open: 0, settings: {}, results: [], chosen: 0, others: [], done: [], undone: [] };
}

it('keeps the last twelve documents, and nothing of those before', async () => {
  const ids: string[] = [];
  for (let level = 0; level < 14; level++) ids.push((await recent.keep({ ...SAID, project: await projectOf(level) })).id);
  expect(new Set((await recent.list()).map(({ id }) => id))).toEqual(new Set(ids.slice(2)));
  expect((await readdir(folder)).length).toBe(24);
});

it('gives a document back after a restart, and passes over what it cannot read', async () => {
  const { id } = await recent.keep({ ...SAID, project: await projectOf(9) });
  await writeFile(join(folder, 'broken-broken.json'), '{');
  await writeFile(join(folder, 'strange-strange.json'), JSON.stringify({ ...SAID, id: 'another-name', closedMs: 1 }));
  const other = await openPictureStore({ engine: fakeEngine(), parent: root });
  const again = openRecent({ folder, pictures: other });
  expect((await again.list()).map((document) => document.id)).toEqual([id]);
  const project = await again.open(id);
  expect(Buffer.from((await other.get(project.sheets[0]!.picture)).bytes).equals(Buffer.from(grayPng(3, 2, 9)))).toBe(true);
  other.close();
});

it('what a killed program had begun to keep goes after an hour; what another one has just begun, and what is not ours, stays', async () => {
  const [forgotten, begun] = [randomUUID(), randomUUID()];
  for (const name of [forgotten, begun, 'my notes']) {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, 'project.json'), '{}');
  }
  const then = Date.now() / 1000 - 2 * 60 * 60;
  for (const name of [forgotten, 'my notes']) await utimes(join(folder, name), then, then);
  const { id } = await recent.keep({ ...SAID, project: await projectOf(1) });
  expect((await readdir(folder)).sort()).toEqual([id, `${id}.json`, begun, 'my notes'].sort());
});

it.skipIf(process.platform === 'win32')('follows no link that was planted in its place', async () => {
  const elsewhere = join(root, 'elsewhere');
  await mkdir(elsewhere);
  await writeFile(join(elsewhere, 'precious'), 'mine');
  for (const planted of [elsewhere, join(root, 'nowhere')]) {
    await rm(folder, { recursive: true, force: true });
    await symlink(planted, folder);
    await recent.keep({ ...SAID, project: await projectOf(1) });
    expect(await readdir(elsewhere)).toEqual(['precious']);
    expect(await recent.list()).toHaveLength(1);
  }
  const id = randomUUID();
  await symlink(elsewhere, join(folder, id));
  await symlink(join(elsewhere, 'precious'), join(folder, `${id}.json`));
  await recent.keep({ ...SAID, id, project: await projectOf(2) });
  expect(await readdir(elsewhere)).toEqual(['precious']);
  expect(await readFile(join(elsewhere, 'precious'), 'utf8')).toBe('mine');
});
