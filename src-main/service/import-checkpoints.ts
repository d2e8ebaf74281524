import { realpath, stat } from 'node:fs/promises';
import { basename, extname, isAbsolute } from 'node:path';
import * as v from 'valibot';
import type { CheckpointReport, ImportEvent, ImportRequest, IntegerInstructions } from '#contract/api.js';
import type { Cancellation } from '#base/cancellation.js';
import { endingOf } from '#contract/ending.js';
import { CancelledError, ExpectedError, throwIfCancelled } from '#contract/errors.js';
import { isDrawingCard, PRECISIONS, type Precision } from '#contract/pack-card.js';
import { EditRequest } from '#contract/request.js';
import type { Engine, InspectReport, RoundingErrors, WriteWork, WrittenFile } from '#engine/door/engine.js';
import { packOfCheckpoints } from '#packs/checkpoint-card.js';
import { pathOf } from '#engine/door/pack-files.js';
import { familyOfReports, SETTINGS_NAME, type CheckpointPack, type PublishedFiles } from '#engine/door/published.js';
import type { Library } from '#packs/library.js';
import { reportOn } from './report-on.js';
import { withTokenizerFacts } from './tokenizer-facts.js';

interface Parts {
  readonly engine: Engine;
  readonly library: Library;
}

/** What published files would become, and what each precision would cost on this machine. */
export async function describeCheckpoints(served: Parts, request: ImportRequest): Promise<CheckpointReport> {
  const { engine } = served;
  const files = await publishedFiles(served, request);
  const pack = packOfCheckpoints(files);
  const card = pack.cardOf([]);
  const { name, family, title, licence, limits } = card;
  const errors = await errorsOf(engine, pack);
  const costs = PRECISIONS.map(async (precision) => {
    const cost = await costOf(engine, packOfCheckpoints({ ...files, precision }), precision);
    return cost && { ...cost, ...(errors && { error: errors[precision] }) };
  });
  const precisions = (await Promise.all(costs)).filter((cost) => cost !== undefined);
  const parts = pack.sources.map(({ path, role }) => ({ file: path, role }));
  const { integers } = await engine.machine();
  const offered = precisions.length > 0 ? offeredOn(integers, errors) : undefined;
  const { taken } = pack;
  return { name, family, title, licence, limits, parts, precisions, integers, ...(offered && { offered }), ...(taken && { taken }) };
}

/** Of the transformer, which may lie in several files: the worst of them. */
async function errorsOf(engine: Engine, { sources }: CheckpointPack): Promise<RoundingErrors | undefined> {
  let worst: RoundingErrors | undefined;
  for (const { path } of sources.filter(({ role }) => role === 'transformer')) {
    const errors = await engine.roundingErrors(path);
    if (errors && errors.int8 >= (worst?.int8 ?? 0)) worst = errors;
  }
  return worst;
}

/** Layers whose weights spread so far that int8 changes more of their outputs are not offered at it: it is about 1 % elsewhere. */
const MOST_ERROR = 0.03;

function offeredOn(integers: IntegerInstructions, errors: RoundingErrors | undefined): 'int8' | undefined {
  if (integers === 'none' || integers === 'unknown') return undefined;
  return errors && errors.int8 <= MOST_ERROR ? 'int8' : undefined;
}

/** Makes a pack of files that authors published: weights, and the tokenizer of a text encoder (`.json`). The last event says how it ended. */
export async function* importCheckpoints(parts: Parts, request: ImportRequest, signal: Cancellation): AsyncGenerator<ImportEvent, void> {
  try {
    yield* follow(parts, request, signal);
  } catch (error) {
    yield endingOf(error, signal);
  }
}

/** The import runs by itself; every now and then this looks how far it has come. */
async function* follow({ engine, library }: Parts, request: ImportRequest, signal: Cancellation): AsyncGenerator<ImportEvent, void> {
  const files = await publishedFiles({ engine, library }, request);
  const totalBytes = packOfCheckpoints(files).sources.reduce((sum, { bytes }) => sum + bytes, 0);
  let doneBytes = 0;
  const left = { aborted: false };
  const onBytes = (bytes: number) => {
    throwIfCancelled(signal);
    if (left.aborted) throw new CancelledError('The import was left.');
    doneBytes += bytes;
  };
  const writeWeights = (work: WriteWork) => written(engine, work, { signal, onBytes });
  const importing = library.importCheckpoints(files, { writeWeights, onBytes });
  const progress = (): ImportEvent => ({ type: 'progress', doneBytes: Math.min(doneBytes, totalBytes), totalBytes });
  try {
    yield {
      type: 'imported',
      pack: yield* reportOn(
        importing.then((pack) => withTokenizerFacts({ engine, library }, pack)),
        progress,
      ),
    };
  } finally {
    left.aborted = true;
    await importing.catch(() => undefined);
  }
}

