import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyError, FastifyReply } from 'fastify';
import { PAGE_HEADERS } from '#contract/page-headers.js';
import { BodyTooLargeError } from '#service/receive.js';
import { ERROR_CODES, ExpectedError, toErrorData, type ErrorData } from '#contract/errors.js';

/** What is not here is a request that we understood and refuse: 422. */
const STATUSES: Partial<Readonly<Record<ErrorData['code'], number>>> = {
  'access.denied': 403,
  'picture.unknown': 404,
  'pack.unknown': 404,
  'job.unknown': 404,
  'job.busy': 429,
  'inference.died': 503,
  bug: 500,
};

/** What HTTP itself refuses, in our words. */
const HTTP_SENTENCES: Readonly<Record<number, string>> = {
  400: 'Expected JSON for the request but received something else.',
  404: 'Expected the address of something that exists.',
  408: 'Expected the whole request in time but it came too slowly.',
  413: 'Expected a smaller body for the request.',
  429: 'Expected fewer connections at one time.',
  431: 'Expected shorter headers.',
  415: 'Expected another content type for this address.',
};

export function sendError(reply: FastifyReply, error: unknown): FastifyReply {
  const status = httpStatusOf(error);
  if (status !== undefined) return sendRefusal(reply, status);
  const data = toErrorData(error);
  if (error instanceof BodyTooLargeError) return sendData(reply, 413, data);
  return sendData(reply, STATUSES[data.code] ?? 422, data);
}

/** A refusal by status alone: what the request was for does not matter. */
export function sendRefusal(reply: FastifyReply, status: number): FastifyReply {
  return sendData(reply, status, refusalOf(status));
}

function refusalOf(status: number): ErrorData {
  const code = status === 403 ? 'access.denied' : 'request.invalid';
  const message = HTTP_SENTENCES[status] ?? 'Expected a request of the page that the printed address opened.';
  return { code, message, advice: ERROR_CODES[code].advice };
}

/** What cannot be read as a request, or never came whole, has no reply: the answer goes to its connection, and that ends. */
export function refuseConnection({ code }: Error & { readonly code?: string }, socket: Duplex): void {
  const status = UNREADABLE[code ?? ''] ?? 400;
  const body = JSON.stringify(refusalOf(status));
  const headers = {
    ...PAGE_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
  if (socket.writable && code !== 'ECONNRESET')
    socket.write([`HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}`, ...lines, '', body].join('\r\n'));
  socket.destroy();
}

const UNREADABLE: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(value));
}

function sendData(reply: FastifyReply, status: number, data: ErrorData): FastifyReply {
  // The rest of a body that nobody reads must not be taken for the next request.
  if (!reply.request.raw.complete) void reply.header('connection', 'close');
  return sendJson(reply.code(status), data);
}

/** Failures of fastify and its plugins carry a status; ours never do. */
function httpStatusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || error instanceof ExpectedError) return undefined;
  const { statusCode } = error as Partial<FastifyError>;
  if (statusCode === undefined || statusCode >= 500) return undefined;
  // Whatever a malformed address does inside the static files, there is nothing at it.
  return statusCode === 403 ? 404 : statusCode;
}
