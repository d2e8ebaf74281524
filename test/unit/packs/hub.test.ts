import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile, mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import os from 'node:os';
import type { Duplex } from 'node:stream';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { askHub, fetchFile, hubAddress, type HubFacts } from '#packs/hub.js';

const CONTENT = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7) % 251));
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');
const FILE = { repository: 'authors/model', path: 'weights.pth' };
const FACTS: HubFacts = { ...FILE, bytes: CONTENT.length, sha256: SHA256, licence: 'mit' };

let server: Server;
let folder: string;
let address: string;
let requests: { readonly url: string; readonly range: string | undefined }[];
/** What the hub does with the requests to come, one after the other; then it behaves. */
let tricks: ((request: IncomingMessage, response: ServerResponse) => void)[];

beforeEach(async () => {
  requests = [];
  tricks = [];
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-hub-'));
  server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', range: request.headers.range });
    (tricks.shift() ?? behave)(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

/** The two questions of the hub's own interface. */
function behave(request: IncomingMessage, response: ServerResponse): void {
  if (request.url?.startsWith('/api/models/')) {
    const siblings = [
      { rfilename: 'weights.pth', size: 130, lfs: { sha256: SHA256, size: CONTENT.length } },
      { rfilename: 'tokenizer.json', size: 12 },
    ];
    response.end(JSON.stringify({ id: 'authors/model', cardData: { license: 'mit' }, siblings }));
    return;
  }
  const start = Number(/bytes=(\d+)-/u.exec(request.headers.range ?? '')?.[1] ?? 0);
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': CONTENT.length - start });
  response.end(CONTENT.subarray(start));
}

function cutAt(bytes: number) {
  return (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-length': CONTENT.length });
    response.write(CONTENT.subarray(0, bytes), () => response.destroy());
  };
}

const options = () => ({ address, pauseMs: 1 });
const target = () => path.join(folder, 'authors/model/weights.pth');

describe('the hub', () => {
  test('says size, digest and licence before anything is fetched', async () => {
    expect(await askHub([FILE, { ...FILE, path: 'tokenizer.json' }], options())).toEqual([
      FACTS,
      { ...FILE, path: 'tokenizer.json', bytes: 12, licence: 'mit' },
    ]);
    expect(requests).toEqual([{ url: '/api/models/authors/model?blobs=true', range: undefined }]);
  });

  test('is asked at the mirror that the environment names', () => {
    expect(hubAddress({})).toBe('https://huggingface.co');
    expect(hubAddress({ HF_ENDPOINT: 'https://mirror.example/', SCALEBRUSH_HUB: '' })).toBe('https://mirror.example');
    expect(hubAddress({ HF_ENDPOINT: 'https://mirror.example', SCALEBRUSH_HUB: 'https://ours.example/' })).toBe('https://ours.example');
  });

  test('a file that is not there is named', async () => {
    await expect(askHub([{ ...FILE, path: 'other.pth' }], options())).rejects.toThrow('Expected other.pth in authors/model');
  });
});

describe('a download', () => {
  test('arrives whole, is counted, and is not fetched twice', async () => {
    let here = 0;
    expect(await fetchFile(FACTS, folder, { ...options(), onProgress: (_, bytes) => (here = bytes) })).toBe(target());
    expect((await readFile(target())).equals(CONTENT)).toBe(true);
    expect(here).toBe(CONTENT.length);
    await fetchFile(FACTS, folder, options());
    expect(requests).toHaveLength(1);
  });

  test('that is cut goes on where it was cut', async () => {
    tricks = [cutAt(120_000)];
    const heard: number[] = [];
    await fetchFile(FACTS, folder, { ...options(), onProgress: (_, bytes) => heard.push(bytes) });
    expect(heard).toEqual([...heard].sort((a, b) => a - b));
    expect(heard.at(-1)).toBe(CONTENT.length);
    expect((await readFile(target())).equals(CONTENT)).toBe(true);
    expect(requests).toHaveLength(2);
    expect(Number(/\d+/u.exec(requests[1]?.range ?? '')?.[0])).toBeGreaterThan(0);
  });

  test('that was left by an earlier start goes on, too', async () => {
    await mkdir(path.dirname(target()), { recursive: true });
    await writeFile(`${target()}.part`, CONTENT.subarray(0, 50_000));
    await fetchFile(FACTS, folder, options());
    expect(requests).toEqual([{ url: '/authors/model/resolve/main/weights.pth', range: 'bytes=50000-' }]);
    expect((await readFile(target())).equals(CONTENT)).toBe(true);
  });

  test('of other bytes than the hub promised is thrown away', async () => {
    tricks = [(_, response) => response.end(Buffer.alloc(CONTENT.length))];
    await expect(fetchFile(FACTS, folder, options())).rejects.toMatchObject({ code: 'pack.damaged' });
    expect(await readdir(path.dirname(target()))).toEqual([]);
  });

  test('waits where the hub is busy, and gives up where it stays so', async () => {
    const busy = (_: IncomingMessage, response: ServerResponse) => response.writeHead(429).end();
    tricks = [busy, busy];
    await fetchFile(FACTS, folder, options());
    expect(requests).toHaveLength(3);
    tricks = [busy, busy, busy, busy, busy];
    await expect(fetchFile({ ...FACTS, path: 'again.pth' }, folder, options())).rejects.toThrow('status 429');
  });

  test('that the hub refuses is said at once', async () => {
    tricks = [(_, response) => response.writeHead(401).end()];
    await expect(fetchFile(FACTS, folder, options())).rejects.toThrow('status 401');
    expect(requests).toHaveLength(1);
  });

  test('can be given up in the middle, and goes on later', async () => {
    const stop = () => {
      throw new Error('enough');
    };
    await expect(fetchFile(FACTS, folder, { ...options(), onProgress: stop })).rejects.toThrow('enough');
    await fetchFile(FACTS, folder, options());
    expect((await readFile(target())).equals(CONTENT)).toBe(true);
  });
});

describe('a proxy that the environment names', () => {
  /** Where it was asked to connect to; whatever the name, it reaches our hub. */
  let asked: string[];
  let proxy: Server;
  const tunnels = new Set<Duplex>();

  beforeEach(async () => {
    asked = [];
    proxy = createServer((_, response) => response.writeHead(405).end());
    proxy.on('connect', (request, socket, head) => {
      asked.push(request.url ?? '');
      const { port } = server.address() as AddressInfo;
      const upstream = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        upstream.write(head);
        upstream.pipe(socket);
        socket.pipe(upstream);
      });
      for (const end of [upstream, socket]) {
        tunnels.add(end);
        end.on('error', () => socket.destroy());
      }
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const at = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy', 'NO_PROXY', 'no_proxy']) vi.stubEnv(name, undefined);
    vi.stubEnv('HTTP_PROXY', at);
    vi.stubEnv('HTTPS_PROXY', at);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const end of tunnels) end.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  });

  test('is asked for the hub, whose name only it can find', async () => {
    const far = { address: 'http://hub.invalid', pauseMs: 1 };
    const [facts] = await askHub([FILE], far);
    await fetchFile(facts!, folder, far);
    expect((await readFile(target())).equals(CONTENT)).toBe(true);
    expect(new Set(asked)).toEqual(new Set(['hub.invalid:80']));
  });

  test('is asked to tunnel where the hub is secure', async () => {
    await expect(askHub([FILE], { address: 'https://hub.invalid', pauseMs: 1 })).rejects.toThrow();
    expect(asked).toEqual(['hub.invalid:443']);
  });

  test('is passed by where NO_PROXY says so', async () => {
    vi.stubEnv('NO_PROXY', '127.0.0.1,localhost');
    await fetchFile(FACTS, folder, options());
    expect(asked).toEqual([]);
    expect((await readFile(target())).equals(CONTENT)).toBe(true);
  });
});
