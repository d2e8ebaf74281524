import { once } from 'node:events';
import { request as ask, type IncomingMessage, type RequestOptions } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { PAGE_HEADERS } from '#contract/page-headers.js';

/** What the page may say of its request, and what it is told of the answer. Cookies are among neither. */
const FROM_PAGE = ['content-type', 'x-picture-name'];
const TO_PAGE = ['content-type', 'content-disposition', 'content-length'];

/**
 * The shell's way to the service on this machine. The session's secret stays here: whoever takes over the page gets the
 * contract's requests, as the page had them, and nothing that would work outside the window.
 */
export class ServiceClient {
  readonly #base: URL;
  readonly #cookie: string;

  private constructor(base: URL, cookie: string) {
    this.#base = base;
    this.#cookie = cookie;
  }

  /** Exchanges the address with its token for a session. */
  static async enter(address: string): Promise<ServiceClient> {
    const url = new URL(address);
    const answer = await answerTo(url, { path: url.pathname + url.search });
    answer.resume();
    const [cookie = ''] = answer.headers['set-cookie']?.[0]?.split(';') ?? [];
    if (cookie === '') throw new Error(`Expected a session from the service but received status ${String(answer.statusCode)}.`);
    return new ServiceClient(new URL('/', url), cookie);
  }

  /** The page's request, answered by the service. Leaving the answer's body hangs up, which cancels the work. */
  async forward(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const headers = { ...chosen((name) => request.headers.get(name), FROM_PAGE), cookie: this.#cookie };
    const options = { method: request.method, path: pathname + search, headers };
    const answer = await answerTo(this.#base, options, request.body ?? undefined);
    const body = Readable.toWeb(answer) as globalThis.ReadableStream;
    const said = chosen((name) => answer.headers[name]?.toString(), TO_PAGE);
    return new Response(body, { status: answer.statusCode ?? 502, headers: { ...PAGE_HEADERS, ...said } });
  }

  async get(path: string): Promise<Response> {
    return this.forward(new Request(new URL(path, this.#base)));
  }

  async call(name: string, input: unknown): Promise<unknown> {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(input) };
    return (await this.forward(new Request(new URL(`/api/call/${name}`, this.#base), init))).json();
  }
}

async function answerTo({ hostname, port }: URL, options: RequestOptions, body?: globalThis.ReadableStream): Promise<IncomingMessage> {
  const outgoing = ask({ hostname, port, ...options });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  // The service may answer, and hang up, before it has heard all of a body that is too large.
  if (body) pipeline(Readable.fromWeb(body as ReadableStream), outgoing).catch(() => undefined);
  else outgoing.end();
  const [answer] = await answered;
  answer.once('close', () => outgoing.destroy());
  return answer;
}

function chosen(valueOf: (name: string) => string | null | undefined, names: readonly string[]): Record<string, string> {
  const pairs = names.map((name) => [name, valueOf(name) ?? ''] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''));
}
