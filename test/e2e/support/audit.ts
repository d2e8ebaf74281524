import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Whether the system lets one process watch another here: strace is there, and no container forbids it. */
export const CAN_TRACE =
  process.platform === 'linux' && spawnSync('strace', ['-f', '-o', '/dev/null', process.execPath, '-e', '']).status === 0;

/** A machine of one job's own: home, cache and temporary folder begin empty, so whatever is in them afterwards is of the job. */
export interface Ground {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
}

export async function layGround(root: string): Promise<Ground> {
  for (const folder of ['home', 'cache', 'tmp', 'work']) await mkdir(path.join(root, folder), { recursive: true });
  const {
    SCALEBRUSH_HOME: _home,
    XDG_DATA_HOME: _data,
    XDG_CONFIG_HOME: _config,
    ORT_DISABLE_TELEMETRY: _said,
    ...inherited
  } = process.env;
  const env = { ...inherited, HOME: path.join(root, 'home'), XDG_CACHE_HOME: path.join(root, 'cache'), TMPDIR: path.join(root, 'tmp') };
  return { root, env };
}

/** What the system saw of a program and of everything that it started. */
export interface Seen {
  /** Where packets could have gone, loopback and the name service of this machine left out. */
  readonly sockets: readonly string[];
  /** Every file that was opened for writing, gone again or not; below the ground with names relative to it. */
  readonly written: readonly string[];
}

/** Where packets are led, and what is opened. */
const TRACED = 'trace=connect,bind,sendto,sendmsg,?sendmmsg,?open,openat,?openat2,?creat';

export interface Traced {
  /** The program itself: the tracer is its grandchild, so that signals go to the program. */
  readonly child: ChildProcess;
  /** Resolves after its end. */
  seen(): Promise<Seen>;
}

/** Starts this Node with a script under strace. */
export function traced(args: readonly string[], { root, env }: Ground, stdio: StdioOptions = ['ignore', 'pipe', 'inherit']): Traced {
  const trace = path.join(root, `trace-${String(traces++)}`);
  const options = ['-D', '-f', '-q', '--seccomp-bpf', '-s', '0', '-e', TRACED, '-o', trace];
  const child = spawn('strace', [...options, process.execPath, ...args], {
    env,
    cwd: path.join(root, 'work'),
    stdio,
  });
  return { child, seen: async () => seenIn(await wholeTrace(trace, child.pid ?? 0), root) };
}

let traces = 0;

/** The tracer writes on after the program has ended. */
async function wholeTrace(file: string, pid: number): Promise<string> {
  // Numbers below 10,000 are padded to five places.
  const last = new RegExp(`^${String(pid)} +\\+\\+\\+ (?:exited|killed)`, 'mu');
  for (;;) {
    const text = existsSync(file) ? await readFile(file, 'utf8') : '';
    if (last.test(text)) return text;
    await pause(20);
  }
}

const INET = /sa_family=AF_INET6?,.*?(?:inet_addr\("([^"]*)"\)|inet_pton\(AF_INET6, "([^"]*)")/u;
const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/u;
/** Many systems ask for names on loopback: what is looked up leaves the machine all the same. */
const ASKS_FOR_NAMES = /sin6?_port=htons\(53\)/u;
/** Of glibc: names of users are asked for over it, on this machine. */
const NAME_SERVICE = 'sun_path="/var/run/nscd/socket"';
const FOR_WRITING = /O_WRONLY|O_RDWR|O_CREAT|creat\(/u;

function seenIn(trace: string, root: string): Seen {
  const lines = trace.split('\n');
  const written = lines.filter((line) => FOR_WRITING.test(line)).flatMap((line) => /"([^"]*)"/u.exec(line)?.[1] ?? []);
  const relative = written.map((file) => (file.startsWith(`${root}/`) ? path.relative(root, file) : file));
  return { sockets: [...new Set(lines.flatMap(beyond))], written: [...new Set(relative)].sort() };
}

function beyond(line: string): readonly string[] {
  if (line.includes('sa_family=AF_UNIX')) return line.includes(NAME_SERVICE) || line.includes('sun_path=@') ? [] : [line];
  const [, four, six] = INET.exec(line) ?? [];
  const address = four ?? six;
  return address === undefined || (LOOPBACK.test(address) && !ASKS_FOR_NAMES.test(line)) ? [] : [line];
}

/** What a job has left in home, cache and temporary folder: files, and folders that are empty. */
export async function leftIn({ root }: Ground): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of ['home', 'cache', 'tmp']) {
    for (const entry of await readdir(path.join(root, folder), { recursive: true, withFileTypes: true })) {
      const place = path.join(entry.parentPath, entry.name);
      if (!entry.isDirectory() || (await readdir(place)).length === 0) found.push(path.relative(root, place));
    }
  }
  return found.sort();
}

/** Runs a program to its end. */
export async function runTraced(args: readonly string[], ground: Ground): Promise<Seen & { readonly code: number | null }> {
  const { child, seen } = traced(args, ground);
  child.stdout?.resume();
  const [code] = (await once(child, 'exit')) as [number | null];
  return { ...(await seen()), code };
}
