import { mkdir, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startServer, type RunningServer, type ServerLimits } from '#server/server.js';
import { grayPng } from '../../support/fake-engine.js';
import { visit } from '../../support/http-link.js';
import { openTestService, type TestService } from '../../support/service.js';

const LIMITS = { requestMs: 400, headersMs: 300, members: 256, strangers: 128, strangerMs: 800 };
const PATIENT: ServerLimits = { requestMs: 60_000, headersMs: 60_000, members: 256, strangers: 64, strangerMs: 60_000 };
let opened: TestService;
let server: RunningServer;
let cookie: string;
let rendererFolder: string;

beforeAll(async () => {
  opened = await openTestService({ providers: () => Promise.resolve([]) });
  rendererFolder = join(opened.root, 'renderer');
  await mkdir(join(rendererFolder, 'assets'), { recursive: true });
  await writeFile(join(rendererFolder, 'index.html'), '<!doctype html><title>Scalebrush</title>');
  await writeFile(join(rendererFolder, 'assets', 'main.js'), 'export {};');
  await writeFile(join(rendererFolder, '.secret'), 'hidden');
  await writeFile(join(opened.root, 'outside.txt'), 'outside');
  server = await startServer({ service: opened.service, port: 0, rendererFolder, limits: LIMITS });
  cookie = await visit(server.url);
});

afterAll(async () => {
  await server.close();
  await opened.close();
});

interface Question {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Uint8Array;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A raw client: fetch would correct the very headers and paths that attackers choose. */
function ask({ method = 'GET', path, headers = {}, body }: Question): Promise<Answer> {
  const wanted: [string, string | undefined][] = Object.entries({ host: `127.0.0.1:${String(server.port)}`, cookie, ...headers });
  const sent = Object.fromEntries(wanted.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  return new Promise((resolve, reject) => {
    const question = httpRequest({ host: '127.0.0.1', port: server.port, method, path, headers: sent, setHost: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => (text += piece));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
      });
    });
    question.on('error', reject);
    question.end(body);
  });
}

const JSON_TYPE = { 'content-type': 'application/json' };
const providers = { method: 'POST', path: '/api/call/providers.list', headers: JSON_TYPE, body: '{}' } as const;

describe('access', () => {
  it('gives the page and the contract to those with the cookie', async () => {
    expect(await ask({ path: '/' })).toMatchObject({ status: 200, body: expect.stringContaining('Scalebrush') as string });
    expect(await ask({ path: '/assets/main.js' })).toMatchObject({ status: 200 });
    expect(await ask(providers)).toMatchObject({ status: 200, body: '[]' });
  });

  it('exchanges a token once, for a cookie that scripts and strangers never see', async () => {
    const path = new URL(server.issueUrl()).search;
    const first = await ask({ path: `/${path}`, headers: { cookie: undefined } });
    expect(first).toMatchObject({ status: 303, headers: { location: '/' } });
    expect(first.headers['set-cookie']?.[0]).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/u);
    expect((await ask({ path: `/${path}`, headers: { cookie: undefined } })).status).toBe(403);
  });

  it.each([
    ['without a cookie', { cookie: undefined }],
    ['with a wrong cookie', { cookie: 'scalebrush_1=x' }],
    ['from a foreign Host', { host: 'evil.example' }],
    ['from a Host of another port', { host: '127.0.0.1:1' }],
    ['from the Origin null', { origin: 'null' }],
    ['from a foreign Origin', { origin: 'https://evil.example' }],
    ['from the same name on another port', { origin: 'http://127.0.0.1:1' }],
    ['across sites', { 'sec-fetch-site': 'cross-site' }],
  ])('is denied %s', async (_what, headers) => {
    for (const question of [{ path: '/' }, { path: '/assets/main.js' }, providers, { path: '/api/pictures/x' }]) {
      const answer = await ask({ ...question, headers: { ...('headers' in question ? question.headers : {}), ...headers } });
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'access.denied', advice: 'Open the address that the server printed.' });
    }
  });

  it('says what to do to whoever looks at it without a cookie, in two languages, and nothing to others', async () => {
    const look = (language: string, headers: Question['headers'] = {}) =>
      ask({ path: '/?token=used', headers: { cookie: undefined, accept: 'text/html,*/*', 'accept-language': language, ...headers } });
    const english = await look('en-GB');
    expect(english).toMatchObject({ status: 403, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(english.body).toMatch(/lang="en".*press <kbd>Enter/u);
    expect(english.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/u);
    expect((await look('de-CH,de')).body).toMatch(/lang="de".*<kbd>Eingabetaste/u);
    expect((await look('en', { host: 'evil.example' })).body).not.toContain('<');
  });

  it('lets in again who was let in before a restart with the same secret', async () => {
    const session = 'a-secret-of-an-earlier-start-0123456789abcd';
    const again = await startServer({ service: opened.service, port: 0, rendererFolder, limits: LIMITS, session });
    const known = { cookie: `scalebrush_${String(again.port)}=${session}` };
    const answer = await fetch(`http://127.0.0.1:${String(again.port)}/`, { headers: known });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
    await again.close();
  });

  it('a page that stays hears at once that the server ends', async () => {
    const again = await startServer({ service: opened.service, port: 0, rendererFolder, limits: LIMITS });
    const held = await fetch(new URL('/api/presence', again.url), { headers: { cookie: await visit(again.url) } });
    expect(held.status).toBe(200);
    const ended = held.text().then(
      () => 'ended',
      () => 'ended',
    );
    await again.close();
    expect(await ended).toBe('ended');
  });

  it('accepts its own Origin under both of its names', async () => {
    for (const name of ['127.0.0.1', 'localhost']) {
      const host = `${name}:${String(server.port)}`;
      expect((await ask({ ...providers, headers: { ...JSON_TYPE, host, origin: `http://${host}` } })).status).toBe(200);
    }
  });

  it('binds to loopback only', async () => {
    await expect(startServer({ service: opened.service, port: 0, rendererFolder, host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'access.denied',
    });
    const outer = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    for (const { address } of outer.filter(({ internal, family }) => !internal && family === 'IPv4'))
      expect(await reachable(address)).toBe(false);
    expect(await reachable('127.0.0.1')).toBe(true);
  });

  it('refuses a port that is taken and a window that was not built, each in one line', async () => {
    const { service } = opened;
    await expect(startServer({ service, port: server.port, rendererFolder })).rejects.toMatchObject({
      code: 'request.invalid',
      message: expect.stringContaining('EADDRINUSE') as string,
    });
    await expect(startServer({ service, port: 0, rendererFolder: opened.root })).rejects.toMatchObject({
      message: expect.stringContaining('npm run build') as string,
    });
  });
});

function reachable(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: server.port, timeout: 1000 });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

