import { access, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { numberedName } from '#base/file-name.js';
import { isPictureName, planBatch, reportOf, runBatch, type BatchChange, type BatchEntry } from '#contract/batch.js';
import { ExpectedError, throwIfCancelled } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import type { Framing } from '#contract/framing.js';
import { lackOf, tooLittleMemory } from '#contract/forecast.js';
import { DEFAULT_PACK, OUTPUT_FORMATS, PRESETS, type EditRequestInput } from '#contract/request.js';
import { openLedger, type BatchLedger } from '#service/batch-state.js';
import { sha256 } from '#service/digest.js';
import { readPictureFile } from '#service/files.js';
import { shownName } from '#service/names.js';
import { errnoOf } from '#packs/json-file.js';
import { parseCommandLine, refused, required, wordIn } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { framed, framingOf } from '../framing.js';
import { COMMON_HELP } from '../help.js';
import { runOnFarm, type OpenSource } from '../farm-batch.js';
import { expectOutputs, makeFolder } from '../places.js';
import { openPictures, stillClosed, withPictures, type OpenPictures } from '../request-pictures.js';
import { runTask, saveJson } from '../run-task.js';
import { batchOptions, controlOf, requestOf, sayDrawnSeed, taskOf, type ControlWish, type TaskValues } from '../task-options.js';

const EXIT = { done: 0, bug: 1, refused: 2 } as const;

const USAGE = `Usage: scalebrush batch IN_FOLDER… -i TEXT [-m MASK] [--left PX …] -o OUT_FOLDER [--dry-run] [--resume]

Does the same to every picture in folders, or to pictures named one by one. A picture that cannot be done is refused
with one line, and the others go on. Results keep the names and formats of their sources; none is overwritten.

  --dry-run                   say what would happen, and how long it would take
  --resume                    go on with a batch that was interrupted; what is done stays
  --overwrite                 replace results that are there already
  --format FORMAT             png, jpeg, webp, tiff or avif instead of each source's own
  --report FILE.json          what became of each picture
  --farm                      let other machines do it: the farm that SCALEBRUSH_FARM names
  --detach                    (with --farm) submit, and fetch the results later
${COMMON_HELP.split('\n')
  .filter((line) => !/--(previews|tokens-out|force-tokens|logits-out)/u.test(line))
  .join('\n')}`;

/** A folder of pictures, one wish. */
export const batchCommand: Command = { name: 'batch', summary: 'do the same to every picture of a folder', usage: USAGE, run };

const flag = { type: 'boolean', default: false } as const;
const OWN_OPTIONS = {
  'dry-run': flag,
  resume: flag,
  overwrite: flag,
  format: { type: 'string' },
  report: { type: 'string' },
  farm: flag,
  detach: flag,
} as const;

interface BatchValues extends TaskValues {
  readonly 'dry-run'?: boolean;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly format?: string;
  readonly report?: string;
  readonly farm?: boolean;
  readonly detach?: boolean;
}

/** A batch as its command line says it. */
export interface Batch {
  readonly values: BatchValues;
  readonly folder: string;
  readonly wish: EditRequestInput;
  readonly control: ControlWish | undefined;
  readonly framing: Framing | undefined;
  /** What all files share. */
  readonly shared: Omit<OpenPictures, 'source'>;
  readonly ledger: BatchLedger;
  readonly context: Context;
}

async function run(args: readonly string[], context: Context): Promise<number> {
  const parsed = parseCommandLine({ args, options: { ...batchOptions(), ...OWN_OPTIONS }, positionals: ['IN_FOLDER…'] });
  const values = parsed.values as BatchValues;
  const format = wordIn(values, 'format', OUTPUT_FORMATS);
  const folder = required(values.output, '-o OUT_FOLDER');
  const sources = await sourcesOf(parsed.positionals);
  if (values.report !== undefined) await expectOutputs([values.report], sources);
  const batch = await openBatch(values, folder, context);
  let entries: readonly BatchEntry[] = planBatch(sources, format).map((plan) => ({ ...plan, state: 'waiting' }));
  try {
    for await (const { index, entry } of changesOf(batch, entries)) {
      entries = entries.with(index, entry);
      sayState(batch, entries, index);
    }
  } finally {
    await sayReport(batch, entries);
  }
  return exitCodeOf(entries);
}

/** Here, one after the other, or on the farm. What a dry run says, this machine knows. */
function changesOf(batch: Batch, entries: readonly BatchEntry[]): AsyncGenerator<BatchChange, void> {
  const { farm, 'dry-run': dry, detach } = batch.values;
  if (farm === true && dry !== true) return runOnFarm(batch, entries, { expectPlace, openSource });
  if (detach === true) throw refused('Expected --farm with --detach.');
  return runBatch(entries, (each) => doOne(batch, each));
}

export function exitCodeOf(entries: readonly BatchEntry[]): number {
  const errors = entries.flatMap(({ error }) => error ?? []);
  if (errors.some(({ code }) => code === 'bug')) return EXIT.bug;
  return errors.length > 0 ? EXIT.refused : EXIT.done;
}

/** Everything that no file can help is refused before the first one is opened. */
async function openBatch(values: BatchValues, folder: string, context: Context): Promise<Batch> {
  const wish = requestOf(taskOf(values), values, 'png');
  sayDrawnSeed(values, wish, context);
  const control = controlOf(values);
  const framing = framingOf(values);
  const files = { source: undefined, mask: values.mask, map: control?.mapPath };
  const service = await context.service();
  service.checkStream('edit.run', withPictures(wish, stillClosed({ ...files, source: '' }), { control }));
  await expectKnownWords(wish, context);
  if (values['dry-run'] !== true) await makeFolder(folder);
  const ledger = await openLedger(folder, { wish, control, framing, format: values.format, mask: values.mask }, values.resume === true);
  const { mask, map } = await openPictures(files, context);
  return { values, folder, wish, control, framing, shared: { mask, map }, ledger, context };
}

async function expectKnownWords({ instruction = '', pack = DEFAULT_PACK }: EditRequestInput, { service }: Context): Promise<void> {
  if (instruction.trim() === '') return;
  const { known, unknownWords, negated } = await (await service()).call('instruction.check', { pack, instruction });
  if (negated) throw new ExpectedError('instruction.negated', 'Expected what should change but the instruction says what should not.');
  if (known || unknownWords.length === 0) return;
  const words = unknownWords.map(({ word }) => JSON.stringify(word)).join(', ');
  throw new ExpectedError('instruction.unknown-words', `Expected words that the pack "${pack}" knows but received ${words}.`);
}

/** Pictures of folders by their names; files that were named themselves in any case. */
async function sourcesOf(paths: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const facts = await stat(path).catch((cause: unknown) => {
      throw new ExpectedError(
        'image.unreadable',
        `Expected a folder for IN_FOLDER but ${shownName(path)} could not be read (${errnoOf(cause)}).`,
        { cause },
      );
    });
    if (facts.isDirectory()) found.push(...(await picturesIn(path)));
    else found.push(path);
  }
  if (found.length === 0) throw refused('Expected pictures in IN_FOLDER but found none.');
  return found;
}

