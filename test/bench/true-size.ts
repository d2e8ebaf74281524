import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { machine } from './machine.js';

// Random weights of published sizes: what a transformer takes does not depend on what it knows.

/** Title of what is written here. */
export const TRUE_SIZES = '## True sizes';
const GIGABYTE = 1e9;
const SAMPLE_MS = 200;

interface Size {
  readonly name: string;
  readonly checkpoint: '2b' | '8b';
  readonly precision: 'int8' | 'int4';
  readonly pixels: 512 | 1024;
  readonly mostRssGb: number;
  readonly mostAnonymousGb?: number;
}

/** The largest edits that machines of 16 GB and of 12 GB are to hold. */
const SIZES: readonly Size[] = [
  { name: 'VAREdit-2B', checkpoint: '2b', precision: 'int8', pixels: 1024, mostRssGb: 14 },
  { name: 'VAREdit-8B', checkpoint: '8b', precision: 'int4', pixels: 512, mostRssGb: 10, mostAnonymousGb: 8 },
];

/** Where weights, packs and results lie, and a Python with PyTorch for what is compared with it. */
export interface TrueSizeOptions {
  readonly root: string;
  readonly folder: string;
  readonly python?: string | undefined;
  /** The only part that is measured: 2b, 8b or d16; absent = all of them. */
  readonly only?: string | undefined;
  /** The section as it was measured last: rows of other parts are kept where it is from this machine. */
  readonly before: string;
}

/**
 * Memory of edits with packs of published sizes, and VAR-d16 against PyTorch where a Python is given: the rows of
 * RESULTS.md that need up to 35 GB of disk, as much memory as is measured, and an hour.
 */
export async function trueSizeLines(options: TrueSizeOptions): Promise<readonly string[]> {
  const { python, only, before } = options;
  const lines = [
    '',
    TRUE_SIZES,
    '',
    `Random weights in published layouts (\`npm run bench -- true-size FOLDER PYTHON\`), on ${machine()}.`,
    '',
    '| | measured | ratio | target |',
    '|---|---|---|---|',
  ];
  // Told as they come, too: what hours have measured is not lost with what fails behind it.
  const add = (rows: readonly string[]) => {
    process.stderr.write(`${rows.join('\n')}\n`);
    lines.push(...rows);
  };
  const known = before.includes(machine()) ? before.split('\n') : [];
  for (const size of SIZES) {
    const isAsked = only === undefined || only === size.checkpoint;
    if (isAsked) add(await memoryRows(options, size));
    else lines.push(...known.filter((row) => row.startsWith(`| ${nameOf(size)}:`)));
  }
  if (python !== undefined && (only === undefined || only === 'd16')) add(againstPyTorch(options, python));
  else lines.push(...known.filter((row) => PYTORCH_ROWS.some(({ name }) => row.startsWith(`| ${name} |`))));
  return lines;
}

function nameOf({ name, precision, pixels }: Size): string {
  return `${name}, ${precision}, ${pixels} px`;
}

async function memoryRows(options: TrueSizeOptions, size: Size): Promise<readonly string[]> {
  const pack = importedPack(options, size);
  const [photo, result] = [path.join(options.folder, `${size.pixels}.jpg`), path.join(options.folder, `${size.pixels}.png`)];
  await sharp(path.join(options.root, 'test/fixtures/sketch/case-edit-source.png')).resize(size.pixels, size.pixels).jpeg().toFile(photo);
  const peak = await peakOf(options, ['edit', photo, '-i', 'make it warmer', '--pack', pack, '-o', result, '--json']);
  const { mostRssGb, mostAnonymousGb } = size;
  const row = (kind: string, bytes: number, most: number) =>
    `| ${nameOf(size)}: ${kind} : ${most} GB | ${(bytes / GIGABYTE).toFixed(2)} GB, forecast ${(peak.forecastBytes / GIGABYTE).toFixed(2)} GB | ${(bytes / GIGABYTE / most).toFixed(2)} | ≤ 1 |`;
  return [row('peak RSS', peak.rssBytes, mostRssGb), ...(mostAnonymousGb === undefined ? [] : [row('anonymous memory', peak.anonymousBytes, mostAnonymousGb)])]; // prettier-ignore
}

/** The pack of a size, made where it is not there; its checkpoint goes when it was imported. */
function importedPack({ root, folder }: TrueSizeOptions, { checkpoint, precision, pixels }: Size): string {
  const pack = `${checkpoint}-${precision}-${String(pixels)}`;
  if (existsSync(path.join(homeOf(folder), 'packs', pack))) return pack;
  const weights = path.join(folder, checkpoint);
  if (!existsSync(weights)) execFileSync(process.execPath, ['test/bench/random-checkpoint.mjs', checkpoint, weights], { cwd: root });
  const files = readdirSync(weights).map((name) => path.join(weights, name));
  ours(folder, ['packs', 'import', ...files, '--name', pack, '--precision', precision, '--pixels', String(pixels), '--json']);
  rmSync(weights, { recursive: true });
  return pack;
}

