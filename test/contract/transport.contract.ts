import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';
import { startServer } from '#server/server.js';
import { localLink } from '#service/local.js';
import { OpenedFiles } from '../../src-main/electron/open-file.js';
import { ServiceClient } from '../../src-main/electron/service-client.js';
import { httpLink, openHttpLink } from '../support/http-link.js';
import { describeTransport } from './describe-transport.js';

vi.mock('electron', () => ({ protocol: {} }));
const { answer } = await import('../../src-main/electron/studio-protocol.js');

describeTransport('in this process', ({ service }) => Promise.resolve({ link: localLink(service), close: () => Promise.resolve() }));

describeTransport('over HTTP', async ({ service, root }) => {
  const rendererFolder = join(root, 'renderer');
  await mkdir(rendererFolder);
  await writeFile(join(rendererFolder, 'index.html'), '<!doctype html><title>Scalebrush</title>');
  const server = await startServer({ service, port: 0, rendererFolder });
  return { link: await openHttpLink(server.url), close: () => server.close() };
});

describeTransport('over the scheme of the desktop', async ({ service, root }) => {
  const folder = join(root, 'renderer');
  await mkdir(folder);
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Scalebrush</title>');
  const server = await startServer({ service, port: 0, rendererFolder: folder });
  const client = await ServiceClient.enter(server.url);
  const parts = { folder, opened: new OpenedFiles(), service: (request: Request) => client.forward(request) };
  /** As Electron does: a page that leaves its request cancels the answer's body, and nothing else. */
  const ask = async (path: string, { signal, ...init }: RequestInit): Promise<Response> => {
    const response = await answer(new Request(new URL(path, 'app://studio/'), init), parts);
    if (!signal || !response.body) return response;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    response.body.pipeTo(writable, { signal }).catch(() => undefined);
    return new Response(readable, response);
  };
  return { link: httpLink(ask), close: () => server.close() };
});
