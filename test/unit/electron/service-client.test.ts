import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type RunningServer } from '#server/server.js';
import { ServiceClient } from '../../../src-main/electron/service-client.js';
import { openTestService, type TestService } from '../../support/service.js';

let opened: TestService;
let server: RunningServer;
let client: ServiceClient;

beforeAll(async () => {
  opened = await openTestService();
  const rendererFolder = path.join(opened.root, 'renderer');
  await mkdir(rendererFolder);
  await writeFile(path.join(rendererFolder, 'index.html'), '<!doctype html>');
  server = await startServer({ service: opened.service, port: 0, rendererFolder });
  client = await ServiceClient.enter(server.url);
});

afterAll(async () => {
  await server.close();
  await opened.close();
});

function post(address: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } };
  return client.forward(new Request(new URL(address, 'app://studio/'), init));
}

describe('the shell’s way to the service', () => {
  it('shows the session that the page never has', async () => {
    const answer = await post('/api/call/packs.list', '{}', { cookie: 'scalebrush=guess', origin: 'https://example.org' });
    expect(answer.status).toBe(200);
    expect([...answer.headers.keys()]).not.toContain('set-cookie');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('gets no session for a token that was used', async () => {
    await expect(ServiceClient.enter(server.url)).rejects.toThrow(/Expected a session from the service but received status 403/u);
  });

  it.each(['/api/call/packs.info', '/api/stream/edit.run', '/api/projects/save'])(
    'a body larger than any wish is refused by %s',
    async (address) => {
      const { status, body } = await post(address, 'x'.repeat(65 * 2 ** 20));
      expect(status).toBe(413);
      await body?.cancel();
    },
  );

  it.each([
    ['/api/call/packs.info', '{"name": 7}', 422],
    ['/api/call/picture.describe', '{"id": "../../etc/passwd"}', 422],
    ['/api/call/unknown', '{}', 404],
    ['/api/call/packs.info', '{', 400],
  ])('%s with %s is refused with %d', async (address, body, status) => {
    const answer = await post(address, body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toHaveProperty('code');
  });
});
