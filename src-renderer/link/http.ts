import type { CallName, Calls, PictureInfo, StreamName, Streams, Transport } from '#contract/api.js';
import { CancelledError, fromErrorData, type ErrorData } from '#contract/errors.js';
import type { PictureId } from '#contract/request.js';

/** The contract over HTTP, and the way that pixels take. */
export interface Link extends Transport {
  upload(bytes: Blob, name: string): Promise<PictureInfo>;
  pictureUrl(id: PictureId): string;
}

/** Calls are JSON, streams are lines of JSON, pictures are plain bytes; the session cookie says who we are. */
export function createHttpLink(base = ''): Link {
  return {
    call: async <N extends CallName>(name: N, input: Calls[N]['in']) => {
      const response = await send(`${base}/api/call/${name}`, { body: JSON.stringify(input), headers: JSON_BODY });
      return (await response.json()) as Calls[N]['out'];
    },
    stream: (name, input, signal) => streamLines(`${base}/api/stream/${name}`, input, signal),
    upload: async (bytes, name) => {
      const headers = { 'content-type': 'application/octet-stream', 'x-picture-name': encodeURIComponent(name) };
      const response = await send(`${base}/api/pictures`, { body: bytes, headers });
      return (await response.json()) as PictureInfo;
    },
    pictureUrl: (id) => `${base}/api/pictures/${id}`,
  };
}

const JSON_BODY = { 'content-type': 'application/json' };

async function send(url: string, options: { body: BodyInit; headers: Record<string, string>; signal?: AbortSignal }): Promise<Response> {
  const response = await fetch(url, { method: 'POST', credentials: 'same-origin', ...options });
  if (response.ok) return response;
  throw fromErrorData(await errorOf(response));
}

async function errorOf(response: Response): Promise<ErrorData> {
  try {
    return (await response.json()) as ErrorData;
  } catch {
    return { code: 'bug', message: `The server answered ${response.status} without a reason.`, advice: '' };
  }
}

type Signal = Parameters<Transport['stream']>[2];

async function* streamLines<N extends StreamName>(
  url: string,
  input: Streams[N]['in'],
  signal: Signal,
): AsyncGenerator<Streams[N]['out'], void> {
  const controller = new AbortController();
  signal?.addEventListener('abort', () => {
    controller.abort();
  });
  try {
    const response = await send(url, { body: JSON.stringify(input), headers: JSON_BODY, signal: controller.signal });
    for await (const line of linesOf(response)) yield JSON.parse(line) as Streams[N]['out'];
  } catch (error) {
    if (signal?.aborted) throw new CancelledError('Cancelled.');
    throw error;
  } finally {
    controller.abort();
  }
}

async function* linesOf(response: Response): AsyncGenerator<string, void> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}
