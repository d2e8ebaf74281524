import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import * as v from 'valibot';
import type { Extent, Grid } from '#base/geometry.js';
import type { Calls, PictureInfo } from '#contract/api.js';
import { DEFAULT_PREFERENCES, type Preferences } from '#contract/preferences.js';
import { ERROR_CODES, ExpectedError, toErrorData, type ErrorCode } from '#contract/errors.js';
import type { EditEvent, Notice, RunPlan } from '#contract/event.js';
import type { ProjectInput } from '#contract/project.js';
import type { RecentDocument } from '#contract/recent.js';
import { openPhoto } from '#engine/image/files/decode.js';
import { encodeMask } from '#engine/image/files/encode.js';
import { allLosses } from '#engine/image/files/losses.js';
import { openMask } from '#engine/image/working/mask.js';
import { spaceOf } from '#document/space.js';
import { Margins, type EditRequestInput, type OutputFormat } from '#contract/request.js';

const RENDERER = path.resolve('dist/renderer');
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'";
/** For these, a quality would mean something else to the encoder. */
const LOSSLESS: ReadonlySet<OutputFormat> = new Set(['png', 'tiff']);
const SCHEDULE: readonly Grid[] = [1, 2, 4, 8, 12, 16].map((side): Grid => [side, side]);
const KNOWN_WORDS = new Set('make the car blue red it night warmer remove house'.split(' '));

interface Held {
  readonly bytes: Buffer;
  readonly info: PictureInfo;
}

/** A document that was closed. */
interface Kept {
  readonly document: RecentDocument;
  readonly project: ProjectInput;
  readonly pictures: ReadonlyMap<string, Held>;
}

/** What happens in the next runs. */
export interface Script {
  /** Between two scales. */
  paceMs: number;
  /** The run waits before this scale until it is cancelled. */
  holdBefore: number | undefined;
  failBefore: { readonly scale: number; readonly code: ErrorCode; readonly message: string } | undefined;
  /** The connection breaks before this scale. */
  breakBefore: number | undefined;
  /** What a run says that it took. */
  totalMs: number;
  /** What there is to say of the result. */
  notices?: readonly Notice[];
}

/**
 * The wire of the contract with canned answers, for states of the window that the real engine reaches only by chance:
 * any pace, any failure, any moment. Pictures are real; the "edit" inverts their colours, and each seed shades them another way.
 */
