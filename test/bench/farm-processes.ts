import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const CLI = 'dist/main/cli.js';
/** Of each process: these load the pack and warm it up. */
const WARM = 2;
/** Of /proc/PID/stat, on every Linux. */
const TICK_MS = 10;

/** When a process had finished a picture, and what it had spent by then. */
interface Mark {
  readonly at: number;
  readonly cpuMs: number;
  /** Milliseconds inside jobs, by the worker's own figures; NaN where it has none. */
  readonly insideMs: number;
}

/** What some processes did side by side, each from its third picture to its last. */
export interface Pace {
  /** Of all of them. */
  readonly picturesPerS: number;
  /** User and system, children included; NaN where the system does not say. */
  readonly cpuMsPerPicture: number;
  readonly shareInside: number;
}

/** A process of the command line that says a line for each picture. */
export class PictureProcess {
  readonly child: ChildProcess;
  readonly #marks: Promise<Mark>[] = [];
  #metrics: string | undefined;
  #tree: readonly number[] | undefined;

  constructor(args: readonly string[], environment: NodeJS.ProcessEnv, finished: RegExp) {
    this.child = spawn(process.execPath, [CLI, ...args], { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
    if (!this.child.stderr) return;
    createInterface(this.child.stderr).on('line', (line) => {
      this.#metrics = /^metrics on (\S+)$/u.exec(line)?.[1] ?? this.#metrics;
      // A picture that costs no work, or fails, would be no measure of anything.
      if (/: (found|failed|retried|lost) after| refused: /u.test(line)) throw new Error(`Expected every picture to be drawn: ${line}`);
      if (finished.test(line)) this.#marks.push(this.#mark());
    });
  }

  get pictures(): number {
    return this.#marks.length;
  }

  async marks(): Promise<readonly Mark[]> {
    return Promise.all(this.#marks);
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }

  async #mark(): Promise<Mark> {
    const at = performance.now();
    this.#tree ??= treeOf(this.child.pid ?? 0);
    const cpuMs = this.#tree.reduce((sum, pid) => sum + cpuMsOf(pid), 0);
    const text = this.#metrics === undefined ? '' : await (await fetch(this.#metrics)).text();
    return { at, cpuMs, insideMs: Number(/run_seconds_sum ([\d.]+)/u.exec(text)?.[1] ?? Number.NaN) * 1000 };
  }
}

export async function paceOf(processes: readonly PictureProcess[]): Promise<Pace> {
  const spans: Span[] = [];
  for (const each of processes) spans.push(spanOf(await each.marks()));
  const pictures = spans.reduce((sum, span) => sum + span.pictures, 0);
  const mean = (of: (span: Span) => number) => spans.reduce((sum, span) => sum + of(span), 0) / spans.length;
  return {
    picturesPerS: spans.reduce((sum, span) => sum + (1000 * span.pictures) / span.ms, 0),
    cpuMsPerPicture: spans.reduce((sum, span) => sum + span.cpuMs, 0) / pictures,
    shareInside: mean(({ insideMs, ms }) => insideMs / ms),
  };
}

interface Span {
  readonly pictures: number;
  readonly ms: number;
  readonly cpuMs: number;
  readonly insideMs: number;
}

function spanOf(marks: readonly Mark[]): Span {
  const [first, last] = [marks[WARM - 1], marks.at(-1)];
  if (!first || !last || marks.length <= WARM) throw new Error(`Expected more than ${String(WARM)} pictures of each process.`);
  return {
    pictures: marks.length - WARM,
    ms: last.at - first.at,
    cpuMs: last.cpuMs - first.cpuMs,
    insideMs: last.insideMs - first.insideMs,
  };
}

/** A process and its descendants. */
function treeOf(root: number): readonly number[] {
  if (process.platform !== 'linux') return [];
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map((name) => ({ pid: Number(name), parent: Number(statOf(Number(name))[1]) }));
  const tree = [root];
  for (const pid of tree) tree.push(...parents.filter(({ parent }) => parent === pid).map((each) => each.pid));
  return tree;
}

function cpuMsOf(pid: number): number {
  const [user, system] = statOf(pid).slice(11, 13);
  return (Number(user) + Number(system)) * TICK_MS;
}

/** The fields behind the name, which may hold anything. */
function statOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .replace(/^.*\) /su, '')
      .split(' ');
  } catch {
    return [];
  }
}
