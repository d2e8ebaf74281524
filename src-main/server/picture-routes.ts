import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createReadStream } from 'node:fs';
import { ExpectedError } from '#contract/errors.js';
import type { PictureStore } from '#service/pictures.js';
import { bytesAsTheyArrive, declaredBytesOf } from './bodies.js';
import { sendJson } from './answers.js';
import { contentTypeOf, dispositionOf } from './headers.js';

/** The file's name, percent-encoded as UTF-8: headers know no other letters than Latin. */
export const PICTURE_NAME_HEADER = 'x-picture-name';

interface PictureRoute {
  readonly Params: { readonly id: string };
}

/** `POST /api/pictures` takes the bytes of one picture, `GET /api/pictures/:id` gives them back. */
export function pictureRoutes(pictures: PictureStore): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.removeAllContentTypeParsers();
    bytesAsTheyArrive(app);
    app.post('/api/pictures', (request, reply) => takePicture(pictures, request, reply));
    app.get<PictureRoute>('/api/pictures/:id', (request, reply) => givePicture(pictures, request, reply));
    await Promise.resolve();
  };
}

async function takePicture(pictures: PictureStore, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const name = nameOf(request);
  const info = await pictures.receive({ body: request.raw, name, declaredBytes: declaredBytesOf(request) });
  return sendJson(reply.code(201), info);
}

function nameOf(request: FastifyRequest): string {
  const header = request.headers[PICTURE_NAME_HEADER];
  try {
    return decodeURIComponent(typeof header === 'string' ? header : '');
  } catch (cause) {
    throw new ExpectedError('request.invalid', `Expected a percent-encoded name for ${PICTURE_NAME_HEADER} but received something else.`, {
      cause,
    });
  }
}

async function givePicture(pictures: PictureStore, request: FastifyRequest<PictureRoute>, reply: FastifyReply): Promise<FastifyReply> {
  const { file, bytes, name, format } = pictures.file(request.params.id);
  return reply
    .type(contentTypeOf(format))
    .header('content-length', bytes)
    .header('content-disposition', dispositionOf(name))
    .send(createReadStream(file));
}
