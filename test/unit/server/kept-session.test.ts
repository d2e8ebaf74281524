import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keptSession } from '#server/kept-session.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'session-test-'));
  file = join(folder, 'home', 'server-session');
});

afterEach(() => rm(folder, { recursive: true }));

it('is the same at the next start, for this user alone', async () => {
  const secret = await keptSession(file);
  expect(secret).toMatch(/^[\w-]{43}$/u);
  expect(await keptSession(file)).toBe(secret);
  if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it('is a new one where it is damaged', async () => {
  const secret = await keptSession(file);
  await writeFile(file, 'short');
  expect(await keptSession(file)).not.toBe(secret);
  expect((await readFile(file, 'utf8')).trim()).toMatch(/^[\w-]{43}$/u);
});

it.skipIf(process.platform === 'win32')('is a new one where others could read it', async () => {
  const secret = await keptSession(file);
  await chmod(file, 0o644);
  const next = await keptSession(file);
  expect(next).not.toBe(secret);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it.skipIf(process.platform === 'win32')('follows no link', async () => {
  await keptSession(file);
  const elsewhere = join(folder, 'elsewhere');
  await writeFile(elsewhere, 'keep me');
  await rm(file);
  await symlink(elsewhere, file);
  expect(await keptSession(file)).toMatch(/^[\w-]{43}$/u);
  expect(await readFile(elsewhere, 'utf8')).toBe('keep me');
});