function homeOf(folder: string): string {
  return path.join(folder, 'home');
}

function environmentOf(folder: string): NodeJS.ProcessEnv {
  mkdirSync(homeOf(folder), { recursive: true });
  return { ...process.env, SCALEBRUSH_HOME: homeOf(folder) };
}

function ours(folder: string, args: readonly string[]): string {
  return execFileSync(process.execPath, ['dist/main/cli.js', ...args], {
    env: environmentOf(folder),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

interface Peak {
  readonly rssBytes: number;
  /** What is no page of a mapped file. */
  readonly anonymousBytes: number;
  readonly forecastBytes: number;
}

/** Of the process that infers, the largest of those that the command starts. */
async function peakOf({ folder }: TrueSizeOptions, args: readonly string[]): Promise<Peak> {
  const child = spawn(process.execPath, ['dist/main/cli.js', ...args], {
    env: environmentOf(folder),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let anonymousBytes = 0;
  const watch = setInterval(() => (anonymousBytes = Math.max(anonymousBytes, ...anonymousOf(child.pid ?? 0))), SAMPLE_MS);
  let told = '';
  child.stdout.on('data', (text: Buffer) => (told += text.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(watch);
  if (code !== 0) throw new Error(`Expected ${args.join(' ')} to succeed but it ended with ${String(code)}.`);
  const { peakRssBytes, estimateBytes } = JSON.parse(told) as { readonly peakRssBytes: number; readonly estimateBytes: number };
  return { rssBytes: peakRssBytes, anonymousBytes, forecastBytes: estimateBytes };
}

/** Anonymous memory of a process and of all below it, each. */
function anonymousOf(root: number): readonly number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map((name) => ({ id: Number(name), status: statusOf(name) }));
  const family = new Set([root]);
  const bytes: number[] = [];
  // Children have larger numbers, mostly; one that has not is seen by a later sample of its parent.
  for (const { id, status } of all.toSorted((a, b) => a.id - b.id)) {
    if (!family.has(id) && !family.has(numberIn(status, 'PPid'))) continue;
    family.add(id);
    bytes.push(1024 * numberIn(status, 'RssAnon'));
  }
  return bytes;
}

/** Empty where it has ended meanwhile. */
function statusOf(process: string): string {
  try {
    return readFileSync(path.join('/proc', process, 'status'), 'utf8');
  } catch {
    return '';
  }
}

function numberIn(status: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'mu').exec(status)?.[1] ?? Number.NaN) || 0;
}

const DRAWN = 5;
const PYTORCH_ROWS = [
  { name: 'VAR-d16, ten scales: PyTorch fp32 : int8', more: [], target: '≥ 2.1' },
  { name: 'the same, guidance off on the last two scales', more: ['--guidance-until', '8'], target: '≥ 2.8' },
] as const;

/** VAR-d16's ten scales by the clock, least of some pictures: PyTorch's float32 by ours at int8. On a quiet machine. */
function againstPyTorch({ root, folder }: TrueSizeOptions, python: string): readonly string[] {
  const weights = path.join(folder, 'd16');
  const reference = path.join(root, 'test/golden/reference/var.py');
  const inPython = (what: string) => execFileSync(python, [reference, what, weights], { encoding: 'utf8' });
  const files = ['var_d16.pth', 'vae_ch160v4096z32.pth'].map((name) => path.join(weights, name));
  mkdirSync(weights, { recursive: true });
  if (!files.every((file) => existsSync(file))) inPython('random');
  const theirs = 1000 * Math.min(...[...inPython('time').matchAll(/scales ([\d.]+) s/gu)].map(([, seconds]) => Number(seconds)));
  const pack = 'd16-int8';
  if (!existsSync(path.join(homeOf(folder), 'packs', pack))) ours(folder, ['packs', 'import', ...files, '--name', pack, '--precision', 'int8', '--json']); // prettier-ignore
  return PYTORCH_ROWS.map(({ name, more, target }) => {
    const own = Math.min(...Array.from({ length: DRAWN }, () => scalesMs(folder, ['--pack', pack, ...more])));
    return `| ${name} | ${theirs.toFixed(0)} : ${own.toFixed(0)} ms | ${(theirs / own).toFixed(2)} | ${target} |`;
  });
}

function scalesMs(folder: string, args: readonly string[]): number {
  const told = ours(folder, ['generate', ...args, '--class', '1', '--argmax', '-o', path.join(folder, 'd16.png'), '--json']);
  const { timingsMs } = JSON.parse(told) as { readonly timingsMs: { readonly scales: readonly number[] } };
  return timingsMs.scales.reduce((sum, ms) => sum + ms, 0);
}
