import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:12vh auto;padding:0 1.5em;color:#222;background:#eee}' +
  'h1{font-size:1.4em}kbd,code{padding:.1em .4em;border:1px solid #999;border-radius:4px;background:#fff}' +
  '@media(prefers-color-scheme:dark){body{color:#ddd;background:#222}kbd,code{background:#333}}';
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

interface Words {
  readonly tag: string;
  readonly title: string;
  readonly why: string;
  readonly steps: readonly string[];
  readonly kept: string;
}

const ENGLISH: Words = {
  tag: 'en',
  title: 'This browser is not let in yet',
  why: 'The address that Scalebrush prints opens the window once. It has been used, or the program was started anew since.',
  steps: [
    'Go to the terminal in which Scalebrush runs and press <kbd>Enter</kbd>: it prints another address. Open that one.',
    'Does it no longer run? Start it again with <code>npx scalebrush serve --open</code>.',
  ],
  kept: 'What was on the table is kept, and comes back with the window.',
};
const GERMAN: Words = {
  tag: 'de',
  title: 'Dieser Browser ist noch nicht eingelassen',
  why: 'Die Adresse, die Scalebrush ausgibt, öffnet das Fenster einmal. Sie ist verbraucht, oder das Programm wurde seither neu gestartet.',
  steps: [
    'Im Terminal, in dem Scalebrush läuft, die <kbd>Eingabetaste</kbd> drücken: Es gibt eine weitere Adresse aus. Diese öffnen.',
    'Läuft es nicht mehr? Mit <code>npx scalebrush serve --open</code> neu starten.',
  ],
  kept: 'Was auf dem Tisch lag, ist aufgehoben und kommt mit dem Fenster zurück.',
};

/** Someone looks at it, so it is to be read by someone. */
export function isLookedAt({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html');
}

/** What to do where the printed address has been used. */
export function sendDoorPage(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const words = /^\s*de\b/iu.test(request.headers['accept-language'] ?? '') ? GERMAN : ENGLISH;
  void reply.code(403).header('content-security-policy', POLICY).type('text/html; charset=utf-8');
  return reply.send(pageOf(words));
}

function pageOf({ tag, title, why, steps, kept }: Words): string {
  const list = steps.map((step) => `<li>${step}</li>`).join('');
  return `<!doctype html><html lang="${tag}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Scalebrush</title><style>${STYLE}</style><main><h1>${title}</h1><p>${why}</p><ol>${list}</ol><p>${kept}</p></main></html>`;
}
