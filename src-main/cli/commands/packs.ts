import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  CHECKPOINT_TASKS,
  type AddEvent,
  type CheckpointReport,
  type CheckpointSide,
  type ImportEvent,
  type ImportRequestInput,
  type PackSummary,
  type PackVerification,
} from '#contract/api.js';
import { expectGoing } from '#contract/ending.js';
import { CancelledError, ExpectedError, toErrorData } from '#contract/errors.js';
import { PRECISIONS, type Precision } from '#contract/pack-card.js';
import { CONTROL_KINDS } from '#contract/request.js';
import { shownName } from '#service/names.js';
import { JSON_OPTION, numberOf, parseCommandLine, refused, wordOf, type OptionTable } from '../arguments.js';
import type { Command, Context } from '../command.js';

const USAGE = `Usage: scalebrush packs list
       scalebrush packs info NAME
       scalebrush packs verify NAME
       scalebrush packs classes NAME [TEXT]
       scalebrush packs import FOLDER…
       scalebrush packs import FILE… [--name NAME] [--task TASK] [--pixels SIDE] [--control KIND] [--precision KIND]
       scalebrush packs known
       scalebrush packs add NAME [--accept-licence] [--precision KIND]
       scalebrush packs remove NAME

Import takes a pack's folder, or the files that authors published (.pth, .safetensors, or the .index.json of several): of VAR
a transformer and its tokenizer; of VAREdit, Infinity and ControlAR both, the files of T5's encoder, and its tokenizer.json;
of Switti both, those of its two CLIP encoders, and their tokenizer.json;
of Depth Anything V2, or any depth model of one picture and one map, its .onnx alone. An import that was killed goes on where
it was when it is started again.

Add fetches the files of a known pack from the public hub, or from the mirror that SCALEBRUSH_HUB (or HF_ENDPOINT)
names, through the proxy that HTTPS_PROXY names, and goes on where an earlier try ended. It is the only command that connects to another machine.

Options:
  --accept-licence  you have read and accept the licences that the hub states
  --name NAME    the imported pack's name; else that of the transformer's file
  --task TASK    edit or generate: whether a transformer is VAREdit's or Infinity's, whose tensors are alike
                 (default generate where its file's name has "infinity" in it, else edit)
  --in-place     read weights that need no other precision where they lie, without a copy; they must stay there
  --pixels SIDE  256, 512 or 1024: what such a transformer was trained for (default 512; 1024 for generate)
  --control KIND canny, depth, hed, lineart, segmentation or normal: what a ControlAR transformer was trained for,
                 where its file's name does not say
  --precision KIND  float32 (default, exact), half (as stored where files are half: half of the memory, somewhat slower), int8 (about twice as fast, a quarter of the memory) or int4 (an
                 eighth of the memory): how the transformer and the text encoder are stored
  --json         print one JSON object`;

/** The model packs of this machine. */
export const packsCommand: Command = {
  name: 'packs',
  summary: 'list, describe, verify, import, add and remove model packs',
  usage: USAGE,
  run,
};

const IMPORT_OPTIONS = {
  name: { type: 'string' },
  task: { type: 'string' },
  pixels: { type: 'string' },
  'in-place': { type: 'boolean', default: false },
  control: { type: 'string' },
  precision: { type: 'string' },
} as const satisfies OptionTable;

const ADD_OPTIONS = { precision: { type: 'string' }, 'accept-licence': { type: 'boolean', default: false } } as const satisfies OptionTable;

function importingOf({ name, task, pixels, control, precision, 'in-place': inPlace }: Readonly<Record<string, unknown>>): ImportOptions {
  const side = numberOf(typeof pixels === 'string' ? pixels : undefined, '--pixels');
  return {
    ...(inPlace === true && { inPlace }),
    ...(typeof name === 'string' && { name }),
    ...(side !== undefined && { pixels: side as CheckpointSide }),
    ...(typeof task === 'string' && { task: wordOf(task, CHECKPOINT_TASKS, '--task') }),
    ...(typeof control === 'string' && { control: wordOf(control, CONTROL_KINDS, '--control') }),
    ...(typeof precision === 'string' && { precision: wordOf(precision, PRECISIONS, '--precision') }),
  };
}

