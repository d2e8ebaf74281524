import type { CallName, Calls, Link, PictureInfo, StreamName, Streams, Transport } from '#contract/api.js';
import { CancelledError, ERROR_CODES, ExpectedError, fromErrorData, type ErrorData } from '#contract/errors.js';
import type { Project } from '#contract/project.js';
import type { PictureId } from '#contract/request.js';

/** The service as the page sees it. */
export interface PageLink extends Link<Blob> {
  /** Comes to the service and stays: `ended` resolves when it is gone. Throws what it refuses with, or `service.unreachable`. */
  presence(): Promise<{ readonly ended: Promise<void> }>;
  /** The text that ships beside the page: of the program and of its parts. */
  licences(): Promise<string>;
  /** Where the browser itself can fetch a picture. */
  addressOf(id: PictureId): string;
}

/** Calls are JSON, streams are lines of JSON, pictures are plain bytes; the session cookie says who we are. */
export function createHttpLink(base = ''): PageLink {
  return {
    call: async <N extends CallName>(name: N, input: Calls[N]['in']) => {
      const response = await post(`${base}/api/call/${name}`, { body: JSON.stringify(input), headers: JSON_BODY });
      return (await response.json()) as Calls[N]['out'];
    },
    stream: (name, input, signal) => streamEvents(`${base}/api/stream/${name}`, input, signal),
    upload: async (bytes, name) => {
      const headers = { 'content-type': 'application/octet-stream', 'x-picture-name': encodeURIComponent(name) };
      const response = await post(`${base}/api/pictures`, { body: bytes, headers });
      return (await response.json()) as PictureInfo;
    },
    download: async (id) => (await send(`${base}/api/pictures/${id}`, {})).blob(),
    openProject: async (file) => {
      const headers = { 'content-type': 'application/octet-stream' };
      return (await (await post(`${base}/api/projects/open`, { body: file, headers })).json()) as Project;
    },
    saveProject: (project) => fileOf(`${base}/api/projects/save`, project),
    saveLayers: (layers) => fileOf(`${base}/api/projects/layers`, layers),
    presence: async () => ({ ended: endOf(await send(`${base}/api/presence`, {})) }),
    licences: async () => (await send(`${base}/licences.txt`, {})).text(),
    addressOf: (id) => new URL(`${base}/api/pictures/${id}`, document.baseURI).href,
  };
}

/** However it ends, it has ended. */
async function endOf({ body }: Response): Promise<void> {
  const reader = body?.getReader();
  try {
    while (reader && !(await reader.read()).done);
  } catch {
    // It broke off.
  }
}

async function fileOf(url: string, wish: object): Promise<Blob> {
  return (await post(url, { body: JSON.stringify(wish), headers: JSON_BODY })).blob();
}

const JSON_BODY = { 'content-type': 'application/json' };

function post(url: string, init: RequestInit): Promise<Response> {
  return send(url, { method: 'POST', ...init });
}

/** Throws what the service refused with, or `service.unreachable`. */
async function send(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, { credentials: 'same-origin', ...init }).catch((cause: unknown) => {
    throw unreachable(cause);
  });
  if (response.ok) return response;
  throw fromErrorData(await errorOf(response));
}

async function errorOf(response: Response): Promise<ErrorData> {
  const data: unknown = await response.json().catch(() => undefined);
  if (isErrorData(data)) return data;
  return { code: 'bug', message: `Expected a reason for the refusal but received status ${response.status} alone.`, advice: '' };
}

function isErrorData(value: unknown): value is ErrorData {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message } = value as Partial<Record<keyof ErrorData, unknown>>;
  return typeof message === 'string' && typeof code === 'string' && (code === 'bug' || Object.hasOwn(ERROR_CODES, code));
}

function unreachable(cause: unknown): ExpectedError {
  return new ExpectedError('service.unreachable', 'The studio does not answer.', { cause });
}

type Signal = Parameters<Transport['stream']>[2];

/** Ends early, and with it the work on the other side, when it is left or when the signal says so. */
async function* streamEvents<N extends StreamName>(
  url: string,
  input: Streams[N]['in'],
  signal: Signal,
): AsyncGenerator<Streams[N]['out'], void> {
  const hangUp = new AbortController();
  if (signal?.aborted) hangUp.abort();
  signal?.addEventListener('abort', () => {
    hangUp.abort();
  });
  try {
    const response = await post(url, { body: JSON.stringify(input), headers: JSON_BODY, signal: hangUp.signal });
    for await (const line of linesOf(response)) yield JSON.parse(line) as Streams[N]['out'];
  } catch (error) {
    if (hangUp.signal.aborted) throw new CancelledError('Cancelled.');
    throw error instanceof TypeError ? unreachable(error) : error;
  } finally {
    hangUp.abort();
  }
}

async function* linesOf(response: Response): AsyncGenerator<string, void> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
  if (rest.trim() !== '') yield rest;
}
