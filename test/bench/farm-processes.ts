import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const CLI = 'dist/main/cli.js';
/** Of each process: these load the pack and warm it up. */
const WARM = 2;
/** A worker's own figures are asked for at every so many pictures. */
const ASKS_EACH = 5;
/** Of /proc/PID/stat, on every Linux. */
const TICK_MS = 10;

/** When a process had finished a picture, and what it had spent by then. */
interface Mark {
  readonly at: number;
  readonly cpuMs: number;
  /** Milliseconds inside jobs, by the worker's own figures; NaN where it has none. */
  readonly insideMs: number;
}

/** What some processes did side by side, from when each had done two pictures until one had done all of its own. */
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
    // Asking costs the worker a little, which nobody asks of those without a farm.
    const asks = this.#marks.length % ASKS_EACH === WARM - 1;
    const text = asks && this.#metrics !== undefined ? await (await fetch(this.#metrics)).text() : '';
    return { at, cpuMs, insideMs: Number(/run_seconds_sum ([\d.]+)/u.exec(text)?.[1] ?? Number.NaN) * 1000 };
  }
}

/** While all of them work: who begins sooner, or is left alone at the end, would have the machine to itself. */
export async function paceOf(processes: readonly PictureProcess[]): Promise<Pace> {
  const all: (readonly Mark[])[] = [];
  for (const each of processes) all.push((await each.marks()).slice(WARM - 1));
  const from = Math.max(...all.map((marks) => marks[0]?.at ?? Number.NaN));
  const to = Math.min(...all.map((marks) => marks.at(-1)?.at ?? Number.NaN));
  if (!(to > from)) throw new Error(`Expected more than ${String(WARM)} pictures of each process while all work.`);
  const total = (of: (marks: readonly Mark[]) => number) => all.reduce((sum, marks) => sum + of(marks), 0);
  const pictures = total((marks) => between(marks, (_, index) => index, { from, to }));
  return {
    picturesPerS: (1000 * pictures) / (to - from),
    cpuMsPerPicture: total((marks) => between(marks, ({ cpuMs }) => cpuMs, { from, to })) / pictures,
    shareInside: total(shareInsideOf) / all.length,
  };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** How much a figure grew in a span, in a straight line from mark to mark. */
function between(marks: readonly Mark[], of: (mark: Mark, index: number) => number, { from, to }: Span): number {
  const valueAt = (at: number): number => {
    const next = Math.max(
      1,
      marks.findIndex((mark) => mark.at >= at),
    );
    const [before, after] = [marks[next - 1], marks[next]];
    if (!before || !after) throw new Error('Expected marks on both sides.');
    return of(before, next - 1) + ((of(after, next) - of(before, next - 1)) * (at - before.at)) / (after.at - before.at);
  };
  return valueAt(to) - valueAt(from);
}

function shareInsideOf(marks: readonly Mark[]): number {
  const asked = marks.filter(({ insideMs }) => !Number.isNaN(insideMs));
  const [first, last] = [asked[0], asked.at(-1)];
  return first && last ? (last.insideMs - first.insideMs) / (last.at - first.at) : Number.NaN;
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
