import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { reportOf, type BatchEntry, type BatchReport } from '#contract/batch.js';
import { ExpectedError } from '#contract/errors.js';
import type { FarmStatus } from '#contract/farm.js';
import { shownName } from '#service/names.js';
import { JSON_OPTION, numberOf, parseCommandLine, refused, required } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { followEvents, savePictures } from '../farm-batch.js';
import { makeFolder } from '../places.js';
import { batchCommand, exitCodeOf } from './batch.js';

const USAGE = `Usage: scalebrush farm worker [--packs A,B] [--threads N] [--metrics PORT]
       scalebrush farm submit PHOTOS… -i TEXT -o OUT_FOLDER [--detach]
       scalebrush farm status [BATCH] [--json]
       scalebrush farm fetch BATCH -o OUT_FOLDER
       scalebrush farm cancel BATCH
       scalebrush farm retry BATCH
       scalebrush farm gc --older 30d

Several machines, one queue. SCALEBRUSH_FARM names the Redis of the farm (redis://… on this machine, rediss://USER:SECRET@HOST
beyond it), or a file of mode 600 that holds this address; SCALEBRUSH_FARM_STORE names the folder that all machines share.
docs/farm.md sets up a farm.

Worker does jobs of the packs that are installed here until it is told to stop; the first SIGTERM or Ctrl-C lets the job
at work end. Submit is "scalebrush batch … --farm" and takes its options. Fetch waits for what is not done yet.

Options:
  --packs A,B     (worker) only these packs (default: all that are whole)
  --threads N     (worker) processor threads; several workers share a machine
  --metrics PORT  (worker) figures for Prometheus on 127.0.0.1
  --detach        (submit) do not wait for results
  --older AGE     (gc) remove pictures and results that nothing has used for so long: 30d, 12h
  --overwrite     (fetch) replace files that are there already
  --json          print one JSON object`;

/** More than one machine. */
export const farmCommand: Command = { name: 'farm', summary: 'let several machines do batches', usage: USAGE, run };

type Action = (args: readonly string[], context: Context) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = { worker: work, submit, status, fetch, cancel, retry, gc };
const MOST_THREADS = 1024;
const MOST_PORT = 65_535;

function run([word = '', ...rest]: readonly string[], context: Context): Promise<number> {
  const action = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
  if (action === undefined) throw refused(`Expected ${Object.keys(ACTIONS).join(', ')} for farm but received ${JSON.stringify(word)}.`);
  return action(rest, context);
}

async function work(args: readonly string[], context: Context): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseCommandLine({ args, options: { ...JSON_OPTION, packs: text, threads: text, metrics: text }, positionals: [] });
  const threads = wholeOf(values.threads, '--threads', { least: 1, most: MOST_THREADS });
  const metricsPort = wholeOf(values.metrics, '--metrics', { least: 0, most: MOST_PORT });
  // Read by the inference process, which has this environment.
  if (threads !== undefined) process.env['SCALEBRUSH_THREADS'] = String(threads);
  const { startWorker } = await import('#farm/start-worker.js');
  const { log, signal } = context;
  await startWorker({
    log,
    signal,
    ...(values.packs !== undefined && { packs: values.packs.split(',') }),
    ...(metricsPort !== undefined && { metricsPort }),
  });
  return 0;
}

function wholeOf(
  text: string | undefined,
  option: string,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  const number = numberOf(text, option);
  if (number === undefined || (Number.isInteger(number) && number >= least && number <= most)) return number;
  throw refused(`Expected a whole number from ${String(least)} to ${String(most)} for ${option} but received ${String(number)}.`);
}

function submit(args: readonly string[], context: Context): Promise<number> {
  return batchCommand.run([...args, '--farm'], context);
}

async function status(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = parseCommandLine({ args, options: JSON_OPTION, positionals: ['BATCH?'] });
  const [batch] = positionals;
  const service = await context.service();
  await service.farm();
  const said = await service.call('farm.status', batch === undefined ? {} : { batch });
  context.print(values.json ? JSON.stringify(said) : linesOf(said).join('\n'));
  return said.batch ? exitCodeOf(said.batch.entries) : 0;
}

