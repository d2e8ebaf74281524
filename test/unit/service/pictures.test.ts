import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownerMark } from '#packs/owner.js';
import { openPictureStore, type PictureStore } from '#service/pictures.js';
import { fakeEngine, grayPng } from '../../support/fake-engine.js';

let parent: string;
let store: PictureStore;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'pictures-test-'));
  store = await openPictureStore({ engine: fakeEngine(), parent, limits: { kept: 2, passing: 2, totalBytes: 10_000 } });
});

afterEach(async () => {
  store.close();
  await rm(parent, { recursive: true, force: true });
});

const preview = (size: number) => ({ bytes: grayPng(size, size), name: 'p.png', format: 'png', lifetime: 'passing' }) as const;

describe('the picture store', () => {
  it.skipIf(process.platform === 'win32')('keeps pictures in a folder of its own that nobody else can open', async () => {
    const [folder = ''] = await readdir(parent);
    expect((await stat(join(parent, folder))).mode & 0o777).toBe(0o700);
    const { id } = await store.add(grayPng(4, 5), 'a.png');
    expect((await stat(join(parent, folder, id))).mode & 0o777).toBe(0o600);
  });

  it('refuses what the engine refuses, and keeps nothing of it', async () => {
    await expect(store.add(new TextEncoder().encode('<html>'.repeat(9)), 'a.png')).rejects.toMatchObject({ code: 'image.unreadable' });
    await expect(store.add(new Uint8Array(), 'a.png')).rejects.toMatchObject({ code: 'image.unreadable' });
    const [folder = ''] = await readdir(parent);
    expect(await readdir(join(parent, folder))).toEqual([]);
  });

  it('drops the oldest preview when there are too many', async () => {
    const ids = [await store.keep(preview(1)), await store.keep(preview(2)), await store.keep(preview(3))];
    await expect(store.get(ids[0] ?? '')).rejects.toMatchObject({ code: 'picture.unknown' });
    expect((await store.describe(ids[2] ?? '')).size).toEqual({ width: 3, height: 3 });
  });

  it('never drops a kept picture; it refuses the next one instead', async () => {
    const first = await store.add(grayPng(1, 1), 'a.png');
    await store.add(grayPng(1, 1), 'b.png');
    await expect(store.add(grayPng(1, 1), 'c.png')).rejects.toMatchObject({ code: 'output.unwritable' });
    await store.remove(first.id);
    expect((await store.add(grayPng(1, 1), 'c.png')).name).toBe('c.png');
  });

  it('counts bytes, and previews give way', async () => {
    const id = await store.keep(preview(1));
    await store.keep({ ...preview(1), bytes: new Uint8Array(9_990), lifetime: 'kept' });
    await expect(store.get(id)).rejects.toMatchObject({ code: 'picture.unknown' });
    await expect(store.keep({ ...preview(1), bytes: new Uint8Array(9_990) })).rejects.toMatchObject({ code: 'output.unwritable' });
  });

  it('removes its folder when it closes', async () => {
    await store.add(grayPng(1, 1), 'a.png');
    store.close();
    expect(await readdir(parent)).toEqual([]);
  });

  it('sweeps the folders of dead processes and lets living ones be', async () => {
    const child = spawn(process.execPath, ['-e', '0']);
    await once(child, 'exit');
    await mkdir(join(parent, `scalebrush-pictures-${String(child.pid)}-dead`));
    await mkdir(join(parent, `scalebrush-drag-${ownerMark().replace(`-${String(process.pid)}-`, `-${String(child.pid)}-`)}-dead`));
    await mkdir(join(parent, `scalebrush-pictures-${String(process.ppid)}-live`));
    const other = await openPictureStore({ engine: fakeEngine(), parent });
    const names = await readdir(parent);
    other.close();
    expect(names.filter((name) => name.endsWith('-dead'))).toEqual([]);
    expect(names.filter((name) => name.endsWith('-live'))).toHaveLength(1);
  });
});
