import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toErrorData } from '#contract/errors.js';
import type { EditEvent } from '#contract/event.js';
import { isCallName, isStreamName } from '#service/parse.js';
import type { Service } from '#service/service.js';
import { sendJson, sendRefusal } from './answers.js';

/** Requests are settings and token files, never pixels. */
const MAX_JSON_BYTES = 8 * 1024 * 1024;
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
    app.post<NamedRoute>('/api/stream/:name', JSON_ROUTE, (request, reply) => answerStream(service, request, reply));
    await Promise.resolve();
  };
}

async function answerCall(service: Service, request: FastifyRequest<NamedRoute>, reply: FastifyReply): Promise<FastifyReply> {
  const { name } = request.params;
  if (!isCallName(name)) return sendRefusal(reply, 404);
  return sendJson(reply, await service.call(name, request.body as never));
}

function answerStream(service: Service, request: FastifyRequest<NamedRoute>, reply: FastifyReply): FastifyReply {
  const { name } = request.params;
  if (!isStreamName(name)) return sendRefusal(reply, 404);
  // Now, because the status is sent before the job gets its turn.
  service.checkStream(name, request.body);
  const gone = new AbortController();
  reply.raw.once('close', () => {
    gone.abort();
  });
  const lines = linesOf(service.stream(name, request.body as never, gone.signal));
  return reply.type('application/x-ndjson; charset=utf-8').send(Readable.from(lines, { objectMode: false, highWaterMark: 1 }));
}

/** A late failure travels as the last event: the status is long gone. */
async function* linesOf(events: AsyncGenerator<EditEvent, void>): AsyncGenerator<string, void> {
  try {
    for await (const event of events) yield `${JSON.stringify(event)}\n`;
  } catch (error) {
    const failed: EditEvent = { type: 'failed', error: toErrorData(error) };
    yield `${JSON.stringify(failed)}\n`;
  }
}
