import type { Cancellation } from '#base/cancellation.js';
import { splitName } from '#base/file-name.js';
import type { Calls, CallName, PackSummary, PictureInfo, StreamName, Streams, Transport } from '#contract/api.js';
import { ExpectedError, toErrorData } from '#contract/errors.js';
import type { EditEvent } from '#contract/event.js';
import { LayersWish } from '#contract/layers.js';
import { Project } from '#contract/project.js';
import { fileRecipeOf, type Recipe } from '#contract/recipe.js';
import type { TokenizerReport } from '#contract/tokenizer-report.js';
import type { EditRequest, OutputFormat, TokenFile } from '#contract/request.js';
import type { EncodedLayer, Engine, EngineJob, InspectReport, RoundingErrors } from '#engine/door/engine.js';
import type { JobQueue } from '#jobs/queue.js';
import type { Library } from '#packs/library.js';
import { addPack, askForPack, listKnownPacks } from './add-pack.js';
import type { Farm, OpenFarm } from './farm.js';
import { FarmDesk } from './farm-desk.js';
import { describeCheckpoints, importCheckpoints } from './import-checkpoints.js';
import type { Journal } from './journal.js';
import { parseCall, parseInput, parseStream, type ParsedCalls } from './parse.js';
import type { PreferencesFile } from './preferences.js';
import type { PictureStore } from './pictures.js';
import type { Recent } from './recent.js';
import { keepTokenizerFacts, withTokenizerFacts } from './tokenizer-facts.js';
import type { Pieces } from './files.js';
import { readProjectFile, writeProjectFile, type ProjectSource } from './project-file.js';
import { runEdit, type ProbedEvent } from './run-edit.js';
import { expectCompleteTask, namedPictures } from './task-rules.js';
import { selectObject } from './select-object.js';
import { verifyPack } from './verify-pack.js';

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
  roundingErrors(file: string): Promise<RoundingErrors | undefined>;
  /** What a pack's tokenizer keeps of encoded photos, at least one. */
  reportTokenizer(pack: string, photos: readonly Uint8Array[]): Promise<TokenizerReport>;
  /** Verifies and copies a pack folder into the user's packs. */
  importFolder(folder: string): Promise<PackSummary>;
  /** Other machines. Throws `farm.unreachable` where none is set or reached, `farm.unsafe`. */
  farm(): Promise<Farm>;
  /** A project's file. Throws `project.unreadable` or `project.newer`. */
  openProject(source: ProjectSource): Promise<Project>;
  saveProject(project: unknown): Promise<Pieces>;
  /** A document as a Photoshop file. Throws `image.too-large`. */
  saveLayers(layers: unknown): Promise<Uint8Array>;
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
  readonly journal: Journal;
  readonly recent: Recent;
  readonly preferences: PreferencesFile;
  /** Absent = this host knows of no farm. */
  readonly openFarm?: OpenFarm;
}

type CallTable = { [N in CallName]: (input: ParsedCalls[N]) => Promise<Calls[N]['out']> };
type StreamSignal = NonNullable<Parameters<Transport['stream']>[2]>;

export function createService(given: ServiceParts): Service {
  const desk = new FarmDesk(given);
  const parts = { ...given, desk };
  const { engine, library, pictures } = parts;
  const table = callTable(parts);
  return {
    pictures,
    library,
    // Asynchronous, so that a refused input is a rejection over every wire.
    call: async (name, input) => callWith(table, name, input),
    stream: ((name, input, signal) => streamOf(parts, { name, input }, signal)) as Transport['stream'],
    checkStream: (name, input) => {
      if (name === 'edit.run') parseRequest(input);
      else parseStream(name, input);
    },
    runProbed: (input, { probe, signal }) => probedOf(parts, { request: parseLater(input), probe, ...(signal && { signal }) }),
    inspect: (file) => engine.inspect(file),
    roundingErrors: (file) => engine.roundingErrors(file),
    reportTokenizer: async (pack, photos) => {
      const report = await engine.reportTokenizer(await library.find(pack), photos);
      await keepTokenizerFacts(library, pack, report);
      return report;
    },
    importFolder: async (folder) => withTokenizerFacts(parts, await library.import(folder)),
    farm: () => desk.farm(),
    openProject: (source) => readProjectFile(source, pictures),
    saveProject: async (project) => writeProjectFile(parseInput(Project, project), pictures),
    saveLayers: (layers) => saveLayers(parts, layers),
    kill: () => {
      engine.kill();
    },
    close: async () => {
      await desk.close();
      await engine.close();
      pictures.close();
    },
  };
}

function callWith<N extends CallName>(table: CallTable, name: N, input: unknown): Promise<Calls[N]['out']> {
  return table[name](parseCall(name, input));
}

