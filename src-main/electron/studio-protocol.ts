import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { protocol } from 'electron';
import { STUDIO } from '#contract/desktop.js';
import { PAGE_HEADERS } from '#contract/page-headers.js';
import { OPENED, type OpenedFiles } from './open-file.js';

/** Before Electron is ready: the page's origin is one of its own, with the rights of a secure page and no more. */
export function claimScheme(): void {
  const privileges = { standard: true, secure: true, supportFetchAPI: true, stream: true };
  protocol.registerSchemesAsPrivileged([{ scheme: STUDIO.scheme, privileges }]);
}

export interface StudioParts {
  /** The built window. */
  readonly folder: string;
  /** Answers what is for the service. */
  readonly service: (request: Request) => Promise<Response>;
  /** What the user opened, for the page to fetch. */
  readonly opened: OpenedFiles;
}

/** Serves `app://studio/`: the window's files from here, `/api/` by the service, 404 for everything else. */
export function serveStudio(parts: StudioParts): void {
  protocol.handle(STUDIO.scheme, (request) => answer(request, parts));
}

export async function answer(request: Request, { folder, service, opened }: StudioParts): Promise<Response> {
  const { host, pathname } = new URL(request.url);
  if (host !== STUDIO.host) return refusal(404);
  if (pathname.startsWith('/api/')) return service(request).catch(() => refusal(503));
  if (request.method !== 'GET') return refusal(405);
  if (pathname.startsWith(OPENED)) {
    const body = opened.take(pathname);
    return body ? new Response(body, { headers: { ...PAGE_HEADERS, 'content-type': 'application/octet-stream' } }) : refusal(404);
  }
  const file = fileAt(folder, pathname);
  const type = TYPES[path.extname(file ?? '')];
  if (file === undefined || type === undefined) return refusal(404);
  return readFile(file).then(
    (bytes) => new Response(bytes, { headers: { ...PAGE_HEADERS, 'content-type': type } }),
    () => refusal(404),
  );
}

/** What the build of the window consists of; a file of another kind is none of it. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

/** Undefined for what is not in the folder, however the path is written. */
function fileAt(folder: string, pathname: string): string | undefined {
  if (pathname === '/') return path.join(folder, 'index.html');
  try {
    const file = path.join(folder, decodeURIComponent(pathname));
    return file.startsWith(folder + path.sep) && !file.includes('\0') ? file : undefined;
  } catch {
    return undefined;
  }
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: PAGE_HEADERS });
}
