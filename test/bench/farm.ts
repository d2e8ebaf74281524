import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { REDIS_SERVER, startRedis } from '../support/redis.js';

const PICTURES = 16;
const EMPTY_JOBS = 2_000;
const CLI = 'dist/main/cli.js';

/** The farm's table: ratios in one run, on a Redis of its own. Empty where there is no redis-server. */
export async function farmLines(picture: Uint8Array): Promise<readonly string[]> {
  const title = ['', '## The farm', ''];
  if (REDIS_SERVER === undefined) return [...title, 'Not measured: no redis-server was found.'];
  const root = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-farm-bench-'));
  const redis = await startRedis(root);
  try {
    await mkdir(path.join(root, 'in'));
    for (let i = 0; i < PICTURES; i++) await writeFile(path.join(root, 'in', `p${String(i)}.jpg`), picture);
    const environment = {
      ...process.env,
      SCALEBRUSH_FARM: redis.url,
      SCALEBRUSH_FARM_STORE: path.join(root, 'store'),
      SCALEBRUSH_THREADS: '1',
    };
    const bench = new FarmBench(root, environment);
    const [one, two] = [await bench.onFarm(1), await bench.onFarm(2)];
    const alone = await bench.alone(2);
    const [few, many] = [await emptyJobMs(redis.url, 1_000), await emptyJobMs(redis.url, 100_000)];
    return [
      ...title,
      `${String(PICTURES)} pictures of one size with one thread a process, on \`redis-server\` of this machine; load average ${(os.loadavg()[0] ?? 0).toFixed(1)} on ${String(os.cpus().length)} cores.`,
      '',
      '| | ratio | target |',
      '|---|---|---|',
      `| one worker’s time inside jobs | ${one.inside.toFixed(3)} | ≥ 0.98 |`,
      `| two workers : the same two processes without the farm | ${(alone / two.ms).toFixed(2)} | ≥ 0.97 |`,
      `| two workers : one | ${(one.ms / two.ms).toFixed(2)} | ≥ 1.8 |`,
      `| an empty job while 10⁵ wait : 10³ | ${(many.ms / few.ms).toFixed(2)} | ≤ 1.2 |`,
      `| Redis for each waiting job | ${(many.bytes / 1000).toFixed(2)} kB | ≤ 1.5 kB |`,
    ];
  } finally {
    await redis.kill();
    await rm(root, { recursive: true, force: true });
  }
}

class FarmBench {
  readonly #root: string;
  readonly #environment: NodeJS.ProcessEnv;
  #seed = 0;

  constructor(root: string, environment: NodeJS.ProcessEnv) {
    [this.#root, this.#environment] = [root, environment];
  }

  /** From the first job's start to the last one's end, packs being open; and the share of it inside jobs. */
  async onFarm(workers: number): Promise<{ readonly ms: number; readonly inside: number }> {
    const started = Array.from({ length: workers }, () => this.#worker());
    await Promise.all(started.map(({ ready }) => ready));
    await this.#batch(['--farm']); // warm
    const before = started.map(({ jobs }) => jobs.length);
    await this.#batch(['--farm']);
    const runs = started.flatMap(({ jobs }, i) => jobs.slice(before[i]));
    for (const { child } of started) child.kill('SIGTERM');
    const [begin, end] = [Math.min(...runs.map(({ start }) => start)), Math.max(...runs.map((run) => run.end))];
    const inside = runs.reduce((sum, run) => sum + run.end - run.start, 0);
    return { ms: end - begin, inside: inside / workers / (end - begin) };
  }

  /** The same pictures in as many processes, each with its share of them. */
  async alone(processes: number): Promise<number> {
    const share = PICTURES / processes;
    const spans = await Promise.all(
      Array.from({ length: processes }, async (_, p) => {
        const files = Array.from({ length: share }, (_unused, i) => path.join(this.#root, 'in', `p${String(p * share + i)}.jpg`));
        const entries = await this.#batch([], files);
        // The first of each process opens the pack.
        return (entries.slice(1).reduce((sum, { ms }) => sum + ms, 0) / (share - 1)) * share;
      }),
    );
    return Math.max(...spans);
  }

  #worker() {
    const child: ChildProcess = spawn(process.execPath, [CLI, 'farm', 'worker', '--threads', '1'], {
      env: this.#environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const jobs: { readonly start: number; readonly end: number }[] = [];
    const ready = new Promise<void>((resolve) => {
      if (!child.stderr) return;
      createInterface(child.stderr).on('line', (line) => {
        if (line.startsWith('ready')) resolve();
        const took = /^job \S+: done after ([\d.]+) s$/u.exec(line);
        if (took) jobs.push({ start: performance.now() - Number(took[1]) * 1000, end: performance.now() });
      });
    });
    return { child, jobs, ready };
  }

  async #batch(
    options: readonly string[],
    files: readonly string[] = [path.join(this.#root, 'in')],
  ): Promise<readonly { readonly ms: number }[]> {
    const out = path.join(this.#root, `out-${String(this.#seed)}`);
    const args = ['batch', ...files, '-i', 'make it warmer', '--seed', String(this.#seed++), '-o', out, '--json', ...options];
    const child = spawn(process.execPath, [CLI, ...args], { env: this.#environment, stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    for await (const piece of child.stdout) text += String(piece);
    return (JSON.parse(text) as { entries: { ms: number }[] }).entries;
  }
}

/** Milliseconds for each of some empty jobs while so many wait, and the bytes that each waiting one takes. */
async function emptyJobMs(url: string, waiting: number): Promise<{ readonly ms: number; readonly bytes: number }> {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  const queue = new Queue('bench', { connection: redis, prefix: 'scalebrush' });
  const used = async () => Number(/^used_memory:(\d+)/mu.exec(await redis.info('memory'))?.[1]);
  const before = await used();
  // As large as a job of ours.
  const data = { request: 'x'.repeat(700) };
  for (let at = 0; at < waiting; at += 1_000)
    await queue.addBulk(
      Array.from({ length: 1_000 }, (_, i) => ({
        name: 'edit',
        data,
        opts: { jobId: `${'b'.repeat(32)}-${String(at + i).padStart(16, '0')}`, priority: 10, removeOnComplete: true },
      })),
    );
  const bytes = ((await used()) - before) / waiting;
  let done = 0;
  let started = 0;
  await new Promise<void>((resolve) => {
    const worker = new Worker('bench', () => Promise.resolve(done++), { connection: redis, prefix: 'scalebrush' });
    worker.on('completed', () => {
      if (done === Math.min(EMPTY_JOBS, waiting) / 2) started = performance.now();
      if (done === Math.min(EMPTY_JOBS, waiting)) void worker.close().then(resolve);
    });
  });
  const ms = (performance.now() - started) / (Math.min(EMPTY_JOBS, waiting) / 2);
  await queue.obliterate({ force: true });
  await queue.close();
  redis.disconnect();
  return { ms, bytes };
}