describe('every answer', () => {
  it.each([
    ['a page', { path: '/' }],
    ['a refusal', { path: '/', headers: { cookie: undefined } }],
    ['nothing', { path: '/none' }],
    ['a call', providers],
  ])('protects the browser: %s', async (_what, question) => {
    const { headers } = await ask(question);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/u);
    expect(headers['content-security-policy']).not.toContain('unsafe');
  });
});

describe('addresses', () => {
  it.each([
    '/files/..%2f..%2fetc/passwd',
    '/..%2foutside.txt',
    '/%2e%2e/outside.txt',
    '/../outside.txt',
    '/assets/..%5c..%5coutside.txt',
    '/%00',
    '/.secret',
    '/none',
    '/assets/',
    '/api/call/none.such',
    '/api/pictures/../../outside.txt',
    '/api/pictures/..%2f..%2foutside.txt',
  ])('have nothing at %s', async (path) => {
    const answer = await ask({ path });
    expect(answer.status).toBe(404);
    expect(answer.body).not.toMatch(/outside$|hidden/u);
  });

  it('change nothing on GET', async () => {
    for (const path of ['/api/call/providers.list', '/api/stream/edit.run', '/api/pictures'])
      expect((await ask({ path })).status).toBe(404);
  });

  it.each(['__proto__', 'constructor', 'toString', 'edit.run'])('know no call named %s', async (name) => {
    expect((await ask({ ...providers, path: `/api/call/${name}` })).status).toBe(404);
  });

  it.each(['/%zz', '/%ff', '/assets/%ff', '/api/pictures/%c0%af'])('that cannot be read are those of nothing: %s', async (path) => {
    expect((await ask({ path })).status).toBe(404);
  });

  it.each(['PUT', 'DELETE', 'PATCH'])('that nobody answers are those of nothing, with a body or without: %s', async (method) => {
    const address = { method, path: '/api/pictures/one' };
    expect((await ask({ ...address, headers: JSON_TYPE })).status).toBe(404);
    expect((await ask({ ...address, headers: { ...JSON_TYPE, 'content-length': '2' }, body: '{}' })).status).toBe(404);
    expect((await ask({ ...address, headers: { 'content-type': 'text/odd', 'content-length': '1' }, body: '{' })).status).toBe(404);
  });
});

