import type { PictureInfo, Transport } from '#contract/api.js';
import { fromErrorData, type ErrorData } from '#contract/errors.js';
import type { Project } from '#contract/project.js';
import type { EditEvent } from '#contract/event.js';
import type { Link } from '#contract/api.js';

/** Visits the printed address and keeps the cookie, as a browser does. */
export async function visit(url: string): Promise<string> {
  const answer = await fetch(url, { redirect: 'manual' });
  const cookie = answer.headers.get('set-cookie');
  if (answer.status !== 303 || cookie === null) throw new Error(`Expected a cookie but received status ${String(answer.status)}.`);
  return cookie.split(';')[0] ?? '';
}

/** A small client of the server, written against its description and not against its code. */
export async function openHttpLink(url: string): Promise<Link<Uint8Array>> {
  return enteredLink(new URL(url).origin, await visit(url));
}

/** The same for whoever has been there. */
export function enteredLink(origin: string, cookie: string): Link<Uint8Array> {
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const answer = await fetch(origin + path, { ...init, headers: { ...(init.headers as Record<string, string> | undefined), cookie } });
    return answer;
  };
  return httpLink(send);
}

/** The same over anything that answers requests. */
export function httpLink(ask: (path: string, init: RequestInit) => Promise<Response>): Link<Uint8Array> {
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const answer = await ask(path, init);
    if (!answer.ok) throw fromErrorData((await answer.json()) as ErrorData);
    return answer;
  };
  const post = (path: string, value: unknown, signal?: AbortSignal): Promise<Response> =>
    send(path, { method: 'POST', body: JSON.stringify(value), headers: { 'content-type': 'application/json' }, ...(signal && { signal }) });
  return {
    call: async (name, input) => (await post(`/api/call/${name}`, input)).json() as never,
    stream: (name, input, signal) => readEvents((abort) => post(`/api/stream/${name}`, input, abort), signal) as never,
    openProject: async (bytes) => {
      const headers = { 'content-type': 'application/octet-stream' };
      return (await (await send('/api/projects/open', { method: 'POST', body: Buffer.from(bytes), headers })).json()) as Project;
    },
    saveProject: async (project) => new Uint8Array(await (await post('/api/projects/save', project)).arrayBuffer()),
    saveLayers: async (layers) => new Uint8Array(await (await post('/api/projects/layers', layers)).arrayBuffer()),
    upload: async (bytes, name) => {
      const headers = { 'content-type': 'application/octet-stream', 'x-picture-name': encodeURIComponent(name) };
      const answer = await send('/api/pictures', { method: 'POST', body: Buffer.from(bytes), headers });
      return (await answer.json()) as PictureInfo;
    },
    download: async (id) => new Uint8Array(await (await send(`/api/pictures/${id}`, {})).arrayBuffer()),
  };
}

type Signal = Parameters<Transport['stream']>[2];

async function* readEvents(open: (abort: AbortSignal) => Promise<Response>, signal: Signal): AsyncGenerator<EditEvent, void> {
  const gone = new AbortController();
  if (signal?.aborted === true) gone.abort();
  signal?.addEventListener('abort', () => {
    gone.abort();
  });
  try {
    yield* linesOf(await open(gone.signal));
  } catch (error) {
    if (!gone.signal.aborted) throw error;
    yield { type: 'cancelled' };
  } finally {
    gone.abort();
  }
}

async function* linesOf(answer: Response): AsyncGenerator<EditEvent, void> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const piece of answer.body as unknown as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as EditEvent;
  }
}
