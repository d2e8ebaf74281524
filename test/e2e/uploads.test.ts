import { request } from 'node:http';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { familyOf, forgetPeaks, peakRssBytes, rssBytes } from '../support/peak-memory.js';
import { scenePng } from '../support/pictures.js';
import { startLiveServer, type LiveServer } from '../support/running-server.js';

// Programs start here, and large bodies pass: a busy machine takes its time.
vi.setConfig({ testTimeout: 240_000 });
const MEGABYTE = 2 ** 20;
const HALF_GIGABYTE = 500 * 10 ** 6;
const MOST_BYTES = 300 * MEGABYTE;
const onLinux = test.skipIf(process.platform !== 'linux');
let server: LiveServer;
let scene: Buffer;

beforeAll(async () => {
  scene = Buffer.from(await scenePng(64, 48));
  server = await startLiveServer();
});

afterAll(() => server.stop());

interface Sent {
  readonly status: number;
  readonly body: string;
}

/** A body that begins with some bytes and goes on with zeros; `declared` is what is said of it, which need not be so. */
function send(where: string, head: Uint8Array, { bytes, declared = bytes }: { bytes: number; declared?: number }): Promise<Sent> {
  const headers = { cookie: server.cookie, 'content-type': 'application/octet-stream', 'content-length': declared };
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: server.port, method: 'POST', path: where, headers }, (answer) => {
      let body = '';
      answer.on('data', (piece: Buffer) => (body += piece.toString()));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, body });
      });
    });
    asked.once('error', reject);
    // The server may answer, and hang up, before it has heard all.
    pipeline(Readable.from(pieces(head, bytes)), asked, { end: bytes === declared }).catch(() => undefined);
  });
}

function* pieces(head: Uint8Array, bytes: number): Generator<Uint8Array> {
  const zeros = Buffer.alloc(MEGABYTE);
  yield head;
  for (let left = bytes - head.length; left > 0; left -= MEGABYTE) yield zeros.subarray(0, Math.min(left, MEGABYTE));
}

/** Files of bodies in the store's folder. */
async function heldFiles(): Promise<readonly string[]> {
  const names = await readdir(server.root, { recursive: true });
  return names.filter((name) => /scalebrush-pictures-[^/]+\/./u.test(name)).map((name) => path.basename(name));
}

onLinux(
  'four pictures of half a gigabyte at once take less than 300 MB of all processes together, and none when they are closed',
  async () => {
    const { id } = await server.link.upload(scene, 'warm.png');
    const family = familyOf(server.child.pid ?? 0);
    const idle = rssBytes(family);
    const answers = await Promise.all(Array.from({ length: 4 }, () => send('/api/pictures', scene, { bytes: HALF_GIGABYTE })));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(peakRssBytes(family) - idle).toBeLessThan(MOST_BYTES);
    const ids = [id, ...answers.map(({ body }) => (JSON.parse(body) as { id: string }).id)];
    for (const each of ids) await server.link.call('picture.close', { id: each });
    expect(await heldFiles()).toEqual([]);
  },
);

test('what is no picture, or no project, is refused by its first bytes: of half a gigabyte, the rest never comes', async () => {
  const begun = { bytes: 8192, declared: HALF_GIGABYTE };
  expect(await send('/api/pictures', Buffer.from('no picture'), begun)).toMatchObject({ status: 422 });
  expect(await send('/api/projects/open', Buffer.from('no project'), begun)).toMatchObject({ status: 422 });
  expect(await heldFiles()).toEqual([]);
});

test.each([
  ['/api/pictures', 513 * MEGABYTE, 'at most 536870912 bytes for the picture'],
  ['/api/projects/open', 1100 * MEGABYTE, 'at most 1073741824 bytes for the project'],
])('what is too large for %s is refused before a byte of it is written', async (where, declared, limit) => {
  const answer = await send(where, scene, { bytes: scene.length, declared });
  expect(answer).toMatchObject({ status: 413, body: expect.stringContaining(limit) as string });
  expect(await heldFiles()).toEqual([]);
});

onLinux('a large project that is none costs no memory', async () => {
  const family = familyOf(server.child.pid ?? 0);
  const idle = rssBytes(family);
  const head = Buffer.from('PK\x03\x04', 'latin1');
  expect(await send('/api/projects/open', head, { bytes: HALF_GIGABYTE })).toMatchObject({ status: 422 });
  expect(peakRssBytes(family) - idle).toBeLessThan(MOST_BYTES);
  expect(await heldFiles()).toEqual([]);
});

onLinux('saving a project of half a gigabyte takes less than 300 MB', async () => {
  const { body } = await send('/api/pictures', scene, { bytes: HALF_GIGABYTE });
  const { id } = JSON.parse(body) as { id: string };
  const family = familyOf(server.child.pid ?? 0);
  forgetPeaks(family);
  const idle = rssBytes(family);
  const project = { sheets: [{ picture: id, mask: { steps: [], length: 0 }, blank: false }], open: 0, settings: {} };
  const wish = { method: 'POST', body: JSON.stringify({ ...project, results: [], chosen: 0, others: [], done: [], undone: [] }) };
  const headers = { cookie: server.cookie, 'content-type': 'application/json' };
  const answer = await fetch(new URL('/api/projects/save', server.url), { ...wish, headers });
  let bytes = 0;
  for await (const piece of answer.body!) bytes += (piece as Uint8Array).length;
  expect(bytes).toBe(Number(answer.headers.get('content-length')));
  expect(bytes).toBeGreaterThan(HALF_GIGABYTE);
  expect(peakRssBytes(family) - idle).toBeLessThan(MOST_BYTES);
  await server.link.call('picture.close', { id });
});