export class FakeServer {
  readonly script: Script = { paceMs: 0, holdBefore: undefined, failBefore: undefined, breakBefore: undefined, totalMs: 640 };
  readonly requests: EditRequestInput[] = [];
  /** Every file that the window sent, masks included. */
  readonly uploads: { readonly name: string; readonly bytes: Buffer }[] = [];
  cancelled = 0;
  /** Lets the run go on that is held. */
  release = (): void => undefined;
  /** One picture a run: how many a second allows is for the specs that ask for it. */
  preferences: Preferences = { ...DEFAULT_PREFERENCES, variants: 1 };
  /** Whether its model sees a picture, or draws from words alone. */
  seesSource = true;
  /** Its installed models; the first is the built-in one. */
  readonly packs = [{ name: 'studio', title: 'Studio', version: '1', builtIn: true, licence: 'MIT', sizeBytes: 1, folder: '' }];
  readonly #pictures = new Map<string, Held>();
  readonly #server: Server;
  readonly #recent = new Map<string, Kept>();
  #count = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else sendJson(response, 422, toErrorData(error));
      });
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://fake');
    if (request.method === 'GET' && pathname.startsWith('/api/pictures/')) {
      const { bytes, info } = this.#held(path.basename(pathname));
      response.setHeader('content-type', `image/${info.format}`).end(bytes);
    } else if (pathname === '/api/presence') response.writeHead(200).flushHeaders();
    else if (request.method === 'GET') await sendFile(response, pathname);
    else await this.#post(pathname, request, response);
  }

  async #post(pathname: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (pathname === '/api/pictures') {
      const name = decodeURIComponent(String(request.headers['x-picture-name']));
      this.uploads.push({ name, bytes: body });
      sendJson(response, 201, await this.#hold(body, name));
    } else if (pathname === '/api/stream/edit.run') await this.#run(JSON.parse(body.toString()) as EditRequestInput, response);
    else sendJson(response, 200, await this.#call(path.basename(pathname), JSON.parse(body.toString())));
  }

  #call(name: string, input: unknown): unknown {
    const table: { readonly [N in keyof Calls]?: (input: Calls[N]['in']) => unknown } = {
      'packs.list': () => this.packs,
      'packs.info': ({ name }) => ({
        name,
        card: {
          defaults: { temperature: 0 },
          config: { transformer: { scales: SCHEDULE, source: this.seesSource, rotary: { kind: 'normalised', base: 100 } } },
        },
      }),
      'preferences.read': () => this.preferences,
      'preferences.write': (chosen) => {
        this.preferences = chosen;
        return null;
      },
      'journal.write': () => null,
      'journal.recover': () => null,
      'recent.list': () => [...this.#recent.values()].map(({ document }) => document).reverse(),
      'recent.keep': ({ id = `recent-${this.#recent.size}`, project, ...said }) => {
        const document = { ...said, id, closedMs: this.#recent.size };
        this.#recent.delete(id);
        this.#recent.set(id, { document, project, pictures: new Map(this.#pictures) });
        return document;
      },
      'recent.open': ({ id }) => {
        const kept = this.#recent.get(id);
        for (const [name, held] of kept?.pictures ?? []) this.#pictures.set(name, held);
        if (!kept) throw new ExpectedError('project.unreadable', `Expected a document that was closed but received ${id}.`);
        return kept.project;
      },
      'providers.list': () => [
        { name: 'cpu', available: true },
        { name: 'webgpu', available: false, whyNot: 'no graphics adapter was found' },
      ],
      'picture.describe': ({ id }) => this.#held(id).info,
      'picture.close': ({ id }) => {
        this.#pictures.delete(id);
        return null;
      },
      // As it is read for real: what the window makes of it is looked at pixel by pixel.
      'mask.read': async ({ mask, size }) => {
        const read = await openMask(this.#held(mask).bytes, size);
        return { ...(await this.#hold(Buffer.from(await encodeMask(read.mask)), 'mask.png')), notices: read.notices };
      },
      'picture.losses': async ({ id }) => allLosses(await openPhoto(this.#held(id).bytes)),
      'picture.convert': ({ id, format, quality }) => this.#convert(id, format, quality),
      'instruction.check': ({ instruction }) => {
        const unknown = instruction
          .toLowerCase()
          .split(/\s+/u)
          .filter((word) => word !== '' && !KNOWN_WORDS.has(word));
        return {
          unknownWords: unknown.map((word) => ({ word, suggestions: ['car', 'house'] })),
          understands: ['make the car red'],
          known: unknown.length === 0,
          cut: false,
        };
      },
      'control.preview': async ({ control }) => {
        const level = Math.min(255, control?.low ?? 0);
        const bytes = await sharp({ create: { width: 64, height: 48, channels: 3, background: { r: level, g: level, b: level } } })
          .png()
          .toBuffer();
        return this.#hold(bytes, 'control.png');
      },
      'edit.forecast': () =>
        ({
          best: costOf(1300),
          balanced: costOf(1000),
          fast: costOf(700),
          draft: costOf(400),
          availableBytes: 4e9,
        }) satisfies Calls['edit.forecast']['out'],
    };
    const answer = table[name as keyof Calls] as ((input: unknown) => unknown) | undefined;
    if (!answer) throw new ExpectedError('request.invalid', `Expected a call that was taught but received ${name}.`);
    return answer(input);
  }

  async #run(request: EditRequestInput, response: ServerResponse): Promise<void> {
    this.requests.push(request);
    response.once('close', () => {
      if (!response.writableFinished) this.cancelled += 1;
    });
    response.setHeader('content-type', 'application/x-ndjson').flushHeaders();
    for await (const event of this.#events(request)) {
      if (response.destroyed) return;
      response.write(`${JSON.stringify(event)}\n`);
    }
    response.end();
  }

  async *#events(request: EditRequestInput): AsyncGenerator<EditEvent> {
    const source = this.#held(request.source ?? '');
    const { extent } = spaceOf(source.info.size, v.parse(Margins, request.margins ?? {}));
    yield { type: 'started', plan: planOf(extent) };
    const seed = request.seed ?? 0;
    const result = await edited(source.bytes, extent, seed);
    for (const [k, [rows, columns]] of SCHEDULE.entries()) {
      const place = { candidate: 0, scale: k + 1, of: SCHEDULE.length };
      const { failBefore, breakBefore, holdBefore, paceMs } = this.script;
      if (failBefore?.scale === place.scale) {
        const { code, message } = failBefore;
        yield { type: 'failed', error: { code, message, advice: ERROR_CODES[code].advice } };
        return;
      }
      if (breakBefore === place.scale) throw new Error('The connection breaks.');
      if (holdBefore === place.scale) await new Promise<void>((resolve) => (this.release = resolve));
      else await pause(paceMs);
      yield { type: 'scale', ...place, tokens: rows * columns, ms: 10 };
      const small = await sharp(result)
        .resize(rows * 8, columns * 8, { fit: 'fill' })
        .png()
        .toBuffer();
      yield { type: 'preview', ...place, picture: (await this.#hold(small, 'preview.png')).id, ms: 4 };
    }
    const { id } = await this.#hold(result, `${path.parse(source.info.name).name}-edit-1.png`);
    const tokens = { pack: 'studio', schedule: [], tokens: [] };
    const notices = this.script.notices && { notices: this.script.notices };
    yield { type: 'candidate', candidate: { index: 0, picture: id, tokens, seed, changedPixels: 4321, changedOutsideMask: 0, ...notices } };
    const timingsMs = { load: 0, text: 1, source: 9, scales: [], previews: [], decode: 8, composite: 20, total: this.script.totalMs };
    yield { type: 'done', timingsMs, peakRssBytes: 2e8, size: extent, provider: 'cpu' };
  }

  async #convert(id: string, format: OutputFormat, quality: number): Promise<PictureInfo> {
    const { bytes, info } = this.#held(id);
    return this.#hold(
      await sharp(bytes)
        .autoOrient()
        .toFormat(format, LOSSLESS.has(format) ? {} : { quality })
        .toBuffer(),
      `${path.parse(info.name).name}.${format}`,
    );
  }

  async #hold(bytes: Buffer, name: string): Promise<PictureInfo> {
    const facts = await sharp(bytes)
      .metadata()
      .catch(() => undefined);
    if (!facts) throw new ExpectedError('image.unreadable', `Expected a picture but ${name} is something else.`);
    this.#count += 1;
    const { width, height } = facts.autoOrient;
    const info: PictureInfo = {
      id: `picture-${this.#count}`,
      name,
      size: { width, height },
      format: facts.format as OutputFormat,
      bitDepth: 8,
      hasAlpha: facts.hasAlpha,
      hasProfile: facts.hasProfile,
      hasLocation: false,
      notices: [],
    };
    this.#pictures.set(info.id, { bytes, info });
    return info;
  }

  #held(id: string): Held {
    const held = this.#pictures.get(id);
    if (!held) throw new ExpectedError('picture.unknown', `Expected a picture that is open but received the id "${id}".`);
    return held;
  }
}

function costOf(ms: number) {
  return { ms, bytes: 2e8, layers: 8 };
}

function planOf(size: Extent): RunPlan {
  const plan = { pack: 'studio', preset: 'balanced', provider: 'cpu', schedule: SCHEDULE, estimateMs: 1000, estimateBytes: 2e8 } as const;
  return { ...plan, crop: { x: 0, y: 0, ...size }, size, notices: [] };
}

async function edited(source: Buffer, { width, height }: Extent, seed: number): Promise<Buffer> {
  const shade = 1 - (seed % 8) / 10;
  return sharp(source)
    .autoOrient()
    .removeAlpha()
    .negate()
    .linear(shade, 0)
    .resize(width, height, { fit: 'fill', kernel: 'nearest' })
    .png()
    .toBuffer();
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

async function sendFile(response: ServerResponse, pathname: string): Promise<void> {
  const file = path.join(RENDERER, pathname === '/' ? 'index.html' : path.normalize(pathname));
  response.setHeader('content-type', TYPES[path.extname(file)] ?? 'application/octet-stream').setHeader('content-security-policy', POLICY);
  // The desktop enters no service that gives it no session.
  response.setHeader('set-cookie', 'session=fake');
  response.end(await readFile(file));
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
