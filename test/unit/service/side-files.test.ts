import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DEFAULT_PREFERENCES } from '#contract/preferences.js';
import { ownerMark } from '#packs/owner.js';
import { saveFile } from '#service/files.js';
import { openPreferences } from '#service/preferences.js';
import { sideFileOf } from '#service/side-files.js';

const [place = '', , began = ''] = ownerMark().split('-');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'side-files-test-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function deadMark(): string {
  return `${place}-${String(spawnSync(process.execPath, ['-e', '']).pid)}-${began}`;
}

it('what killed saves left goes at the next save, whatever they saved', async () => {
  const own = sideFileOf(join(folder, 'photo.png'));
  const killed = [own.replace(ownerMark(), deadMark()), sideFileOf('other.tiff').replace(ownerMark(), deadMark())];
  // The number of its process is ours now, but that process began earlier.
  killed.push(own.replace(ownerMark(), `${place}-${String(process.pid)}-1`));
  for (const name of killed) await writeFile(join(folder, name), 'half');
  await saveFile(join(folder, 'next.png'), Buffer.from('whole'));
  expect(await readdir(folder)).toEqual(['next.png']);
});

it('what others write, what lives, and what only looks like it stays', async () => {
  const alive = sideFileOf('photo.png');
  const elsewhere = alive.replace(place, '00000000');
  const names = [alive, elsewhere, '.photo.png.tmp', '.a.swp.tmp', 'photo.0123456789ab.tmp', '.photo.png.0123456789ab.tmp'];
  for (const name of names) await writeFile(join(folder, name), 'theirs');
  const link = sideFileOf('link.png').replace(ownerMark(), deadMark());
  await symlink(join(folder, alive), join(folder, link));
  await mkdir(join(folder, sideFileOf('folder').replace(ownerMark(), deadMark())));
  await saveFile(join(folder, 'next.png'), Buffer.from('whole'));
  expect(await readdir(folder)).toHaveLength(names.length + 3);
});

it('what nobody here can judge goes after a day', async () => {
  const names = [sideFileOf('photo.png').replace(place, '00000000'), '.preferences.json.0123456789ab.tmp'];
  for (const name of names) {
    await writeFile(join(folder, name), 'half');
    await utimes(join(folder, name), 1, 1);
  }
  await openPreferences(join(folder, 'preferences.json')).write(DEFAULT_PREFERENCES);
  expect(await readdir(folder)).toEqual(['preferences.json']);
});