async function picturesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory() && isPictureName(entry.name)).map(({ name }) => name);
  // By code points, not by the machine's language: the same folder gives the same names everywhere.
  return names.sort((a, b) => (a < b ? -1 : 1)).map((name) => join(folder, name));
}

async function doOne(batch: Batch, entry: BatchEntry): Promise<Pick<BatchEntry, 'state' | 'ms' | 'notices'>> {
  const { context, values, ledger, folder } = batch;
  throwIfCancelled(context.signal);
  const bytes = await readPictureFile(entry.source, basename(entry.source));
  const digest = sha256(bytes);
  if ((await expectPlace(batch, entry, digest)) === 'kept') return { state: 'kept' };
  const { request, close } = await openSource(batch, { entry, bytes });
  try {
    if (values['dry-run'] === true) return await forecast(batch, request);
    await ledger.note(entry.output, 'begun', digest);
    const report = await runTask({ request, destinations: { output: join(folder, entry.output) } }, { ...context, log: () => undefined });
    await ledger.note(entry.output, 'done', digest);
    const notices = report['notices'] as readonly Notice[] | undefined;
    return { state: 'done', ms: (report['timingsMs'] as { total: number }).total, ...(notices && { notices }) };
  } finally {
    await close();
  }
}

/** Whether its results are there already, or may be written. Throws what it is refused with. */
async function expectPlace(batch: Batch, entry: BatchEntry, digest: string): Promise<'kept' | 'free'> {
  const { values, ledger } = batch;
  const results = resultsOf(batch, entry);
  const there = await existing(results);
  const replaces = values.overwrite === true && values.resume !== true;
  if (!replaces && ledger.isDone(entry.output, digest) && there.length === results.length) return 'kept';
  expectFree(there, batch, entry);
  await expectOutputs(values['dry-run'] === true ? [] : results, [entry.source]);
  return 'free';
}