function linesOf({ address, workers, queues, batch }: FarmStatus): readonly string[] {
  return [
    `${address ?? ''}: ${String(workers.length)} workers`,
    ...workers.map(({ host, pid, packs, queue, busy, done }) => `${shownName(host)} ${String(pid)}\t${busy ? 'busy' : 'idle'}\t${String(done)} done\t${queue ?? 'no queue'}\t${packs.map(shownName).join(', ')}`), // prettier-ignore
    ...queues.map(
      ({ queue, pack, waiting, running, failed }) =>
        `${queue}\t${shownName(pack)}\t${String(waiting)} wait, ${String(running)} run, ${String(failed)} failed`,
    ),
    ...(batch ? batchLines(batch) : []),
  ];
}

function batchLines({ done, kept, refused: no, waiting, entries }: BatchReport): readonly string[] {
  const failures = entries.flatMap(({ source, error }) => (error ? `${shownName(source)} refused: ${error.message}` : []));
  return [...failures, `${String(done)} done, ${String(kept)} done before, ${String(no)} refused, ${String(waiting)} to do`];
}

async function fetch(args: readonly string[], context: Context): Promise<number> {
  const options = { ...JSON_OPTION, output: { type: 'string', short: 'o' }, overwrite: { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseCommandLine({ args, options, positionals: ['BATCH'] });
  const folder = required(values.output, '-o OUT_FOLDER');
  const [batch = ''] = positionals;
  const farm = await (await context.service()).farm();
  await makeFolder(folder);
  let entries: readonly BatchEntry[] = [];
  const follow = farm.follow(batch, { signal: context.signal });
  const first = await follow.next();
  if (!first.done && first.value.type === 'batch') entries = first.value.entries;
  const save = async ({ output }: BatchEntry, pictures: readonly string[]): Promise<void> => {
    // A name from the store, once more without a path: it was written by another machine.
    const path = join(folder, basename(output));
    if (!values.overwrite && pictures.length === 1) await expectFreeOrSame(path, await farm.picture(pictures[0] ?? ''));
    await savePictures(farm, pictures, path);
  };
  for await (const { index, entry } of followEvents(follow, context, save)) {
    entries = entries.with(index, entry);
    if (entry.error) context.log(`${shownName(entry.source)} refused: ${entry.error.message}`);
    else if (entry.state === 'done') context.log(`saved ${shownName(join(folder, entry.output))}`);
  }
  const report = reportOf(entries);
  if (values.json) context.print(JSON.stringify(report));
  return exitCodeOf(entries);
}

async function expectFreeOrSame(path: string, bytes: Uint8Array): Promise<void> {
  const there = await readFile(path).catch(() => undefined);
  if (there && !there.equals(bytes))
    throw new ExpectedError('output.exists', `Expected no other file for the result but ${shownName(path)} is there.`);
}

async function cancel(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = parseCommandLine({ args, options: JSON_OPTION, positionals: ['BATCH'] });
  const [batch = ''] = positionals;
  await (await context.service()).call('farm.cancel', { batch });
  context.print(values.json ? JSON.stringify({ cancelled: batch }) : `Cancelled ${batch}.`);
  return 0;
}

async function retry(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = parseCommandLine({ args, options: JSON_OPTION, positionals: ['BATCH'] });
  const [batch = ''] = positionals;
  const { waiting } = await (await context.service()).call('farm.retry', { batch });
  context.print(values.json ? JSON.stringify({ waiting }) : `${String(waiting)} pictures wait again.`);
  return 0;
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 };

async function gc(args: readonly string[], context: Context): Promise<number> {
  const { values } = parseCommandLine({ args, options: { ...JSON_OPTION, older: { type: 'string' } } as const, positionals: [] });
  const match = /^(\d{1,5})([dh])$/u.exec(required(values.older, '--older AGE'));
  if (!match) throw refused(`Expected an age such as 30d or 12h for --older but received ${JSON.stringify(values.older)}.`);
  const removed = await (await (await context.service()).farm()).gc(Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0));
  context.print(values.json ? JSON.stringify({ removed }) : `Removed ${String(removed)} files.`);
  return 0;
}
