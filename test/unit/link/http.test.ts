import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { CancelledError, ExpectedError } from '#contract/errors.js';
import { createHttpLink, type PageLink } from '#link/http.js';

type Answer = (response: ServerResponse, request: IncomingMessage, body: Buffer) => void;

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function linkTo(answer: Answer): Promise<PageLink> {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      answer(response, request, Buffer.concat(parts));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return createHttpLink(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const RUN = { task: 'edit', source: 'photo-1', instruction: 'make it night' } as const;
const SCALE = { type: 'scale', candidate: 0, scale: 1, of: 6, tokens: 1, ms: 5 } as const;

describe('a call', () => {
  test('sends JSON and gives the answer', async () => {
    const seen: unknown[] = [];
    const link = await linkTo((response, { url, method, headers }, body) => {
      seen.push(method, url, headers['content-type'], JSON.parse(body.toString()));
      response.end('[{"name":"sketch"}]');
    });
    expect(await link.call('packs.info', { name: 'sketch' })).toEqual([{ name: 'sketch' }]);
    expect(seen).toEqual(['POST', '/api/call/packs.info', 'application/json', { name: 'sketch' }]);
  });

  test('that is refused throws the service’s own error, code and all', async () => {
    const data = { code: 'picture.unknown', message: 'Expected an open picture.', advice: '', details: { id: 'x' } };
    const link = await linkTo((response) => response.writeHead(404).end(JSON.stringify(data)));
    const refusal = link.call('picture.describe', { id: 'x' });
    await expect(refusal).rejects.toThrow(ExpectedError);
    await expect(refusal).rejects.toMatchObject({ code: 'picture.unknown', message: data.message, details: { id: 'x' } });
  });

  test.each(['<html>proxy</html>', '', '{"code":"no.such.code","message":"x"}', 'null'])(
    'that is refused with %j is a bug with its status',
    async (text) => {
      const link = await linkTo((response) => response.writeHead(502).end(text));
      const refusal = link.call('packs.list', {});
      await expect(refusal).rejects.toThrow(/502/u);
      await expect(refusal).rejects.not.toThrow(ExpectedError);
    },
  );

  test('that nobody answers says that the studio is gone', async () => {
    const link = await linkTo((response) => response.destroy());
    await expect(link.call('packs.list', {})).rejects.toMatchObject({ code: 'service.unreachable' });
  });
});

describe('a stream', () => {
  test('gives each line as it comes, wherever the wire cuts it', async () => {
    const events = [SCALE, { ...SCALE, scale: 2 }, { type: 'failed', error: { code: 'bug', message: 'Zürich ✓', advice: '' } }];
    const bytes = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const link = await linkTo((response) => {
      for (let i = 0; i < bytes.length; i += 7) response.write(bytes.subarray(i, i + 7));
      response.end();
    });
    expect(await collect(link.stream('edit.run', RUN))).toEqual(events);
  });

  test('takes a last line without its end', async () => {
    const link = await linkTo((response) => response.end(`\n${JSON.stringify(SCALE)}`));
    expect(await collect(link.stream('edit.run', RUN))).toEqual([SCALE]);
  });

  test('hangs up when the signal says so, and calls that cancelled', async () => {
    let hungUp: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => (hungUp = resolve));
    const link = await linkTo((response) => {
      response.write(`${JSON.stringify(SCALE)}\n`);
      response.once('close', hungUp);
    });
    const controller = new AbortController();
    const events = link.stream('edit.run', RUN, controller.signal);
    expect((await events.next()).value).toEqual(SCALE);
    const next = events.next();
    controller.abort();
    await expect(next).rejects.toThrow(CancelledError);
    await gone;
  });

  test('hangs up when its loop is left', async () => {
    let hungUp: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => (hungUp = resolve));
    const link = await linkTo((response) => {
      response.write(`${JSON.stringify(SCALE)}\n`);
      response.once('close', hungUp);
    });
    for await (const event of link.stream('edit.run', RUN)) {
      expect(event).toEqual(SCALE);
      break;
    }
    await gone;
  });

  test('asks nothing when it was cancelled before it began', async () => {
    let asked = 0;
    const link = await linkTo((response) => {
      asked += 1;
      response.end();
    });
    await expect(link.stream('edit.run', RUN, AbortSignal.abort()).next()).rejects.toThrow(CancelledError);
    expect(asked).toBe(0);
  });

  test('that breaks in the middle says that the studio is gone', async () => {
    const link = await linkTo((response) => {
      response.write(`${JSON.stringify(SCALE)}\n`, () => response.destroy());
    });
    await expect(collect(link.stream('edit.run', RUN))).rejects.toMatchObject({ code: 'service.unreachable' });
  });
});

describe('pictures', () => {
  test('go up as plain bytes with their name in the header, in any script', async () => {
    const seen: unknown[] = [];
    const link = await linkTo((response, { url, headers }, body) => {
      seen.push(url, headers['content-type'], decodeURIComponent(String(headers['x-picture-name'])), [...body]);
      response.writeHead(201).end('{"id":"photo-1"}');
    });
    expect(await link.upload(new Blob([Uint8Array.of(0, 255, 10)]), '写真 ✓.png')).toEqual({ id: 'photo-1' });
    expect(seen).toEqual(['/api/pictures', 'application/octet-stream', '写真 ✓.png', [0, 255, 10]]);
  });

  test('come down as they are', async () => {
    const link = await linkTo((response, { url, method }) => response.end(`${method ?? ''} ${url ?? ''}`));
    expect(await (await link.download('photo-1')).text()).toBe('GET /api/pictures/photo-1');
  });
});
