import type { OutgoingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ExpectedError, toErrorData } from '#contract/errors.js';
import type { EditEvent } from '#contract/event.js';
import { isCallName, isStreamName } from '#service/parse.js';
import type { Service } from '#service/service.js';
import { sendJson, sendRefusal } from './answers.js';
import { MAX_JSON_BYTES } from './bodies.js';

/** Runs that may wait or work at once; a page has one, a script some. */
const MAX_STREAMS = 64;
const JSON_ROUTE = { bodyLimit: MAX_JSON_BYTES };

interface NamedRoute {
  readonly Params: { readonly name: string };
}

/** `POST /api/call/:name` → JSON, `POST /api/stream/:name` → one JSON event per line. JSON is the only body they take. */
export function apiRoutes(service: Service): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'));
    app.post<NamedRoute>('/api/call/:name', JSON_ROUTE, (request, reply) => answerCall(service, request, reply));
    const open = new Set<AbortController>();
    app.post<NamedRoute>('/api/stream/:name', JSON_ROUTE, (request, reply) => answerStream({ service, open }, request, reply));
    await Promise.resolve();
  };
}

async function answerCall(service: Service, request: FastifyRequest<NamedRoute>, reply: FastifyReply): Promise<FastifyReply> {
  const { name } = request.params;
  if (!isCallName(name)) return sendRefusal(reply, 404);
  return sendJson(reply, await service.call(name, request.body as never));
}

interface Streaming {
  readonly service: Service;
  readonly open: Set<AbortController>;
}

function answerStream({ service, open }: Streaming, request: FastifyRequest<NamedRoute>, reply: FastifyReply): FastifyReply {
  const { name } = request.params;
  if (!isStreamName(name)) return sendRefusal(reply, 404);
  // Now, because the status is sent before the job gets its turn.
  service.checkStream(name, request.body);
  if (open.size >= MAX_STREAMS)
    throw new ExpectedError('job.busy', `Expected fewer than ${String(MAX_STREAMS)} waiting runs but received another.`);
  const gone = new AbortController();
  open.add(gone);
  reply.raw.once('close', () => {
    open.delete(gone);
    gone.abort();
  });
  sendLines(reply, linesOf(service.stream(name, request.body as never, gone.signal)));
  return reply;
}

/** Past fastify, which would send the status only with the first line: a run that waits for its turn is accepted at once. */
function sendLines(reply: FastifyReply, lines: AsyncGenerator<string, void>): void {
  reply.hijack();
  reply.raw.writeHead(200, { ...reply.getHeaders(), 'content-type': 'application/x-ndjson; charset=utf-8' } as OutgoingHttpHeaders);
  reply.raw.flushHeaders();
  pipeline(lines, reply.raw).catch(() => {
    // The client has left; the signal has told the run.
  });
}

/** A late failure travels as the last event: the status is long gone. */
async function* linesOf(events: AsyncGenerator<object, void>): AsyncGenerator<string, void> {
  try {
    for await (const event of events) yield `${JSON.stringify(event)}\n`;
  } catch (error) {
    const failed: Extract<EditEvent, { type: 'failed' }> = { type: 'failed', error: toErrorData(error) };
    yield `${JSON.stringify(failed)}\n`;
  }
}
