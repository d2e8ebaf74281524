import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { realpath, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ExpectedError } from '#contract/errors.js';
import { Weights } from '#engine/weights/handle.js';
import { assertUnchanged, identify } from '#engine/weights/identity.js';
import { openCheckpoint } from '#engine/weights/open.js';

import { dict, pickle, tensor } from './support/pickle-writer.js';
import { oneTensor, safetensors } from './support/safetensors-writer.js';
import { TemporaryFiles } from './support/temporary-files.js';
import { torchFile } from './support/torch-writer.js';

const files = new TemporaryFiles();
const SOUND = safetensors(oneTensor('F32', '[2]', '[0,8]'), 8);

describe('openCheckpoint', () => {
  it('goes by content, never by name', async () => {
    expect((await openCheckpoint(files.write(SOUND, 'really-safetensors.pth'))).format).toBe('safetensors');
    expect((await openCheckpoint(files.write(torchFile(pickle(dict({ w: tensor() }))), 'really-torch.safetensors'))).format).toBe('torch');
  });

  it.each<[what: string, bytes: string | Buffer, reason: RegExp]>([
    ['an empty file', '', /the file is empty/],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n', /Git LFS pointer/],
    ['a web page', '<!DOCTYPE html><html></html>', /web page/],
    ['a legacy PyTorch file', Buffer.from('80028a0a6cfc9c46f9206aa850192e80024d', 'hex'), /re-save with a current PyTorch/],
    ['a bare pickle', Buffer.from('80049500', 'hex'), /bare pickle/],
    ['a NumPy array', Buffer.from('934e554d5059', 'hex'), /NumPy/],
    ['GGUF', 'GGUF\u0003', /GGUF/],
    ['an empty archive', Buffer.concat([Buffer.from('PK\u0005\u0006'), Buffer.alloc(18)]), /empty archive/],
    ['a text', 'hello, this is no model at all', /another kind of file/],
  ])('names %s for what it is', async (_, bytes, reason) => {
    await expect(openCheckpoint(files.write(bytes))).rejects.toMatchObject({
      code: 'weights.refused',
      message: expect.stringMatching(reason) as unknown,
    });
  });

  it('refuses a missing file, a folder and an impossible name', async () => {
    mkdirSync(join(files.folder, 'folder'));
    await expect(openCheckpoint(join(files.folder, 'nowhere'))).rejects.toThrow(/no such file/);
    await expect(openCheckpoint(join(files.folder, 'folder'))).rejects.toThrow(/regular file .* folder or device/);
    await expect(openCheckpoint(join(files.folder, 'a\0b'))).rejects.toBeInstanceOf(ExpectedError);
  });

  it('follows symlinks to the real file', async () => {
    const path = files.write(SOUND);
    const link = join(files.folder, 'link');
    symlinkSync(path, link);
    const checkpoint = await openCheckpoint(link);
    expect(checkpoint.identity.path).toBe(await realpath(path));
    expect(checkpoint.tensors.get('w')?.file).toBe(await realpath(path));
  });
});

describe('assertUnchanged', () => {
  it('is content while nothing happens', async () => {
    const identity = await identify(files.write(SOUND));
    await expect(assertUnchanged(identity)).resolves.toBeUndefined();
  });

  it.each<[what: string, change: (path: string) => unknown]>([
    ['cut', (path) => truncate(path, 10)],
    ['removed', (path) => rm(path)],
    ['replaced by an equal copy', (path) => rename(files.write(SOUND), path)],
    [
      'overwritten in place',
      (path) => {
        writeFileSync(path, Buffer.alloc(SOUND.length));
        utimesSync(path, 1, 1);
      },
    ],
  ])('notices a file that was %s, and so does a handle', async (_, change) => {
    const path = files.write(SOUND);
    const checkpoint = await openCheckpoint(path);
    await change(path);
    await expect(assertUnchanged(checkpoint.identity)).rejects.toMatchObject({ code: 'weights.changed' });
    expect(() => Weights.of(checkpoint).readFloats('w')).toThrow(expect.objectContaining({ code: 'weights.changed' }) as Error);
  });
});