interface Following {
  readonly signal: Cancellation;
  readonly onBytes: (bytes: number) => void;
}

async function written(engine: Engine, work: WriteWork, { signal, onBytes }: Following): Promise<WrittenFile> {
  try {
    for await (const event of engine.writeWeights(work, signal)) {
      if ('written' in event) return event.written;
      onBytes(event.bytes);
    }
  } catch (error) {
    // A process that did not listen in time was killed, which is no accident then.
    throw signal.aborted ? new CancelledError('The import was cancelled.', { cause: error }) : error;
  }
  throw new Error(`Expected ${work.file} to be written to its end.`);
}

async function publishedFiles(parts: Parts, { files, ...said }: ImportRequest): Promise<PublishedFiles> {
  const relative = files.find((file) => !isAbsolute(file));
  if (relative !== undefined)
    throw new ExpectedError('request.invalid', `Expected an absolute path for files but received ${JSON.stringify(relative)}.`);
  const reports: InspectReport[] = [];
  for (const file of files) if (!isTokenizer(file) && !isSettings(file)) reports.push(await parts.engine.inspect(file));
  const path = files.find(isTokenizer);
  const textTokenizer = path !== undefined && { path: await realpath(path), bytes: (await stat(path)).size };
  return withStanding(parts, { reports: withoutShards(reports), ...(textTokenizer && { textTokenizer }), ...said });
}

/** An adapter that comes alone is laid over an installed pack that it was made for. */
async function withStanding({ engine, library }: Parts, files: PublishedFiles): Promise<PublishedFiles> {
  const below = files.reports.some(({ model }) => model === null) ? undefined : familyOfReports(files.reports).standsOn;
  if (below === undefined || files.reports.some(({ model }) => model?.family === below)) return files;
  for (const { name } of (await library.list()).filter(({ family }) => family === below)) {
    const { card, folder } = await library.find(name);
    const own = card.files.map((file) => engine.inspect(pathOf(folder, file)));
    const { licence } = card;
    const whole = { licence, ...files, reports: [...files.reports, ...(await Promise.all(own))], standing: true };
    if (areOneModel(whole)) return whole;
  }
  return files;
}

function areOneModel(files: PublishedFiles): boolean {
  try {
    packOfCheckpoints(files);
    return true;
  } catch (error) {
    if (error instanceof ExpectedError && error.code === 'weights.refused') return false;
    throw error;
  }
}

/** Read beside its checkpoint, whether it was chosen or not. */
function isSettings(file: string): boolean {
  return basename(file) === SETTINGS_NAME;
}

/** The index of a checkpoint in several files is JSON, too. */
function isTokenizer(file: string): boolean {
  return !isSettings(file) && extname(file).toLowerCase() === '.json' && !file.toLowerCase().endsWith('.index.json');
}

/** Files that an index among them names are read through it. */
function withoutShards(reports: readonly InspectReport[]): readonly InspectReport[] {
  const shards = new Set(reports.flatMap(({ file, files }) => files.filter((part) => part !== file)));
  return reports.filter(({ file }) => !shards.has(file));
}

const NO_HASH = '0'.repeat(64);

/** Only packs that draw have a choice. */
async function costOf(
  engine: Engine,
  pack: CheckpointPack,
  precision: Precision,
): Promise<CheckpointReport['precisions'][number] | undefined> {
  const card = pack.cardOf(pack.sources.map(({ role, bytes }, i) => ({ name: `part-${i}`, role, bytes, sha256: NO_HASH })));
  if (!isDrawingCard(card)) return undefined;
  const request = v.parse(EditRequest, { task: 'generate', pack: card.name });
  const { balanced } = await engine.forecast({ request, pack: { card, folder: '' }, pictures: {} });
  const diskBytes = pack.sources.reduce((sum, { bytes, stays }) => sum + (stays ? 0 : bytes), 0);
  return { precision, diskBytes, memoryBytes: balanced.bytes, ms: balanced.ms };
}