/** The parts as the service uses them. */
interface OwnParts extends ServiceParts {
  readonly desk: FarmDesk;
}

function callTable(parts: OwnParts): CallTable {
  const { engine, library, pictures, journal, recent, preferences, desk } = parts;
  return {
    'packs.list': () => library.list(),
    'packs.info': ({ name }) => library.info(name),
    'packs.remove': async ({ name }) => {
      await library.remove(name);
      return null;
    },
    'packs.known': () => listKnownPacks(library),
    'packs.askHub': ({ name }) => askForPack(name),
    'providers.list': () => engine.providers(),
    'machine.describe': () => engine.machine(),
    'picture.describe': ({ id }) => pictures.describe(id),
    'picture.convert': (input) => convertPicture(parts, input),
    'picture.losses': ({ id }) => engine.losses(pictures.file(id)),
    'mask.read': (input) => readMask(parts, input),
    'picture.carry': (change) => carryChange(parts, change),
    'picture.blend': (wish) => blendPictures(parts, wish),
    'picture.frame': (wish) => framePicture(parts, wish),
    'picture.close': async ({ id }) => {
      await pictures.remove(id);
      return null;
    },
    'instruction.check': async ({ pack, instruction }) => engine.checkInstruction(await library.find(pack), instruction),
    'edit.forecast': async (request) => engine.forecast(await ownJobOf(parts, request)),
    'control.preview': async (request) => {
      const bytes = await engine.controlMap(await ownJobOf(parts, request));
      return pictures.describe(await pictures.keep({ bytes, name: 'control.png', format: 'png', lifetime: 'passing' }));
    },
    'checkpoints.describe': (request) => describeCheckpoints(parts, request),
    'journal.write': async ({ owner, project }) => {
      await journal.write(owner, project);
      return null;
    },
    'journal.recover': ({ owner }) => journal.recover(owner),
    'recent.keep': (document) => recent.keep(document),
    'recent.list': () => recent.list(),
    'recent.open': ({ id }) => recent.open(id),
    'recent.remove': async ({ id }) => {
      await recent.remove(id);
      return null;
    },
    'preferences.read': () => preferences.read(),
    'preferences.write': async (chosen) => {
      await preferences.write(chosen);
      return null;
    },
    'farm.status': ({ batch }) => desk.status(batch),
    'farm.cancel': async ({ batch }) => {
      await (await desk.farm()).cancel(batch);
      return null;
    },
    'farm.retry': async ({ batch }) => ({ waiting: await (await desk.farm()).retry(batch) }),
    'tokens.make': async ({ pack, source }) => engine.tokenize(await library.find(pack), pictures.file(source)),
    'tokens.decode': (input) => decodeTokens(parts, input),
  };
}

async function convertPicture(
  { engine, library, pictures }: ServiceParts,
  { id: source, recipe, ...wish }: ParsedCalls['picture.convert'],
) {
  const { file, name } = pictures.file(source);
  const converted = await engine.convert(
    { file },
    {
      ...wish,
      ...(recipe && { recipe: fileRecipeOf(await packOf(library, recipe), recipe) }),
    },
  );
  const id = await pictures.keep({
    bytes: converted,
    name: `${splitName(name).stem}.${wish.format}`,
    format: wish.format,
    lifetime: 'kept',
  });
  return pictures.describe(id);
}

/** A picture from another machine may tell of a pack that is not here. */
async function packOf(library: Library, { request: { pack: name = '' } }: Recipe): Promise<Parameters<typeof fileRecipeOf>[0]> {
  const pack = await library.find(name).catch(() => undefined);
  return pack?.card ?? { name, version: '', files: [] };
}

async function readMask({ engine, pictures }: ServiceParts, { mask, size }: ParsedCalls['mask.read']): Promise<PictureInfo> {
  const { picture, notices } = await engine.readMask(pictures.file(mask), size);
  const id = await pictures.keep({ bytes: picture, name: 'mask.png', format: 'png', lifetime: 'passing' });
  return { ...(await pictures.describe(id)), notices };
}

async function carryChange({ engine, pictures }: ServiceParts, change: ParsedCalls['picture.carry']): Promise<PictureInfo | null> {
  const after = pictures.file(change.after);
  const carried = await engine.carry({ before: pictures.file(change.before), after, onto: pictures.file(change.onto) });
  if (carried === null) return null;
  const name = `${splitName(after.name).stem}.png`;
  return pictures.describe(await pictures.keep({ bytes: carried, name, format: 'png', lifetime: 'kept' }));
}

