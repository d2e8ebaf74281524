import { Transform } from 'node:stream';
import type { FastifyInstance, FastifyRequest, RequestPayload } from 'fastify';
import { BodyTooLargeError } from '#service/receive.js';

/** Requests are settings, token files and strokes, never pixels. */
export const MAX_JSON_BYTES = 64 * 1024 * 1024;
/** All of those that are being read at one time: parsing takes several times of it. */
const MAX_JSON_BYTES_TOGETHER = 64 * 1024 * 1024;

/** Octets stay in the socket until the route takes them: it writes them where they are to lie, piece by piece. */
export function bytesAsTheyArrive(app: FastifyInstance): void {
  app.addContentTypeParser('application/octet-stream', (_request, _body, done) => {
    done(null);
  });
}

export function declaredBytesOf({ headers }: FastifyRequest): number | undefined {
  const said = Number(headers['content-length']);
  return Number.isSafeInteger(said) && said >= 0 ? said : undefined;
}

/** Held to what the sender says before a byte is read; where it says nothing, to what has come. */
export function limitJsonTogether(app: FastifyInstance): void {
  const reading = new WeakMap<FastifyRequest, Reading>();
  let together = 0;
  const take = (bytes: number): void => {
    if (together + bytes > MAX_JSON_BYTES_TOGETHER)
      throw new BodyTooLargeError(
        `Expected at most ${String(MAX_JSON_BYTES_TOGETHER)} bytes of requests at one time but received more.`,
        'request.invalid',
      );
    together += bytes;
  };
  const give = (request: FastifyRequest): void => {
    together -= reading.get(request)?.bytes ?? 0;
    reading.delete(request);
  };
  app.addHook('preParsing', async (request, reply, payload: RequestPayload) => {
    if (request.headers['content-type']?.startsWith('application/json') !== true) return Promise.resolve(payload);
    const held: Reading = { bytes: 0 };
    const more = (bytes: number): void => {
      take(bytes);
      held.bytes += bytes;
    };
    const declared = declaredBytesOf(request);
    // One that is too large by itself is refused as such.
    if (declared !== undefined && declared > MAX_JSON_BYTES) return payload;
    more(declared ?? 0);
    reading.set(request, held);
    reply.raw.once('close', () => {
      give(request);
    });
    return declared === undefined ? payload.pipe(counting(more)) : payload;
  });
  app.addHook('preValidation', async (request) => {
    give(request);
    return Promise.resolve();
  });
}

interface Reading {
  bytes: number;
}

function counting(more: (bytes: number) => void): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      try {
        more(piece.byteLength);
        done(null, piece);
      } catch (error) {
        done(error as Error);
      }
    },
  });
}
