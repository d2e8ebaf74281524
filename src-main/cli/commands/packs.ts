import type { PackSummary, PackVerification } from '#contract/api.js';
import { toErrorData } from '#contract/errors.js';
import { shownName } from '#service/names.js';
import { JSON_OPTION, parseCommandLine, refused } from '../arguments.js';
import type { Command, Context } from '../command.js';

const USAGE = `Usage: scalebrush packs list
       scalebrush packs info NAME
       scalebrush packs verify NAME
       scalebrush packs import FOLDER…
       scalebrush packs remove NAME

Options:
  --json  print one JSON object`;

/** The model packs of this machine. */
export const packsCommand: Command = { name: 'packs', summary: 'list, describe, verify, import and remove model packs', usage: USAGE, run };

interface Question {
  readonly args: readonly string[];
  readonly json: boolean;
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
  import: { positionals: ['FOLDER…'], run: importAll },
  remove: { positionals: ['NAME'], run: remove },
};

function run([word = '', ...rest]: readonly string[], context: Context): Promise<number> {
  const action = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
  if (action === undefined) throw refused(`Expected ${Object.keys(ACTIONS).join(', ')} for packs but received ${JSON.stringify(word)}.`);
  const { values, positionals } = parseCommandLine({ args: rest, options: JSON_OPTION, positionals: action.positionals });
  return action.run({ args: positionals, json: values.json, context });
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

async function importAll({ args, json, context }: Question): Promise<number> {
  const { library } = await context.service();
  const imported: PackSummary[] = [];
  for (const folder of args) imported.push(await library.import(folder));
  context.print(json ? JSON.stringify({ imported }) : imported.map(lineOf).join('\n'));
  return 0;
}

async function remove({ args: [name = ''], json, context }: Question): Promise<number> {
  const { library } = await context.service();
  await library.remove(name);
  context.print(json ? JSON.stringify({ removed: name }) : `Removed ${name}.`);
  return 0;
}