async function blendPictures({ engine, pictures }: ServiceParts, wish: ParsedCalls['picture.blend']): Promise<PictureInfo> {
  const { opacity, mask } = wish;
  const above = pictures.file(wish.above);
  const bytes = await engine.blend({
    below: pictures.file(wish.below),
    above,
    opacity,
    ...(mask !== undefined && { mask: pictures.file(mask) }),
  });
  const name = `${splitName(above.name).stem}.png`;
  return pictures.describe(await pictures.keep({ bytes, name, format: 'png', lifetime: 'kept' }));
}

async function framePicture({ engine, pictures }: ServiceParts, { id, framing }: ParsedCalls['picture.frame']): Promise<PictureInfo> {
  const picture = pictures.file(id);
  const bytes = await engine.frame(picture, framing);
  const name = `${splitName(picture.name).stem}.png`;
  return pictures.describe(await pictures.keep({ bytes, name, format: 'png', lifetime: 'kept' }));
}

async function saveLayers({ engine, pictures }: ServiceParts, wish: unknown): Promise<Uint8Array> {
  const layers = parseInput(LayersWish, wish).layers.map(({ picture, mask, ...layer }): EncodedLayer => {
    return { ...layer, picture: pictures.file(picture), ...(mask !== undefined && { mask: pictures.file(mask) }) };
  });
  return engine.layers(layers);
}

async function decodeTokens({ engine, library, pictures }: ServiceParts, { tokens, format }: { tokens: TokenFile; format: OutputFormat }) {
  const bytes = await engine.decode(await library.find(tokens.pack), tokens, { format, quality: DEFAULT_QUALITY });
  const id = await pictures.keep({ bytes, name: `decoded.${format}`, format, lifetime: 'kept' });
  return pictures.describe(id);
}

/** The request together with its pack and the files of all pictures that it names. */
export async function jobOf(
  { library, pictures }: { readonly library: Library; readonly pictures: Pick<PictureStore, 'file'> },
  request: EditRequest,
): Promise<EngineJob> {
  const named = namedPictures(request).map((id) => [id, { file: pictures.file(id).file }] as const);
  return { ...(await withPacks(library, request)), pictures: Object.fromEntries(named) };
}

const MEBIBYTE = 1024 * 1024;

/** The job of a request, within what its user lets this machine take. */
async function ownJobOf(parts: ServiceParts, request: EditRequest): Promise<EngineJob> {
  const job = await jobOf(parts, request);
  const { memoryLimitMb } = await parts.preferences.read();
  return memoryLimitMb === undefined ? job : { ...job, memoryLimitBytes: memoryLimitMb * MEBIBYTE };
}

/** The request together with the packs that it names. */
export async function withPacks(library: Library, request: EditRequest): Promise<Omit<EngineJob, 'pictures'>> {
  const pack = await library.find(request.pack);
  const estimator = request.control?.estimator;
  return { request, pack, ...(estimator !== undefined && { estimator: await library.findAny(estimator) }) };
}

type LaterRequest = () => EditRequest;

function parseLater(input: unknown): LaterRequest {
  return () => parseRequest(input);
}

function parseRequest(input: unknown): EditRequest {
  const request = parseStream('edit.run', input);
  expectCompleteTask(request);
  return request;
}

function streamOf(
  parts: OwnParts,
  { name, input }: { readonly name: StreamName; readonly input: unknown },
  signal: StreamSignal | undefined,
): AsyncGenerator<Streams[StreamName]['out'], void> {
  if (name === 'edit.run') return editOf(parts, parseLater(input), signal);
  if (name === 'farm.run') return parts.desk.run(input, signal);
  return packStreamOf(parts, { name, input }, cancellationOf(signal));
}

/** Input that is refused is thrown at the first step. */
async function* packStreamOf(
  parts: ServiceParts,
  { name, input }: { readonly name: Exclude<StreamName, 'edit.run' | 'farm.run'>; readonly input: unknown },
  signal: Cancellation,
): AsyncGenerator<Streams[typeof name]['out'], void> {
  if (name === 'packs.verify') yield* verifyPack(parts.library, parseStream(name, input).name, signal);
  else if (name === 'object.select') yield* selectObject(parts, parseStream(name, input), signal);
  else if (name === 'packs.add') yield* addPack(parts, parseStream(name, input), signal);
  else yield* importCheckpoints(parts, parseStream(name, input), signal);
}

/** An engine's cancellation, which also says why. */
function cancellationOf(signal: StreamSignal | undefined): Cancellation {
  const cancellation = { aborted: signal?.aborted ?? false, reason: undefined };
  signal?.addEventListener('abort', () => (cancellation.aborted = true));
  return cancellation;
}

async function* editOf(parts: ServiceParts, request: LaterRequest, signal: StreamSignal | undefined): AsyncGenerator<EditEvent, void> {
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
    job = await ownJobOf(parts, wish);
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
