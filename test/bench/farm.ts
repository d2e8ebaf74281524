import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import { REDIS_SERVER, startRedis } from '../support/redis.js';
import { paceOf, PictureProcess, type Pace } from './farm-processes.js';
import { emptyJobs, type EmptyJobs } from './farm-queue.js';
import { sleepingWorkers } from './farm-scaling.js';
import { machine } from './machine.js';
import { median } from './median.js';

const CLI = 'dist/main/cli.js';
const ROUNDS = 5;
const SLEEP_ROUNDS = 3;
/** Of each process, on average. */
const PICTURES = 16;
const DRAWN = { farm: /^job \S+: done after/u, alone: / → / } as const;

export const FARM_SECTION = '## The farm';

/** The farm's table: ratios in one run, on a Redis of its own. Without numbers where there is no redis-server. */
export async function farmLines(picture: Uint8Array): Promise<readonly string[]> {
  const title = ['', FARM_SECTION, ''];
  if (REDIS_SERVER === undefined) return [...title, 'Not measured: no redis-server was found.'];
  const root = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-farm-bench-'));
  const redis = await startRedis(root);
  try {
    const bench = new FarmBench(root, redis.url);
    await bench.writePictures(picture);
    const rounds: Round[] = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await bench.round(i));
    // What comes first pays for the warming up of all.
    await emptyJobs(redis.url, 1_000);
    const [many, few] = [await emptyJobs(redis.url, 100_000), await emptyJobs(redis.url, 1_000)];
    const load = (os.loadavg()[0] ?? 0).toFixed(1);
    const intro = `Pictures of 1024×768, ${String(PICTURES)} for each process, one thread a process, \`redis-server\` on the same machine, while all the processes work and from each one’s third picture on; medians of ${String(ROUNDS)} rounds of neighbours that take turns, in brackets the least and the largest. Processor time says the same on a machine that is busy with other things: of it, a farm’s pictures may not cost more. Load average ${load} on ${machine()}.`;
    const table = ['| | by the clock | by processor time | target |', '|---|---|---|---|'];
    return [...title, intro, '', ...table, ...processRows(rounds), ...(await sleepRows()), ...queueRows(many, few), '', NOTE];
  } finally {
    await redis.kill();
    await rm(root, { recursive: true, force: true });
  }
}

const NOTE =
  'Without the farm, too, a second process makes of two cores less than two: what they share — memory, caches, the other threads of each process, and here this bench and Redis — is the machine’s part. The farm’s part is the ratio of both, and the two rows by processor time. More cores than two were not to be had: real pictures with four workers and more are owed; jobs that sleep stand in for them.';

/** Processes on the farm, and the same ones without it. */
interface Round {
  readonly one: Pace;
  readonly two: Pace;
  readonly oneAlone: Pace;
  readonly twoAlone: Pace;
}

function processRows(rounds: readonly Round[]): readonly string[] {
  const of = (ratio: (round: Round) => number): string => {
    const all = rounds.map(ratio).sort((a, b) => a - b);
    return `${median(all).toFixed(3)} (${(all[0] ?? 0).toFixed(2)}–${(all.at(-1) ?? 0).toFixed(2)})`;
  };
  const byClock = (few: Pace, many: Pace) => many.picturesPerS / few.picturesPerS;
  const byCpu = (few: Pace, many: Pace) => few.cpuMsPerPicture / many.cpuMsPerPicture;
  return [
    `| one worker’s time inside jobs | ${of(({ one }) => one.shareInside)} | | ≥ 0.98 |`,
    `| each of two workers’ time inside jobs | ${of(({ two }) => two.shareInside)} | | ≥ 0.98 |`,
    `| one worker : the same process without the farm | ${of(({ one, oneAlone }) => byClock(oneAlone, one))} | ${of(({ one, oneAlone }) => byCpu(oneAlone, one))} | ≥ 0.97 |`,
    `| two workers : the same two processes without the farm | ${of(({ two, twoAlone }) => byClock(twoAlone, two))} | ${of(({ two, twoAlone }) => byCpu(twoAlone, two))} | ≥ 0.97 |`,
    `| two workers : one | ${of(({ one, two }) => byClock(one, two))} | ${of(({ one, two }) => 2 * byCpu(one, two))} | ≥ 1.8 |`,
    `| two processes without the farm : one | ${of(({ oneAlone, twoAlone }) => byClock(oneAlone, twoAlone))} | ${of(({ oneAlone, twoAlone }) => 2 * byCpu(oneAlone, twoAlone))} | what the machine gives |`,
    `| the first of these two by the second | ${of(({ one, two, oneAlone, twoAlone }) => byClock(one, two) / byClock(oneAlone, twoAlone))} | ${of(({ one, two, oneAlone, twoAlone }) => byCpu(one, two) / byCpu(oneAlone, twoAlone))} | ≥ 0.97 |`,
  ];
}

