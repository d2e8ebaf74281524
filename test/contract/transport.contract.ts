import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startServer } from '#server/server.js';
import { localLink } from '#service/local.js';
import { openHttpLink } from '../support/http-link.js';
import { describeTransport } from './describe-transport.js';

describeTransport('in this process', ({ service }) => Promise.resolve({ link: localLink(service), close: () => Promise.resolve() }));

describeTransport('over HTTP', async ({ service, root }) => {
  const rendererFolder = join(root, 'renderer');
  await mkdir(rendererFolder);
  await writeFile(join(rendererFolder, 'index.html'), '<!doctype html><title>Scalebrush</title>');
  const server = await startServer({ service, port: 0, rendererFolder });
  return { link: await openHttpLink(server.url), close: () => server.close() };
});