type ImportOptions = Omit<ImportRequestInput, 'files'>;

interface Question {
  readonly args: readonly string[];
  readonly json: boolean;
  readonly importing: ImportOptions;
  readonly acceptLicence: boolean;
  readonly context: Context;
}

interface Action {
  readonly positionals: readonly string[];
  readonly run: (question: Question) => Promise<number>;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  list: { positionals: [], run: list },
  info: { positionals: ['NAME'], run: info },
  verify: { positionals: ['NAME'], run: verify },
  classes: { positionals: ['NAME', 'TEXT?'], run: classes },
  import: { positionals: ['FOLDER…'], run: importAll },
  known: { positionals: [], run: known },
  add: { positionals: ['NAME'], run: add },
  remove: { positionals: ['NAME'], run: remove },
};

function run([word = '', ...rest]: readonly string[], context: Context): Promise<number> {
  const action = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
  if (action === undefined) throw refused(`Expected ${Object.keys(ACTIONS).join(', ')} for packs but received ${JSON.stringify(word)}.`);
  const options = { ...JSON_OPTION, ...(word === 'import' && IMPORT_OPTIONS), ...(word === 'add' && ADD_OPTIONS) };
  const { values, positionals } = parseCommandLine({ args: rest, options, positionals: action.positionals });
  const acceptLicence = 'accept-licence' in values && values['accept-licence'] === true;
  return action.run({ args: positionals, json: values.json, importing: importingOf(values), acceptLicence, context });
}

async function list({ json, context }: Question): Promise<number> {
  const { library } = await context.service();
  const packs = await library.list();
  for (const { folder, error } of await library.broken()) context.log(`${shownName(folder)}: ${toErrorData(error).message}`);
  context.print(json ? JSON.stringify({ packs }) : packs.map(lineOf).join('\n'));
  return 0;
}

function lineOf({ name, version, licence, sizeBytes, builtIn, title }: PackSummary): string {
  const size = `${(sizeBytes / 1e6).toFixed(1)} MB`;
  return [name, version, licence, size, builtIn ? 'built in' : 'yours', title].map(shownName).join('\t');
}

async function info({ args: [name = ''], json, context }: Question): Promise<number> {
  const { library } = await context.service();
  const pack = await library.info(name);
  context.print(JSON.stringify(pack, undefined, json ? 0 : 2));
  return 0;
}

async function verify({ args: [name = ''], json, context }: Question): Promise<number> {
  const { library } = await context.service();
  const verification = await library.verify(name);
  context.print(json ? JSON.stringify(verification) : verdictOf(verification));
  return verification.ok ? 0 : 2;
}

function verdictOf({ name, ok, files }: PackVerification): string {
  const lines = files.map(
    (file) => `${file.ok ? 'ok     ' : 'damaged'} ${file.name}${file.reason === undefined ? '' : `: ${file.reason}`}`,
  );
  return [...lines, `${name} is ${ok ? 'whole' : 'damaged'}.`].join('\n');
}

/** What a pack of classes can draw, searchable. */
async function classes({ args: [name = '', text = ''], json, context }: Question): Promise<number> {
  const { library } = await context.service();
  const { config } = (await library.find(name)).card;
  if (config.transformer.text.kind !== 'classes')
    throw new ExpectedError('pack.unable', `Expected a pack of classes but "${shownName(name)}" takes words.`);
  const found = config.transformer.text.names
    .map((names, index) => ({ index, names }))
    .filter(({ names }) => names.toLowerCase().includes(text.toLowerCase()));
  context.print(json ? JSON.stringify({ classes: found }) : found.map(({ index, names }) => `${index}\t${shownName(names)}`).join('\n'));
  return 0;
}