async function sleepRows(): Promise<readonly string[]> {
  const rows: string[] = [];
  for (const [workers, target] of [
    [4, '≥ 0.9'],
    [16, ''],
  ] as const) {
    const shares: number[] = [];
    for (let i = 0; i < SLEEP_ROUNDS; i++) shares.push(await sleepingWorkers(workers));
    rows.push(
      `| each of ${String(workers)} workers with jobs that sleep for 250 ms, of its ideal | ${median(shares).toFixed(3)} | | ${target} |`,
    );
  }
  return rows;
}

function queueRows(many: EmptyJobs, few: EmptyJobs): readonly string[] {
  return [
    `| an empty job while 10⁵ wait : 10³ | ${(many.ms / few.ms).toFixed(2)} | ${(many.cpuMs / few.cpuMs).toFixed(2)} | ≤ 1.2 |`,
    `| adding 10⁵ jobs, each | ${many.addMs.toFixed(2)} ms | | ≤ 0.25 ms |`,
    `| Redis for each waiting job | ${(many.bytes / 1000).toFixed(2)} kB | | ≤ 1.5 kB |`,
  ];
}

/** Each kind of processes does pictures that nobody did before: what lies in the store already would cost nothing. */
class FarmBench {
  readonly #root: string;
  readonly #environment: NodeJS.ProcessEnv;
  #seed = 0;

  constructor(root: string, url: string) {
    this.#root = root;
    this.#environment = {
      ...process.env,
      SCALEBRUSH_FARM: url,
      SCALEBRUSH_FARM_STORE: path.join(root, 'store'),
      SCALEBRUSH_THREADS: '1',
    };
  }

  /** All different: of equal ones a farm does one. */
  async writePictures(picture: Uint8Array): Promise<void> {
    await mkdir(path.join(this.#root, 'in'));
    for (let i = 0; i < 2 * PICTURES; i++) {
      const bytes = await sharp(picture)
        .modulate({ brightness: 1 + i / 100 })
        .jpeg({ quality: 92 })
        .toBuffer();
      await writeFile(this.#file(i), bytes);
    }
  }

  /** What is compared runs one after the other, forwards and backwards in turn, so that a machine that grows warm or busy favours none. */
  async round(number: number): Promise<Round> {
    const kinds = [
      ['one', () => this.#onFarm(1)],
      ['oneAlone', () => this.#alone(1)],
      ['twoAlone', () => this.#alone(2)],
      ['two', () => this.#onFarm(2)],
    ] as const;
    const paces = new Map<string, Pace>();
    for (const [name, measure] of number % 2 === 0 ? kinds : kinds.toReversed()) paces.set(name, await measure());
    return Object.fromEntries(paces) as unknown as Round;
  }

  /** All of it waits before the workers start; results are fetched by nobody, as on a machine that only works. */
  async #onFarm(workers: number): Promise<Pace> {
    const count = workers * PICTURES;
    await this.#submit(count);
    const args = ['farm', 'worker', '--threads', '1', '--metrics', '0'];
    const started = Array.from({ length: workers }, () => new PictureProcess(args, this.#environment, DRAWN.farm));
    while (started.reduce((sum, { pictures }) => sum + pictures, 0) < count) await pause(20);
    const pace = await paceOf(started);
    for (const each of started) await each.end();
    return pace;
  }

  async #submit(count: number): Promise<void> {
    const args = ['farm', 'submit', ...this.#files(0, count), ...this.#wish(), '--detach'];
    const child = spawn(process.execPath, [CLI, ...args], { env: this.#environment, stdio: 'ignore' });
    await once(child, 'exit');
  }

  /** The same pictures in as many processes, each with its share of them. */
  async #alone(processes: number): Promise<Pace> {
    const started = Array.from({ length: processes }, (_, p) => {
      const args = ['batch', ...this.#files(p * PICTURES, PICTURES), ...this.#wish()];
      return new PictureProcess(args, this.#environment, DRAWN.alone);
    });
    while (started.some(({ pictures }) => pictures < PICTURES)) await pause(20);
    const pace = await paceOf(started);
    for (const each of started) await each.end();
    return pace;
  }

  #file(index: number): string {
    return path.join(this.#root, 'in', `p${String(index).padStart(2, '0')}.jpg`);
  }

  #files(first: number, count: number): readonly string[] {
    return Array.from({ length: count }, (_, i) => this.#file(first + i));
  }

  #wish(): readonly string[] {
    const seed = String(this.#seed++);
    return ['-i', 'make it warmer', '--seed', seed, '-o', path.join(this.#root, `out-${seed}`)];
  }
}
