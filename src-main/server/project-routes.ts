import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ExpectedError } from '#contract/errors.js';
import type { Pieces } from '#service/files.js';
import type { Service } from '#service/service.js';
import { sendJson } from './answers.js';
import { bytesAsTheyArrive, declaredBytesOf, MAX_JSON_BYTES } from './bodies.js';

/**
 * `POST /api/projects/open` takes a project's file and answers what is in it, `POST /api/projects/save` the other way
 * round; `POST /api/projects/layers` answers a Photoshop file.
 */
export function projectRoutes(service: Service): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.removeAllContentTypeParsers();
    bytesAsTheyArrive(app);
    app.addContentTypeParser('application/json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'));
    app.post('/api/projects/open', (request, reply) => openProject(service, request, reply));
    app.post('/api/projects/save', { bodyLimit: MAX_JSON_BYTES }, async ({ body }, reply) =>
      sendPieces(reply, await service.saveProject(body)),
    );
    app.post('/api/projects/layers', { bodyLimit: MAX_JSON_BYTES }, async ({ body }, reply) =>
      sendFile(reply, await service.saveLayers(body)),
    );
    await Promise.resolve();
  };
}

async function openProject(service: Service, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  if (request.headers['content-type'] !== 'application/octet-stream')
    throw new ExpectedError('request.invalid', 'Expected the bytes of a project but received something else.');
  return sendJson(reply, await service.openProject({ body: request.raw, declaredBytes: declaredBytesOf(request) }));
}

function sendFile(reply: FastifyReply, file: Uint8Array): FastifyReply {
  return reply.type('application/octet-stream').send(Buffer.from(file.buffer, file.byteOffset, file.length));
}

/** What breaks off in the middle closes the connection: the length in front says that something is missing. */
function sendPieces(reply: FastifyReply, { bytes, body }: Pieces): FastifyReply {
  return reply
    .type('application/octet-stream')
    .header('content-length', bytes)
    .send(Readable.from(body, { objectMode: false }));
}
