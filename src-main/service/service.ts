import type { Calls, CallName, PackSummary, StreamName, Streams, Transport } from '#contract/api.js';
import { ExpectedError, toErrorData } from '#contract/errors.js';
import type { EditEvent } from '#contract/event.js';
import type { EditRequest, OutputFormat, PictureId, TokenFile } from '#contract/request.js';
import type { Engine, EngineJob, InspectReport } from '#engine/door/engine.js';
import type { JobQueue } from '#jobs/queue.js';
import type { Library } from '#packs/library.js';
import { splitName } from './names.js';
import { importCheckpoints, type ImportOptions } from './import-checkpoints.js';
import { parseCall, parseStream, type ParsedCalls } from './parse.js';
import type { PictureStore } from './pictures.js';
import { runEdit, type ProbedEvent } from './run-edit.js';
import { expectCompleteTask, namedPictures } from './task-rules.js';

const DEFAULT_QUALITY = 92;

/** All that a host can offer. Over a wire only `call`, `stream` and the pictures travel. */
export interface Service extends Transport {
  readonly pictures: PictureStore;
  readonly library: Library;
  /** Throws what `stream` would throw at its first step, before anything starts. */
  checkStream(name: StreamName, input: unknown): void;
  /** `edit.run` with the parity tools, for hosts in this process. */
  runProbed(input: Streams['edit.run']['in'], options: ProbeOptions): AsyncGenerator<ProbedEvent, void>;
  inspect(file: string): Promise<InspectReport>;
  /** Makes a pack of weights files that the authors published; nothing in them is run. */
  importCheckpoints(files: readonly string[], options?: ImportOptions): Promise<PackSummary>;
  /** Hard cancel: ends the inference process at once. */
  kill(): void;
  close(): Promise<void>;
}

export interface ProbeOptions {
  readonly probe: NonNullable<EngineJob['probe']>;
  readonly signal?: AbortSignal;
}

export interface ServiceParts {
  readonly engine: Engine;
  readonly library: Library;
  readonly queue: JobQueue;
  readonly pictures: PictureStore;
}

type CallTable = { [N in CallName]: (input: ParsedCalls[N]) => Promise<Calls[N]['out']> };
type StreamSignal = NonNullable<Parameters<Transport['stream']>[2]>;

export function createService(parts: ServiceParts): Service {
  const { engine, library, pictures } = parts;
  const table = callTable(parts);
  return {
    pictures,
    library,
    // Asynchronous, so that a refused input is a rejection over every wire.
    call: async (name, input) => callWith(table, name, input),
    stream: (name, input, signal) => streamOf(parts, parseLater(name, input), signal),
    checkStream: (name, input) => {
      parseRequest(name, input);
    },
    runProbed: (input, { probe, signal }) => probedOf(parts, { request: parseLater('edit.run', input), probe, ...(signal && { signal }) }),
    inspect: (file) => engine.inspect(file),
    importCheckpoints: (files, options) => importCheckpoints(parts, files, options),
    kill: () => {
      engine.kill();
    },
    close: async () => {
      await engine.close();
      pictures.close();
    },
  };
}

function callWith<N extends CallName>(table: CallTable, name: N, input: unknown): Promise<Calls[N]['out']> {
  return table[name](parseCall(name, input));
}

function callTable(parts: ServiceParts): CallTable {
  const { engine, library, pictures } = parts;
  return {
    'packs.list': () => library.list(),
    'packs.info': ({ name }) => library.info(name),
    'packs.verify': ({ name }) => library.verify(name),
    'providers.list': () => engine.providers(),
    'picture.describe': ({ id }) => pictures.describe(id),
    'picture.convert': (input) => convertPicture(parts, input),
    'picture.close': async ({ id }) => {
      await pictures.remove(id);
      return null;
    },
    'instruction.check': async ({ pack, instruction }) => engine.checkInstruction(await library.find(pack), instruction),
    'edit.forecast': async (request) => engine.forecast(await jobOf(parts, request)),
    'tokens.make': async ({ pack, source }) => engine.tokenize(await library.find(pack), (await pictures.get(source)).bytes),
    'tokens.decode': (input) => decodeTokens(parts, input),
  };
}

async function convertPicture({ engine, pictures }: ServiceParts, wish: { id: PictureId; format: OutputFormat; quality: number }) {
  const { bytes, name } = await pictures.get(wish.id);
  const converted = await engine.convert(bytes, { format: wish.format, quality: wish.quality });
  const id = await pictures.keep({
    bytes: converted,
    name: `${splitName(name).stem}.${wish.format}`,
    format: wish.format,
    lifetime: 'kept',
  });
  return pictures.describe(id);
}

async function decodeTokens({ engine, library, pictures }: ServiceParts, { tokens, format }: { tokens: TokenFile; format: OutputFormat }) {
  const bytes = await engine.decode(await library.find(tokens.pack), tokens, { format, quality: DEFAULT_QUALITY });
  const id = await pictures.keep({ bytes, name: `decoded.${format}`, format, lifetime: 'kept' });
  return pictures.describe(id);
}

/** The request together with its pack and the bytes of all pictures that it names. */
async function jobOf({ library, pictures }: Pick<ServiceParts, 'library' | 'pictures'>, request: EditRequest): Promise<EngineJob> {
  const pack = await library.find(request.pack);
  const named = await Promise.all(namedPictures(request).map(async (id) => [id, (await pictures.get(id)).bytes] as const));
  return { request, pack, pictures: Object.fromEntries(named) };
}

type LaterRequest = () => EditRequest;

function parseLater(name: StreamName, input: unknown): LaterRequest {
  return () => parseRequest(name, input);
}

function parseRequest(name: StreamName, input: unknown): EditRequest {
  const request = parseStream(name, input);
  expectCompleteTask(request);
  return request;
}

async function* streamOf(parts: ServiceParts, request: LaterRequest, signal: StreamSignal | undefined): AsyncGenerator<EditEvent, void> {
  const options = signal === undefined ? { request } : { request, signal };
  for await (const event of probedOf(parts, options)) if (event.type !== 'logits') yield event;
}

interface ProbedRun {
  readonly request: LaterRequest;
  readonly probe?: NonNullable<EngineJob['probe']>;
  readonly signal?: StreamSignal;
}

/** A refused wish is thrown at the first step; whatever fails later is the last event. */
async function* probedOf(parts: ServiceParts, { request, probe, signal }: ProbedRun): AsyncGenerator<ProbedEvent, void> {
  const wish = request();
  let job: EngineJob;
  try {
    job = await jobOf(parts, wish);
    expectOwnTokens(job, probe?.forceTokens);
  } catch (error) {
    yield { type: 'failed', error: toErrorData(error) };
    return;
  }
  yield* runEdit(parts, probe === undefined ? job : { ...job, probe }, signal);
}

function expectOwnTokens({ request }: EngineJob, tokens: TokenFile | undefined): void {
  if (tokens === undefined || tokens.pack === request.pack) return;
  throw new ExpectedError('tokens.invalid', `Expected tokens of pack "${request.pack}" but received tokens of "${tokens.pack}".`);
}
