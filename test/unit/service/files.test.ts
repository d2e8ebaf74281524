import { execFileSync } from 'node:child_process';
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectPictureBytes, expectWritable, isSameFile, readPictureFile, saveFile } from '#service/files.js';

const bytes = new Uint8Array([1, 2, 3]);
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'files-test-'));
});

afterEach(() => rm(root, { recursive: true }));

describe('saving', () => {
  it('replaces the old file and leaves no other', async () => {
    const path = join(root, 'out.png');
    await writeFile(path, 'old');
    await saveFile(path, bytes);
    expect([...(await readFile(path))]).toEqual([1, 2, 3]);
    expect(await readdir(root)).toEqual(['out.png']);
  });

  it.skipIf(process.platform === 'win32').each([0o600, 0o664, 0o400])('leaves to a file the mode that it had: %i', async (mode) => {
    const path = join(root, 'out.png');
    await writeFile(path, 'old');
    await chmod(path, mode);
    await saveFile(path, bytes);
    expect((await stat(path)).mode & 0o777).toBe(mode);
    await saveFile(join(root, 'new.png'), bytes);
    await writeFile(join(root, 'plain.png'), 'new');
    expect((await stat(join(root, 'new.png'))).mode).toBe((await stat(join(root, 'plain.png'))).mode);
  });

  it('refuses a missing folder in one line', async () => {
    await expect(saveFile(join(root, 'none', 'out.png'), bytes)).rejects.toMatchObject({
      code: 'output.unwritable',
      message: expect.stringContaining('(ENOENT)') as string,
    });
  });

  it('keeps what stands in the place of the file, and removes its temp file', async () => {
    await mkdir(join(root, 'out.png'));
    await expect(saveFile(join(root, 'out.png'), bytes)).rejects.toMatchObject({ code: 'output.unwritable' });
    expect(await readdir(root)).toEqual(['out.png']);
  });

  it('knows beforehand what cannot be written', async () => {
    await expect(expectWritable(join(root, 'out.png'))).resolves.toBeUndefined();
    await expect(expectWritable(join(root, 'none', 'out.png'))).rejects.toMatchObject({ code: 'output.unwritable' });
    await expect(expectWritable(root)).rejects.toMatchObject({ code: 'output.unwritable' });
  });

  it.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
    'keeps the old file on a full disk (needs a mount of its own)',
    async ({ skip }) => {
      try {
        execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', root], { stdio: 'ignore' });
      } catch {
        skip('this machine mounts nothing');
      }
      try {
        await writeFile(join(root, 'out.png'), 'old');
        await expect(saveFile(join(root, 'out.png'), new Uint8Array(1024 * 1024))).rejects.toMatchObject({
          code: 'output.unwritable',
          message: expect.stringContaining('ENOSPC') as string,
        });
        expect(await readFile(join(root, 'out.png'), 'utf8')).toBe('old');
        expect(await readdir(root)).toEqual(['out.png']);
      } finally {
        execFileSync('/bin/umount', [root]);
      }
    },
  );
});

describe('sameness of files', () => {
  it('sees through links of both kinds', async () => {
    const path = join(root, 'a.png');
    await writeFile(path, bytes);
    await symlink(path, join(root, 'soft.png'));
    await link(path, join(root, 'hard.png'));
    await writeFile(join(root, 'b.png'), bytes);
    const same = await Promise.all(['soft.png', 'hard.png', 'b.png', 'none.png'].map((name) => isSameFile(path, join(root, name))));
    expect(same).toEqual([true, true, false, false]);
  });
});

describe('reading a picture', () => {
  it.each([
    ['a missing file', 'none.png', 'image.unreadable', /Expected a readable file for IN but .*none\.png could not be read \(ENOENT\)/u],
    ['a folder', '.', 'image.unreadable', /Expected a file for IN/u],
    ['an empty file', 'empty.png', 'image.unreadable', /received an empty file/u],
  ])('refuses %s', async (_what, name, code, sentence) => {
    await writeFile(join(root, 'empty.png'), '');
    await expect(readPictureFile(join(root, name), 'IN')).rejects.toMatchObject({
      code,
      message: expect.stringMatching(sentence) as string,
    });
  });

  it('refuses more than 512 MB by its size alone', () => {
    expect(() => {
      expectPictureBytes(512 * 1024 * 1024 + 1, 'IN');
    }).toThrow('Expected at most 536870912 bytes for IN but received 536870913.');
  });
});
