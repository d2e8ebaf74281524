import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OpenedFiles } from '../../../src-main/electron/open-file.js';

vi.mock('electron', () => ({ protocol: {} }));
const { answer } = await import('../../../src-main/electron/studio-protocol.js');

let root: string;
const opened = new OpenedFiles();
const service = vi.fn(() => Promise.resolve(new Response('served')));

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-scheme-'));
  await mkdir(path.join(root, 'renderer/assets'), { recursive: true });
  await mkdir(path.join(root, 'renderer-beside'));
  await writeFile(path.join(root, 'renderer/index.html'), '<!doctype html>');
  await writeFile(path.join(root, 'renderer/assets/main.js'), 'export {};');
  await writeFile(path.join(root, 'renderer/assets/main.js.map'), '{}');
  await writeFile(path.join(root, 'renderer-beside/secret.js'), 'secret');
  await writeFile(path.join(root, 'photo.png'), 'photo');
});

afterAll(() => rm(root, { recursive: true }));

function ask(address: string, method = 'GET'): Promise<Response> {
  return answer(new Request(new URL(address, 'app://studio/'), { method }), { folder: path.join(root, 'renderer'), opened, service });
}

describe('the scheme of the studio', () => {
  it.each([
    ['/', 'text/html; charset=utf-8'],
    ['/index.html', 'text/html; charset=utf-8'],
    ['/assets/main.js', 'text/javascript; charset=utf-8'],
    ['/assets/main.js?v=1', 'text/javascript; charset=utf-8'],
  ])('%s is of the type %s and under the policy', async (address, type) => {
    const { status, headers } = await ask(address);
    expect([status, headers.get('content-type')]).toEqual([200, type]);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/u);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    '/missing.js',
    '/assets',
    '/assets/',
    '/assets/main.js.map',
    '/..%2frenderer-beside%2fsecret.js',
    '/%2e%2e/renderer-beside/secret.js',
    '/assets/..%2f..%2f..%2fphoto.png',
    '/..%5crenderer-beside%5csecret.js',
    '/assets/main.js%00.html',
    '/%zz.js',
    '/opened/guessed',
    'app://other/index.html',
    'app://studio.example/index.html',
  ])('%s is not there', async (address) => {
    const { status, headers, body } = await ask(address);
    expect([status, body]).toEqual([404, null]);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('takes nothing but questions for its files', async () => {
    expect((await ask('/', 'POST')).status).toBe(405);
  });

  it('hands what is for the service to the service alone, and says where there is none', async () => {
    expect(await (await ask('/api/call/packs.list', 'POST')).text()).toBe('served');
    service.mockRejectedValueOnce(new Error('gone'));
    expect((await ask('/api/call/packs.list', 'POST')).status).toBe(503);
  });
});

describe('files that the user opened', () => {
  it('can be fetched once, by a name that cannot be guessed', async () => {
    const { name, address } = await opened.offer(path.join(root, 'photo.png'));
    expect(name).toBe('photo.png');
    expect(address).toMatch(/^\/opened\/[\da-f-]{36}$/u);
    expect(await (await ask(address)).text()).toBe('photo');
    expect((await ask(address)).status).toBe(404);
  });

  it('are refused where they are gone, with the file’s name', async () => {
    await expect(opened.offer(path.join(root, 'gone.png'))).rejects.toThrow(/gone\.png/u);
  });
});
