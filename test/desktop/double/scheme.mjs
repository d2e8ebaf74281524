// Serves the application's own scheme to Chromium, streams included: app://studio/x is http://studio.app.localhost:PORT/x.
import http from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { strict } from './strict.mjs';

const handlers = new Map();
const privileges = new Map();
let port;

export const protocol = strict('protocol', {
  registerSchemesAsPrivileged: (schemes) => {
    if (port !== undefined) throw new Error('registerSchemesAsPrivileged must be called before app is ready');
    for (const { scheme, privileges: given } of schemes) privileges.set(scheme, given);
  },
  handle: (scheme, handler) => {
    const { standard, secure, supportFetchAPI, stream } = privileges.get(scheme) ?? {};
    if (!(standard && secure && supportFetchAPI && stream))
      throw new Error(`The double serves no scheme without these privileges: ${scheme}.`);
    handlers.set(scheme, handler);
  },
});

export async function openSchemes() {
  const server = http.createServer((request, response) => void answer(request, response));
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  ({ port } = server.address());
}

/** The address that Chromium loads. */
export function loadable(url) {
  const { protocol: scheme, host, pathname, search, hash } = new URL(url);
  return handlers.has(scheme.slice(0, -1)) ? `http://${host}.${scheme.slice(0, -1)}.localhost:${port}${pathname}${search}${hash}` : url;
}

/** The address as the application knows it. */
export function shown(url) {
  const own = new RegExp(`^http://([^/]+)\\.([^./]+)\\.localhost:${port}/`, 'u').exec(url);
  return own ? url.replace(own[0], `${own[2]}://${own[1]}/`) : url;
}

async function answer(incoming, outgoing) {
  const url = shown(`http://${incoming.headers.host}${incoming.url}`);
  const handler = handlers.get(new URL(url).protocol.slice(0, -1));
  if (!handler) return outgoing.writeHead(404).end();
  const { host: _host, connection: _connection, ...headers } = incoming.headers;
  // Whole before the handler sees it, as a blob is: a socket would wait for a handler that answers without reading on.
  const body = ['GET', 'HEAD'].includes(incoming.method) ? undefined : new Blob(await incoming.toArray());
  try {
    const { status, headers: said, body: answered } = await handler(new Request(url, { method: incoming.method, headers, body }));
    outgoing.writeHead(status, Object.fromEntries(said));
    outgoing.flushHeaders();
    // Like Electron: a page that leaves its request cancels the answer's body, and nothing else.
    if (answered) await pipeline(Readable.fromWeb(answered), outgoing);
    else outgoing.end();
  } catch (error) {
    if (!outgoing.headersSent) process.stderr.write(`double: ${error.stack}\n`);
    outgoing.destroy();
  }
}
