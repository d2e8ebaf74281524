import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ExpectedError } from '#contract/errors.js';
import { MAX_PICTURE_BYTES } from '#service/files.js';
import type { PictureStore } from '#service/pictures.js';
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
    app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => {
      done(null, body);
    });
    app.post('/api/pictures', { bodyLimit: MAX_PICTURE_BYTES }, (request, reply) => takePicture(pictures, request, reply));
    app.get<PictureRoute>('/api/pictures/:id', (request, reply) => givePicture(pictures, request, reply));
    await Promise.resolve();
  };
}

async function takePicture(pictures: PictureStore, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const info = await pictures.add(bytes, nameOf(request));
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
  const { bytes, name, format } = await pictures.get(request.params.id);
  return reply
    .type(contentTypeOf(format))
    .header('content-disposition', dispositionOf(name))
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
}