describe('what is no request', () => {
  it.each<[string, string, number]>([
    ['nonsense', 'nonsense\r\n\r\n', 400],
    ['a length and pieces at once', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', 400],
    ['a length below nothing', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['headers that never come whole', 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ', 408],
  ])('is refused in one sentence, as everything: %s', async (_what, text, status) => {
    const [head = '', body = ''] = (await said(text)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${String(status)} `, 'u'));
    expect(head).toContain('x-content-type-options: nosniff');
    expect(JSON.parse(body)).toMatchObject({ code: 'request.invalid', message: expect.stringMatching(/^Expected /u) as string });
  });
});

/** Says something, and then nothing; gives all that comes back until the server hangs up. */
function said(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (piece: string) => (answer += piece));
    socket.on('close', () => {
      resolve(answer);
    });
    socket.on('error', reject);
    socket.write(text);
  });
}

describe('silent connections', () => {
  it('keep nobody out who has the secret, however many they are, and are not kept themselves', async () => {
    const silent = Array.from({ length: 256 }, () =>
      connect(server.port, '127.0.0.1')
        .resume()
        .on('error', () => undefined),
    );
    const closed = silent.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (let k = 0; k < 4; k++) expect((await ask({ ...providers, headers: { ...JSON_TYPE, connection: 'close' } })).status).toBe(200);
    await Promise.all(closed);
  });

  /** A server with other limits, and so many connections that say nothing. */
  async function silence(limits: Partial<ServerLimits>, count: number) {
    const other = await startServer({ service: opened.service, port: 0, rendererFolder, limits: { ...PATIENT, ...limits } });
    const sockets = Array.from({ length: count }, () => connect(other.port, '127.0.0.1').resume().on('error', () => undefined)); // prettier-ignore
    return { other, sockets, open: () => sockets.filter(({ closed }) => !closed).length };
  }

  it('are closed when they have said nothing for a while, however long a request may take', async () => {
    const { other, open } = await silence({ strangerMs: 100 }, 8);
    await vi.waitFor(() => {
      expect(open()).toBe(0);
    });
    await other.close();
  });

  it('give way to those who come later', async () => {
    const { other, sockets, open } = await silence({ strangers: 3 }, 8);
    await vi.waitFor(() => {
      expect(open()).toBe(3);
    });
    expect(sockets.slice(-3).every(({ closed }) => !closed)).toBe(true);
    await other.close();
  });

  it('are not those of members, of whom only so many stay', async () => {
    const { other } = await silence({ members: 2, strangerMs: 100 }, 0);
    const known = { cookie: await visit(other.url) };
    const stay = () => fetch(new URL('/api/presence', other.url), { headers: known });
    // `visit` came without the cookie, and is not one of them.
    const stays = [await stay(), await stay()];
    expect([...stays, await stay()].map(({ status }) => status)).toEqual([200, 200, 429]);
    await other.close();
    await Promise.allSettled(stays.map((each) => each.text()));
  });

  const address = () => `HTTP/1.1\r\nHost: 127.0.0.1:${String(server.port)}\r\n`;
  it.each<[string, () => string]>([
    ['say a little now and then', () => `GET / ${address()}`],
    ['ask to stay', () => `GET /api/presence ${address()}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n`],
    ['begin a run', () => `POST /api/stream/edit.run ${address()}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`],
    [
      'begin a picture',
      () => `POST /api/pictures ${address()}Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`,
    ],
  ])('are those, too, that %s', async (_what, start) => {
    const sockets = Array.from({ length: 256 }, () => connect(server.port, '127.0.0.1').resume().on('error', () => undefined)); // prettier-ignore
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) socket.write(start());
    const dripping = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write('X-A: b\r\n');
    }, 50);
    for (let k = 0; k < 4; k++) expect((await ask({ ...providers, headers: { ...JSON_TYPE, connection: 'close' } })).status).toBe(200);
    await Promise.all(closed);
    clearInterval(dripping);
  });
});

describe('bodies', () => {
  it.each<[string, Readonly<Record<string, string>>, string, number]>([
    ['text/plain, as a form can send it', { 'content-type': 'text/plain' }, '{}', 415],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'a=b', 415],
    ['pictures in place of JSON', { 'content-type': 'application/octet-stream' }, '{}', 415],
    ['no type at all', {}, '{}', 415],
    ['broken JSON', JSON_TYPE, '{', 400],
    ['a reach for prototypes', JSON_TYPE, '{"__proto__": {"name": 1}}', 400],
    ['10 GB, announced', { ...JSON_TYPE, 'content-length': '10737418240' }, '', 413],
    ['more than a request can need', { ...JSON_TYPE, 'content-length': String(65 * 1024 * 1024) }, '', 413],
    ['a wrong field', JSON_TYPE, '{"extra": 1}', 422],
  ])('refuses %s', async (_what, headers, body, status) => {
    const answer = await ask({ ...providers, headers, body });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'request.invalid', message: expect.stringMatching(/^Expected /u) as string });
  });

  it('refuses what would be more than 64 MB of JSON at one time, said or not, until what is being read is gone', async () => {
    const patient = await startServer({ service: opened.service, port: 0, rendererFolder });
    const known = { ...JSON_TYPE, cookie: await visit(patient.url) };
    const large = `{${' '.repeat(40 * 1024 * 1024)}}`;
    const inPieces = () => ({ body: new Blob([large]).stream(), duplex: 'half' as const });
    const post = (more: RequestInit) =>
      fetch(new URL('/api/call/providers.list', patient.url), { method: 'POST', headers: known, ...more }).catch(() => ({ status: 413 }));
    const begun = connect(patient.port, '127.0.0.1').on('error', () => undefined);
    begun.write(`POST /api/call/providers.list HTTP/1.1\r\nHost: 127.0.0.1:${String(patient.port)}\r\nCookie: ${known.cookie}\r\n`);
    begun.write(`Content-Type: application/json\r\nContent-Length: ${String(large.length)}\r\n\r\n{`);
    await vi.waitFor(async () => {
      expect(await post({ body: large })).toMatchObject({ status: 413 });
    }, 20_000);
    expect(await post(inPieces())).toMatchObject({ status: 413 });
    begun.destroy();
    await vi.waitFor(async () => {
      expect(await post(inPieces())).toMatchObject({ status: 200 });
    }, 20_000);
    await patient.close();
  });

  it('refuses a picture of 10 GB by its announcement', async () => {
    const headers = { 'content-type': 'application/octet-stream', 'content-length': '10737418240' };
    expect((await ask({ method: 'POST', path: '/api/pictures', headers, body: '' })).status).toBe(413);
  });

  it('refuses a picture that is none, and one with the wrong type', async () => {
    const page = { method: 'POST', path: '/api/pictures', body: `<svg>${' '.repeat(64)}</svg>` };
    expect(await ask({ ...page, headers: { 'content-type': 'application/octet-stream' } })).toMatchObject({ status: 422 });
    expect(await ask({ ...page, headers: { 'content-type': 'image/svg+xml' } })).toMatchObject({ status: 415 });
  });

  it('gives a picture back as what it is, under a harmless name', async () => {
    const headers = { 'content-type': 'application/octet-stream', 'x-picture-name': encodeURIComponent('../a"b\r\n東.html') };
    const posted = await ask({ method: 'POST', path: '/api/pictures', headers, body: grayPng(3, 3) });
    expect(posted.status).toBe(201);
    const { id } = JSON.parse(posted.body) as { id: string };
    const got = await ask({ path: `/api/pictures/${id}` });
    expect(got.headers).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-disposition': `inline; filename="a_b_.html"; filename*=UTF-8''a_b%E6%9D%B1.html`,
    });
  });

  it('refuses a name that is not percent-encoded', async () => {
    const headers = { 'content-type': 'application/octet-stream', 'x-picture-name': '%zz' };
    expect((await ask({ method: 'POST', path: '/api/pictures', headers, body: grayPng(3, 3) })).status).toBe(422);
  });

  it('answers a refused run by status, before the stream', async () => {
    const refusedRun = await ask({ ...providers, path: '/api/stream/edit.run', body: '{"task": "generate", "instruction": " "}' });
    expect(refusedRun.status).toBe(422);
    expect(JSON.parse(refusedRun.body)).toMatchObject({ code: 'instruction.missing' });
  });

  it('refuses a run that names a file or an address in place of a picture', async () => {
    for (const source of ['file:///etc/passwd', 'http://169.254.169.254/']) {
      const body = JSON.stringify({ task: 'edit', instruction: 'x', source });
      expect(await ask({ ...providers, path: '/api/stream/edit.run', body })).toMatchObject({ status: 422 });
    }
  });
});

describe('many runs', () => {
  it('wait, but not without end: the 65th is told so', async () => {
    const body = '{"task": "generate", "instruction": "x", "count": 16}';
    const address = `http://127.0.0.1:${String(server.port)}/api/stream/edit.run`;
    const clients = Array.from({ length: 64 }, () => new AbortController());
    const send = (signal: AbortSignal) => fetch(address, { method: 'POST', body, headers: { ...JSON_TYPE, cookie }, signal });
    const answers = await Promise.all(clients.map(({ signal }) => send(signal)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const refused = await ask({ ...providers, path: '/api/stream/edit.run', body });
    expect(refused).toMatchObject({ status: 429, body: expect.stringContaining('job.busy') as string });
    for (const client of clients) client.abort();
    await vi.waitFor(async () => {
      const next = new AbortController();
      expect((await send(next.signal)).status).toBe(200);
      next.abort();
    });
  });
});

describe('slow clients', () => {
  it('are cut off in the middle of their headers', async () => {
    expect(await said('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')).toContain('408');
  });

  it('are cut off in the middle of their body', async () => {
    const head = `POST /api/call/providers.list HTTP/1.1\r\nHost: 127.0.0.1:${String(server.port)}\r\nCookie: ${cookie}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    expect(await said(head)).toContain('408');
  });
});
