import fsPromises from 'node:fs/promises';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BodyTooLargeError, receiveFile, type Receiving } from '#service/receive.js';

const MEGABYTE = 2 ** 20;
const untouched = { ...fsPromises };
let root: string;
let taken: number;
let read: number;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'receive-test-'));
  [taken, read] = [0, 0];
});

afterEach(async () => {
  Object.assign(fsPromises, untouched);
  syncBuiltinESMExports();
  await rm(root, { recursive: true });
});

/** Takes everything, of which there is room for 200 MB. */
function receiving(more: Partial<Receiving> = {}): Receiving {
  const room = {
    take: (bytes: number) => {
      if (taken + bytes > 200 * MEGABYTE) throw new BodyTooLargeError('Expected less for all that is open.');
      taken += bytes;
    },
    give: (bytes: number) => (taken -= bytes),
  };
  return { path: join(root, 'body'), maxBytes: 500 * MEGABYTE, room, label: 'the picture', expectKind: () => undefined, ...more };
}

/** A body that counts what is taken of it. */
async function* body(megabytes: number): AsyncGenerator<Uint8Array> {
  for (read = 0; read < megabytes; read++) yield await Promise.resolve(Buffer.alloc(MEGABYTE));
}

/** A disk that is full but for so much, of which a body that is being written takes its part. */
function leaveOnDisk(bytes: number): void {
  const filling = () => Promise.resolve({ bavail: bytes - read * MEGABYTE, bsize: 1 });
  Object.assign(fsPromises, { statfs: filling });
  syncBuiltinESMExports();
}

it('writes a body as it comes, and takes room for what came', async () => {
  expect(await receiveFile(body(3), receiving())).toMatchObject({ bytes: 3 * MEGABYTE });
  expect((await readFile(join(root, 'body'))).equals(Buffer.alloc(3 * MEGABYTE))).toBe(true);
  expect(taken).toBe(3 * MEGABYTE);
});

it.each<[string, Partial<Receiving>, string, number]>([
  ['larger by itself', { maxBytes: 4 * MEGABYTE }, 'at most 4194304 bytes for the picture', 5],
  ['larger by itself, as it says', { maxBytes: 4 * MEGABYTE, declaredBytes: 4 * MEGABYTE + 1 }, 'at most 4194304 bytes', 0],
  ['larger by itself, whatever it says', { maxBytes: 4 * MEGABYTE, declaredBytes: 1 }, 'at most 4194304 bytes for the picture', 5],
  ['more than there is room for', {}, 'less for all that is open', 201],
  ['more than there is room for, as it says', { declaredBytes: 201 * MEGABYTE }, 'less for all that is open', 0],
])('refuses what is %s, when it is known; nothing of it stays, and its room is free', async (_what, more, message, pieces) => {
  const refused = receiveFile(body(300), receiving(more));
  await expect(refused).rejects.toBeInstanceOf(BodyTooLargeError);
  await expect(refused).rejects.toThrow(message);
  expect(read).toBe(Math.max(0, pieces - 1));
  expect(await readdir(root)).toEqual([]);
  expect(taken).toBe(0);
});

it('looks at the first bytes alone, however small its pieces are', async () => {
  const seen: number[] = [];
  const expectKind = (head: Uint8Array) => {
    seen.push(head.length);
    throw new Error('Expected a picture.');
  };
  async function* crumbs() {
    for (read = 0; read < 100; read++) yield await Promise.resolve(Buffer.alloc(1000));
  }
  await expect(receiveFile(crumbs(), receiving({ expectKind }))).rejects.toThrow('Expected a picture.');
  expect([seen, read]).toEqual([[5000], 4]);
  expect([await readdir(root), taken]).toEqual([[], 0]);
});

it('a body that breaks off leaves no file', async () => {
  async function* broken() {
    yield* body(2);
    throw new Error('aborted');
  }
  await expect(receiveFile(broken(), receiving({ declaredBytes: 9 * MEGABYTE }))).rejects.toThrow('aborted');
  expect([await readdir(root), taken]).toEqual([[], 0]);
});

it('leaves room on the disk for everything else, whether or not a body says how long it is', async () => {
  leaveOnDisk(600 * MEGABYTE);
  const full = { code: 'output.unwritable', message: expect.stringContaining('is full') as string };
  await expect(receiveFile(body(150), receiving({ declaredBytes: 150 * MEGABYTE }))).rejects.toMatchObject(full);
  expect(read).toBe(0);
  await expect(receiveFile(body(150), receiving())).rejects.toMatchObject(full);
  expect(read).toBeLessThan(150);
  expect(await readdir(root)).toEqual([]);
});
