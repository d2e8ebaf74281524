import { existsSync } from 'node:fs';
import type { OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ExpectedError } from '#contract/errors.js';
import type { Service } from '#service/service.js';
import { Access } from './access.js';
import { refuseConnection, sendError, sendRefusal } from './answers.js';
import { apiRoutes } from './api-routes.js';
import { limitJsonTogether } from './bodies.js';
import { isLookedAt, sendDoorPage } from './door-page.js';
import { Doorway, type DoorwayLimits } from './doorway.js';
import { protect } from './headers.js';
import { pictureRoutes } from './picture-routes.js';
import { projectRoutes } from './project-routes.js';

const LOOPBACK = '127.0.0.1';
const TOKEN_SHAPE = /^[\w-]{16,256}$/u;

export interface ServerOptions {
  readonly service: Service;
  /** 0 = any free one. */
  readonly port: number;
  /** The built window. */
  readonly rendererFolder: string;
  /** Only loopback is accepted: strangers' machines have no business here. */
  readonly host?: string;
  /** The first token; absent = random. */
  readonly token?: string;
  /** The secret of those who were let in by an earlier start; absent = random. */
  readonly session?: string;
  readonly limits?: ServerLimits;
}

export interface ServerLimits extends DoorwayLimits {
  /** A request must have arrived whole within this time. */
  readonly requestMs: number;
  readonly headersMs: number;
}

/** Generous for half a gigabyte over loopback, hopeless for a byte per second. */
const LIMITS: ServerLimits = { requestMs: 60_000, headersMs: 10_000, members: 256, strangers: 64, strangerMs: 2000 };
const TIMEOUT_CHECKS_PER_LIMIT = 4;

export interface RunningServer {
  readonly port: number;
  /** The address to open, with a token that is good for one visit. */
  readonly url: string;
  /** Another such address, for another browser. */
  issueUrl(): string;
  close(): Promise<void>;
}

/** Serves the window and the contract on loopback. Throws `access.denied` for other hosts, `request.invalid` for an unusable port. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  expectUsable(options);
  const { limits = LIMITS } = options;
  const app = createApp(limits);
  // The port is part of what is compared, so nobody is let in before it is known.
  const door: { access?: Access } = {};
  const doorway = new Doorway(limits);
  doorway.watch(app.server);
  app.addHook('onRequest', async (request, reply) => {
    protect(reply);
    if (door.access === undefined) return sendRefusal(reply, 403);
    const refused = admit(door.access, request, reply);
    return refused ?? (doorway.admit(request.raw.socket) ? undefined : sendRefusal(reply, 429));
  });
  await addRoutes(app, options);
  const port = await listen(app, options.port);
  const access = new Access(port, options.session);
  door.access = access;
  const base = `http://${LOOPBACK}:${String(port)}/?token=`;
  const url = base + access.issueToken(options.token);
  return { port, url, issueUrl: () => base + access.issueToken(), close: () => app.close() };
}

function expectUsable({ host = LOOPBACK, rendererFolder, token }: ServerOptions): void {
  if (host !== LOOPBACK && host !== 'localhost') {
    throw new ExpectedError(
      'access.denied',
      `Expected ${LOOPBACK} for host but received ${JSON.stringify(host)}: the server stays on this machine.`,
    );
  }
  if (token !== undefined && !TOKEN_SHAPE.test(token)) {
    throw new ExpectedError('request.invalid', 'Expected at least 16 letters, digits, - or _ for token but received something else.');
  }
  if (!existsSync(join(rendererFolder, 'index.html'))) {
    throw new ExpectedError('request.invalid', `Expected the built window in ${rendererFolder} but found none; run "npm run build" first.`);
  }
}

function createApp({ requestMs, headersMs }: ServerLimits): FastifyInstance {
  const connectionsCheckingInterval = Math.min(requestMs, headersMs) / TIMEOUT_CHECKS_PER_LIMIT;
  const app = fastify({
    requestTimeout: requestMs,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    clientErrorHandler: refuseConnection,
    http: { headersTimeout: headersMs, connectionsCheckingInterval, maxHeaderSize: 16 * 1024 },
    // A malformed percent sequence never reaches a hook, but is answered all the same.
    frameworkErrors: (error, _request, reply) => {
      protect(reply);
      // What cannot be read as an address is that of nothing.
      void (error.code === 'FST_ERR_BAD_URL' ? sendRefusal(reply, 404) : sendError(reply, error));
    },
  });
  // Where there is nothing, a body is not looked at; each room of routes says itself what it takes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _body, done) => {
    done(null);
  });
  app.setErrorHandler((error, _request, reply) => sendError(reply, error));
  app.setNotFoundHandler((_request, reply) => sendRefusal(reply, 404));
  return app;
}

async function addRoutes(app: FastifyInstance, { service, rendererFolder }: ServerOptions): Promise<void> {
  limitJsonTogether(app);
  await app.register(apiRoutes(service));
  app.get('/api/presence', (_request, reply) => stayWith(reply));
  await app.register(pictureRoutes(service.pictures));
  await app.register(projectRoutes(service));
  await app.register(fastifyStatic, { root: rendererFolder, dotfiles: 'ignore', cacheControl: false, etag: false, lastModified: false });
}

/** An answer that ends when the service does, so that a page hears of it at once. */
function stayWith(reply: FastifyReply): FastifyReply {
  void reply.hijack();
  reply.raw.writeHead(200, { ...reply.getHeaders(), 'content-type': 'text/plain; charset=utf-8' } as OutgoingHttpHeaders);
  reply.raw.flushHeaders();
  return reply;
}

/** Lets our own page and programs with the cookie in; a fresh token in the address becomes the cookie. */
function admit(access: Access, request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
  if (!access.isOwnSite(request.headers)) return sendRefusal(reply, 403);
  if (access.hasCookie(request.headers)) return isHome(request) && tokenOf(request) !== null ? reply.redirect('/', 303) : undefined;
  const cookie = isHome(request) ? access.exchange(tokenOf(request) ?? '') : undefined;
  if (cookie === undefined) return isLookedAt(request) ? sendDoorPage(request, reply) : sendRefusal(reply, 403);
  return reply.header('set-cookie', cookie).redirect('/', 303);
}

function isHome({ method, url }: FastifyRequest): boolean {
  return method === 'GET' && (url === '/' || url.startsWith('/?'));
}

function tokenOf({ url }: FastifyRequest): string | null {
  return new URL(url, `http://${LOOPBACK}`).searchParams.get('token');
}

async function listen(app: FastifyInstance, port: number): Promise<number> {
  try {
    await app.listen({ host: LOOPBACK, port });
  } catch (cause) {
    await app.close();
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
    throw new ExpectedError('request.invalid', `Expected a free port but ${String(port)} cannot be used (${reason}).`, { cause });
  }
  return (app.server.address() as AddressInfo).port;
}