/** The files of one picture's candidates. */
export function resultsOf({ folder, wish: { count = 1 } }: Pick<Batch, 'folder' | 'wish'>, { output }: BatchEntry): readonly string[] {
  return Array.from({ length: count }, (_, index) => numberedName(join(folder, output), index, count));
}

async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(paths.map((path) => access(path).then(() => true, () => false))); // prettier-ignore
  return paths.filter((_, i) => found[i]);
}

function expectFree(there: readonly string[], { values, ledger }: Batch, { output }: BatchEntry): void {
  const [first] = there;
  if (first === undefined || values.overwrite === true || (values.resume === true && ledger.isBegun(output))) return;
  throw new ExpectedError('output.exists', `Expected no file yet for the result but ${shownName(first)} is there.`);
}

interface OneSource {
  readonly entry: BatchEntry;
  readonly bytes: Uint8Array;
}

/** The source is held until it is closed, and no longer: a folder may be larger than what we hold. */
async function openSource({ context, wish, control, framing, shared }: Batch, { entry, bytes }: OneSource): Promise<OpenSource> {
  const service = await context.service();
  const source = await service.pictures.add(bytes, basename(entry.source));
  const opened = await framed({ ...shared, source }, framing, service).catch(async (error: unknown) => {
    await service.pictures.remove(source.id);
    throw error;
  });
  const own = new Set([source.id, opened.source?.id, ...(framing ? [opened.mask?.id] : [])].filter((id) => id !== undefined));
  const request = withPictures({ ...wish, output: { ...wish.output, format: entry.format } }, opened, { control });
  return {
    request,
    close: async () => {
      for (const id of own) await service.pictures.remove(id);
    },
  };
}

/** What a run would take: it stays to be done. */
async function forecast({ context, wish }: Batch, request: EditRequestInput): Promise<Pick<BatchEntry, 'state' | 'ms'>> {
  const service = await context.service();
  const costs = await service.call('edit.forecast', request);
  const preset = wish.preset ?? PRESETS[1];
  const lack = lackOf(costs, preset);
  if (lack) throw tooLittleMemory(lack);
  return { state: 'waiting', ms: costs[preset].ms * (wish.count ?? 1) };
}

function sayState({ context, folder, values }: Batch, entries: readonly BatchEntry[], index: number): void {
  const { source, output, state, error, ms, notices = [] } = entries[index] ?? { source: '', output: '', state: 'waiting' };
  if (state === 'running') return;
  const place = `${String(index + 1)} of ${String(entries.length)}: ${shownName(source)}`;
  const time = ms === undefined ? '' : `, ${values['dry-run'] === true ? 'about ' : ''}${(ms / 1000).toFixed(1)} s`;
  if (error) context.log(`${place} refused: ${error.message}`);
  else if (state === 'kept') context.log(`${place} was done before`);
  else if (ms !== undefined) context.log(`${place} → ${shownName(join(folder, output))}${time}`);
  for (const { message } of notices) context.log(`  note: ${message}`);
}

async function sayReport({ context, values }: Batch, entries: readonly BatchEntry[]): Promise<void> {
  const report = reportOf(entries);
  const { done, kept, refused: no, waiting } = report;
  context.log(`${String(done)} done, ${String(kept)} done before, ${String(no)} refused, ${String(waiting)} to do`);
  if (values.report !== undefined) await saveJson(values.report, report);
  // Exactly one object: where a failure follows, that is it.
  if (values.json === true && !context.signal.aborted) context.print(JSON.stringify(report));
}
