import { fork, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { build } from 'vite';
import type { BatchEntry } from '#contract/batch.js';
import { EditRequest } from '#contract/request.js';
import { openFarmAt } from '#farm/open.js';
import { Queues } from '#farm/queues.js';
import { FarmStore } from '#farm/store.js';
import { openConnection } from '#farm/connection.js';
import { openLibrary } from '#packs/library.js';
import type { Farm, FarmEntry } from '#service/farm.js';
import { parseInput } from '#service/parse.js';
import { openPictureStore, type PictureStore } from '#service/pictures.js';
import { grayPng } from './fake-engine.js';
import { farmEngine } from './farm-engine.js';
import { SHORT } from './farm-timing.js';
import { smallCard, writePack } from './pack-folder.js';
import { startRedis, type TestRedis } from './redis.js';

export interface WorkerProcess {
  readonly child: ChildProcess;
  /** Digests of the sources of its runs, in order. */
  readonly runs: string[];
  readonly lines: string[];
}

/** A farm of one test: a Redis, a store and a pack in a folder of its own, and workers as processes. */
export class TestFarm {
  readonly redis: TestRedis;
  readonly root: string;
  readonly farm: Farm;
  readonly pictures: PictureStore;
  readonly workers: WorkerProcess[] = [];
  readonly #script: string;

  private constructor(parts: Pick<TestFarm, 'redis' | 'root' | 'farm' | 'pictures'> & { readonly script: string }) {
    [this.redis, this.root, this.farm, this.pictures, this.#script] = [parts.redis, parts.root, parts.farm, parts.pictures, parts.script];
  }

  /** @param user name and secret, `NAME:SECRET`, where the settings ask for one. */
  static async open(script: string, settings: readonly string[] = [], user?: string): Promise<TestFarm> {
    const root = await mkdtemp(join(tmpdir(), 'farm-test-'));
    for (const name of ['studio', 'other']) await writePack(join(root, 'models'), smallCard(name));
    const started = await startRedis(root, settings);
    const redis = { ...started, url: started.url.replace('//', user === undefined ? '//' : `//${user}@`) };
    const engine = farmEngine();
    const pictures = await openPictureStore({ engine, parent: root });
    const library = openLibrary({ builtIn: [join(root, 'models')] });
    const farm = await openFarmAt({ url: new URL(redis.url), store: join(root, 'store') }, { engine, library, pictures }, SHORT);
    return new TestFarm({ redis, root, farm, pictures, script });
  }

  get address() {
    return { url: new URL(this.redis.url), store: join(this.root, 'store') };
  }

  get store(): FarmStore {
    return new FarmStore(join(this.root, 'store'));
  }

  /** @param through a program that starts it, with its arguments. */
  work(through: readonly string[] = []): WorkerProcess {
    const [execPath = process.execPath, ...execArgv] = through.length === 0 ? [] : [...through, process.execPath];
    const place = [this.redis.url, join(this.root, 'store'), join(this.root, 'models')];
    const child = fork(this.#script, place, { stdio: 'inherit', execPath, execArgv });
    const worker: WorkerProcess = { child, runs: [], lines: [] };
    child.on('message', ({ run, line }: { readonly run?: string; readonly line?: string }) => {
      if (run !== undefined) worker.runs.push(run);
      if (line !== undefined) worker.lines.push(line);
    });
    this.workers.push(worker);
    return worker;
  }

  /** Pictures of different sizes, each with its instruction. */
  entries(pictures: readonly Uint8Array[], instruction: string | ((index: number) => string), pack = 'studio'): readonly FarmEntry[] {
    return pictures.map((bytes, index) => {
      const words = typeof instruction === 'string' ? instruction : instruction(index);
      const name = `p${String(index).padStart(4, '0')}.png`;
      return {
        source: name,
        output: name,
        format: 'png',
        packs: [pack],
        fingerprint: () => Promise.resolve(sha256(bytes) + sha256(Buffer.from(words))),
        open: async () => {
          const { id } = await this.pictures.add(bytes, name);
          const request = parseInput(EditRequest, { task: 'edit', source: id, instruction: words, seed: index, previews: false, pack });
          return { request, close: () => this.pictures.remove(id) };
        },
      };
    });
  }

  /** Runs a batch to its end. */
  async run(entries: readonly FarmEntry[], signal = new AbortController().signal): Promise<Ended> {
    return endOf(this.farm.run(entries, { signal }));
  }

  async results(): Promise<number> {
    const folders = await readdir(join(this.root, 'store', 'results'));
    const files = await Promise.all(folders.map((folder) => readdir(join(this.root, 'store', 'results', folder))));
    return files.flat().length;
  }

  /** The queues over a connection of their own. */
  async queues(): Promise<Queues & AsyncDisposable> {
    const redis = await openConnection(this.address);
    const queues = new Queues(redis, SHORT);
    return Object.assign(queues, {
      [Symbol.asyncDispose]: async () => {
        await queues.close();
        redis.disconnect();
      },
    });
  }

  async close(): Promise<void> {
    for (const { child } of this.workers) await killed(child, 'SIGKILL');
    await this.farm.close();
    this.pictures.close();
    await this.redis.kill();
    await rm(this.root, { recursive: true, force: true });
  }
}

export interface Ended {
  readonly batch: string;
  readonly entries: readonly BatchEntry[];
  readonly pictures: ReadonlyMap<string, readonly string[]>;
  /** Changes to a state that is an end, by output: one each. */
  readonly ends: ReadonlyMap<string, number>;
}

export async function endOf(events: ReturnType<Farm['run']>): Promise<Ended> {
  let [batch, entries]: [string, readonly BatchEntry[]] = ['', []];
  const pictures = new Map<string, readonly string[]>();
  const ends = new Map<string, number>();
  for await (const event of events) {
    if (event.type === 'batch') [batch, entries] = [event.batch, event.entries];
    if (event.type !== 'change') continue;
    const { entry } = event;
    entries = entries.with(event.index, entry);
    if (event.pictures) pictures.set(entry.output, event.pictures);
    if (entry.state !== 'running' && entry.state !== 'waiting') ends.set(entry.output, (ends.get(entry.output) ?? 0) + 1);
  }
  return { batch, entries, pictures, ends };
}

export async function killed(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** Plain Node cannot run TypeScript: the worker's program is bundled first. */
export async function buildWorker(folder: string): Promise<string> {
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: 'test/support/farm-worker.ts',
      outDir: folder,
      emptyOutDir: false,
      rolldownOptions: { output: { entryFileNames: 'farm-worker.mjs' } },
    },
  });
  return join(folder, 'farm-worker.mjs');
}

/** Pictures that differ. */
export function pictures(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, index) => grayPng(4 + index, 5));
}

export function statesOf(entries: readonly { readonly state: string }[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of entries) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(10);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