async function importAll({ args, json, importing, context }: Question): Promise<number> {
  const service = await context.service();
  const imported: PackSummary[] = [];
  const files = args.filter(isFile);
  for (const folder of args) if (!files.includes(folder)) imported.push(await service.importFolder(folder));
  if (files.length > 0) imported.push(await importFiles({ ...importing, files: files.map((file) => resolve(file)) }, context));
  context.print(json ? JSON.stringify({ imported }) : imported.map(lineOf).join('\n'));
  return 0;
}

async function known({ json, context }: Question): Promise<number> {
  const packs = await (await context.service()).call('packs.known', {});
  context.print(json ? JSON.stringify({ packs }) : packs.map(({ name, title }) => `${name}\t${title}`).join('\n'));
  return 0;
}

async function add({ args: [name = ''], json, importing, acceptLicence, context }: Question): Promise<number> {
  const service = await context.service();
  const { title, files } = await service.call('packs.askHub', { name });
  context.log(shownName(title));
  for (const { repository, path, bytes, licence } of files) {
    context.log(`${shownName(repository)}/${shownName(path)}: ${(bytes / 1e6).toFixed(0)} MB, licence ${shownName(licence)}`);
  }
  if (!acceptLicence) throw refused('Expected --accept-licence: read the licences above at their authors first.');
  const { precision } = importing;
  const wish = { name, acceptLicence: true as const, ...(precision !== undefined && { precision }) };
  const imported = await followed((signal) => service.stream('packs.add', wish, signal), context);
  context.print(json ? JSON.stringify({ imported: [imported] }) : lineOf(imported));
  return 0;
}

const PERCENT_STEP = 10;

/** Says every tenth of the way. */
function tenthsOf(done: string, context: Context): (share: number) => void {
  let said = 0;
  return (share) => {
    const percent = Math.floor(100 * share);
    if (percent < said + PERCENT_STEP) return;
    said = percent;
    context.log(`${done} ${String(percent)} %`);
  };
}

async function importFiles(request: ImportRequestInput, context: Context): Promise<PackSummary> {
  const service = await context.service();
  for (const line of roundingLines(await service.call('checkpoints.describe', request), request.precision)) context.log(line);
  return followed((signal) => service.stream('checkpoints.import', request, signal), context);
}

/** What the chosen precision changes, and what this machine would do faster. */
function roundingLines({ precisions, integers, offered }: CheckpointReport, chosen: Precision = 'float32'): readonly string[] {
  const changes = (precision: Precision): string => {
    const error = precisions.find((cost) => cost.precision === precision)?.error;
    return error ? `${precision} changes the outputs of this model's layers by ${(100 * error).toFixed(2)} % (measured on some)` : '';
  };
  const suits = offered !== undefined && chosen === 'float32' ? `${changes(offered)}; this machine multiplies it by ${integers}: --precision ${offered} is faster and smaller.` : ''; // prettier-ignore
  return [changes(chosen), suits].filter((line) => line !== '');
}

/** Ctrl-C leaves no half pack behind. */
async function followed(
  begin: (signal: AbortSignal) => AsyncGenerator<ImportEvent | AddEvent, void>,
  context: Context,
): Promise<PackSummary> {
  const controller = new AbortController();
  const stop = () => {
    controller.abort();
  };
  process.once('SIGINT', stop);
  const tenths = { fetch: tenthsOf('fetched', context), import: tenthsOf('imported', context) };
  try {
    for await (const said of begin(controller.signal)) {
      const event = expectGoing(said);
      if (event.type === 'imported') return event.pack;
      tenths['stage' in event ? event.stage : 'import'](event.doneBytes / event.totalBytes);
    }
    throw new CancelledError('Cancelled.');
  } finally {
    process.removeListener('SIGINT', stop);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

async function remove({ args: [name = ''], json, context }: Question): Promise<number> {
  const { library } = await context.service();
  await library.remove(name);
  context.print(json ? JSON.stringify({ removed: name }) : `Removed ${name}.`);
  return 0;
}
