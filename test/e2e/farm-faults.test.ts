import { mkdir, mkdtemp, readdir, rm, symlink, truncate, writeFile, readFile, chmod, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ExpectedError } from '#contract/errors.js';
import { buildWorker, endOf, killed, sha256, TestFarm, type WorkerProcess } from '../support/farm.js';
import { grayPng } from '../support/fake-engine.js';
import { REDIS_SERVER } from '../support/redis.js';

const pictures = (count: number) => Array.from({ length: count }, (_, index) => grayPng(4 + index, 5));

function statesOf(entries: readonly { readonly state: string }[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of entries) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(10);
}

/** Every row of the table of faults. Locks are a quarter of the product's. */
describe.skipIf(REDIS_SERVER === undefined)('a farm, with a redis-server', { timeout: 300_000 }, () => {
  let script: string;
  let folder: string;
  let farm: TestFarm;

  beforeAll(async () => {
    await mkdir('dist', { recursive: true });
    // Beside node_modules, which it needs.
    folder = await mkdtemp(path.resolve('dist', 'farm-worker-'));
    script = await buildWorker(folder);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));
  afterEach(() => farm.close());

  test('loses nothing when workers are killed twenty times, and has one result of each picture', async () => {
    farm = await TestFarm.open(script);
    const sources = pictures(60);
    const runs = new Map<string, number>();
    let kills = 0;
    const doomed = new Set<WorkerProcess>();
    const start = (): void => {
      const worker = farm.work();
      worker.child.on('message', ({ run }: { readonly run?: string }) => {
        if (run === undefined) return;
        runs.set(run, (runs.get(run) ?? 0) + 1);
        // Two deaths at one picture are its own fault, by another row.
        if (kills >= 20 || runs.get(run) !== 1 || doomed.has(worker)) return;
        kills++;
        doomed.add(worker);
        setTimeout(() => {
          worker.child.once('exit', start);
          worker.child.kill('SIGKILL');
        }, Math.random() * 150);
      });
    };
    for (let i = 0; i < 3; i++) start();
    const { entries, ends } = await farm.run(farm.entries(sources, 'sleep 150'));
    expect(kills).toBe(20);
    expect(statesOf(entries)).toEqual({ done: 60 });
    expect([...ends.values()]).toEqual(Array.from({ length: 60 }, () => 1));
    expect(await farm.results()).toBe(60);
  });

  test('a worker that was stopped for longer than its lock gives its picture up', async () => {
    farm = await TestFarm.open(script);
    const [first, second] = [farm.work(), farm.work()];
    const running = farm.run(farm.entries(pictures(1), 'sleep 3000'));
    await until(() => first.runs.length + second.runs.length === 1);
    const [stopped, other] = first.runs.length === 1 ? [first, second] : [second, first];
    stopped.child.kill('SIGSTOP');
    await until(() => other.runs.length === 1);
    stopped.child.kill('SIGCONT');
    // Its own clock says so, before anyone could tell it.
    await until(() => stopped.lines.some((line) => line.includes('lost after')));
    const { entries, ends } = await running;
    expect(entries.map(({ state }) => state)).toEqual(['done']);
    expect([...ends.values()]).toEqual([1]);
    expect(await farm.results()).toBe(1);
    expect(stopped.lines.join('\n')).not.toContain(': done');
  });

  test('Redis is killed for three seconds: nothing is lost, busy and idle workers go on', async () => {
    farm = await TestFarm.open(script);
    const workers = [farm.work(), farm.work()];
    const running = farm.run(farm.entries(pictures(40), 'sleep 200'));
    await until(async () => (await farm.results().catch(() => 0)) >= 5);
    // What was acknowledged a second ago is on the disk.
    await pause(1_100);
    await farm.redis.kill();
    await pause(3_000);
    await farm.redis.start();
    const { entries } = await running;
    expect(statesOf(entries)).toEqual({ done: 40 });
    expect(await farm.results()).toBe(40);
    // And when they were idle.
    await farm.redis.kill();
    await farm.redis.start();
    expect(statesOf((await farm.run(farm.entries(pictures(44).slice(40), 'sleep 1'))).entries)).toEqual({ done: 4 });
    expect(workers.every(({ child }) => child.exitCode === null)).toBe(true);
  });

  test('the end of Redis’s log is cut off: the same submission mends it', async () => {
    farm = await TestFarm.open(script);
    const entries = farm.entries(pictures(60), 'sleep 1');
    const signal = new AbortController().signal;
    const { batch } = await endOf(farm.farm.run(entries, { signal, detach: true }));
    const jobs = async () => (await farm.farm.status()).queues.reduce((sum, { waiting }) => sum + waiting, 0);
    expect(await jobs()).toBe(60);
    await pause(1_100);
    await farm.redis.kill();
    const log = path.join(farm.root, 'appendonlydir');
    const [name = ''] = (await readdir(log)).filter((file) => file.endsWith('.incr.aof'));
    const { size } = await stat(path.join(log, name));
    await truncate(path.join(log, name), Math.floor(size * 0.7));
    await farm.redis.start();
    expect(await jobs()).toBeLessThan(60);
    const again = await endOf(farm.farm.run(entries, { signal, detach: true }));
    expect(again.batch).toBe(batch);
    expect(await jobs()).toBe(60);
    farm.work();
    farm.work();
    const ended = await endOf(farm.farm.follow(batch, { signal }));
    expect(statesOf(ended.entries)).toEqual({ done: 60 });
  });

  test('Redis is full: who submits is told, what is in goes on, and the rest follows', async () => {
    farm = await TestFarm.open(script, ['--maxmemory', '12mb']);
    await using queues = await farm.queues();
    const sources = pictures(40);
    // Foreign bytes that leave room for some jobs.
    for (let i = 0; i < 20; i++) await queues.redis.rpush('ballast', 'x'.repeat(500_000));
    const failure = await farm.run(farm.entries(sources, `sleep 1 ${'x'.repeat(50_000)}`)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ExpectedError);
    expect(failure).toMatchObject({ code: 'job.busy' });
    await queues.redis.del('ballast');
    farm.work();
    // Jobs leave as they are done; what was refused is submitted again.
    const again = await submitted(() => farm.run(farm.entries(sources, `sleep 1 ${'x'.repeat(50_000)}`)));
    expect(statesOf(again.entries)).toEqual({ done: 40 });
    expect(await farm.results()).toBe(40);
  });

  async function submitted<T>(submit: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await submit();
      } catch (error) {
        if (!(error instanceof ExpectedError && error.code === 'job.busy')) throw error;
        await pause(200);
      }
    }
  }

  test('a picture that kills its worker is given up after two, and the others go on', async () => {
    farm = await TestFarm.open(script);
    const start = (): void => {
      farm.work().child.once('exit', (_, signal) => {
        // It killed itself; at the end of the test we do.
        if (signal === 'SIGKILL' && !ending) start();
      });
    };
    let ending = false;
    start();
    start();
    const { entries } = await farm.run(farm.entries(pictures(6), (index) => (index === 2 ? 'die' : 'sleep 20')));
    ending = true;
    expect(entries.map(({ state }) => state)).toEqual(['done', 'done', 'refused', 'done', 'done', 'done']);
    expect(entries[2]?.error?.code).toBe('inference.died');
    expect(farm.workers.flatMap(({ runs }) => runs).filter((run) => run === sha256(grayPng(6, 5)))).toHaveLength(2);
  });

  test('what always fails is given up after three tries, what cannot succeed after one; a line says why; retry tries again', async () => {
    farm = await TestFarm.open(script);
    const worker = farm.work();
    const { batch, entries } = await farm.run(farm.entries(pictures(3), (index) => ['fail', 'unreadable', 'sleep 1'][index] ?? ''));
    expect(entries.map(({ error }) => error?.code)).toEqual(['inference.died', 'image.unreadable', undefined]);
    expect(entries[1]?.error?.message).toBe('Expected a picture but received something else.');
    const runsOf = (bytes: Uint8Array) => worker.runs.filter((run) => run === sha256(bytes)).length;
    expect(pictures(3).map(runsOf)).toEqual([3, 1, 1]);
    expect((await farm.farm.status(batch)).batch).toMatchObject({ done: 1, refused: 2 });
    expect(await farm.farm.retry(batch)).toBe(2);
    const ended = await endOf(farm.farm.follow(batch, { signal: new AbortController().signal }));
    expect(statesOf(ended.entries)).toEqual({ done: 1, refused: 2 });
    expect(pictures(3).map(runsOf)).toEqual([6, 2, 1]);
  });

  test('a blob that is missing, swapped, cut or a link is refused with its code', async () => {
    farm = await TestFarm.open(script);
    const sources = pictures(4);
    const signal = new AbortController().signal;
    const { batch } = await endOf(farm.farm.run(farm.entries(sources, 'sleep 1'), { signal, detach: true }));
    const [gone = '', swapped = '', cut = '', linked = ''] = sources.map((bytes) => blobOf(bytes));
    await rm(gone);
    await writeFile(swapped, grayPng(9, 9));
    await truncate(cut, 20);
    const outside = path.join(farm.root, 'outside.png');
    await writeFile(outside, await readFile(linked));
    await rm(linked);
    await symlink(outside, linked);
    farm.work();
    const { entries } = await endOf(farm.farm.follow(batch, { signal }));
    expect(entries.map(({ error }) => error?.code)).toEqual(['picture.unknown', 'image.unreadable', 'image.unreadable', 'picture.unknown']);
    expect(await farm.results().catch(() => 0)).toBe(0);
  });

  function blobOf(bytes: Uint8Array): string {
    const digest = sha256(bytes);
    return path.join(farm.root, 'store', 'blobs', digest.slice(0, 2), digest);
  }

  test('a batch is cancelled while it waits and runs, and goes on when it is submitted again', async () => {
    farm = await TestFarm.open(script);
    const worker = farm.work();
    const order = farm.entries(pictures(5), 'sleep 400');
    const running = farm.run(order).catch((error: unknown) => error);
    await until(() => worker.runs.length === 2);
    const [batch = ''] = await readdir(path.join(farm.root, 'store', 'batches'));
    await farm.farm.cancel(batch);
    expect(await running).toMatchObject({ name: 'CancelledError' });
    expect(worker.lines.join('\n')).toContain('cancelled after');
    expect((await farm.farm.status(batch)).batch).toMatchObject({ done: 1, waiting: 4, refused: 0 });
    expect(statesOf((await farm.run(order)).entries)).toEqual({ done: 5 });
    // One was done before, and the one that ran was begun twice.
    expect(worker.runs).toHaveLength(6);
  });

  test('a worker that is told to go ends its picture, and takes no other', async () => {
    farm = await TestFarm.open(script);
    const worker = farm.work();
    const { batch } = await endOf(
      farm.farm.run(farm.entries(pictures(3), 'sleep 800'), { signal: new AbortController().signal, detach: true }),
    );
    await until(() => worker.runs.length === 1);
    await killed(worker.child, 'SIGTERM');
    expect(worker.child.exitCode).toBe(0);
    expect((await farm.farm.status(batch)).batch).toMatchObject({ done: 1, waiting: 2 });
    expect((await farm.farm.status()).workers).toEqual([]);
  });

  test('the rights that docs/farm.md gives are enough, and let nobody at the keys of others', async () => {
    const recipe = await readFile('docs/farm.md', 'utf8');
    const [, rights = ''] = /^ *user farm on >A-LONG-SECRET (.*)$/mu.exec(recipe) ?? [];
    farm = await TestFarm.open(
      script,
      ['--user', 'farm', 'on', '>secret', ...rights.split(' '), '--user', 'default', 'off'],
      'farm:secret',
    );
    farm.work();
    const { batch, entries } = await farm.run(farm.entries(pictures(3), (index) => (index === 1 ? 'unreadable' : 'sleep 1')));
    expect(statesOf(entries)).toEqual({ done: 2, refused: 1 });
    expect(await farm.farm.retry(batch)).toBe(1);
    await farm.farm.cancel(batch);
    expect((await farm.farm.status(batch)).workers).toHaveLength(1);
    await using queues = await farm.queues();
    for (const [command, ...args] of [['get', 'other'], ['flushall'], ['config', 'get', '*'], ['keys', '*']] as const)
      await expect(queues.redis.call(command, ...args)).rejects.toThrow('NOPERM');
  });

  test('a store that is full or read-only: nothing is half written, and who submits is told', async () => {
    farm = await TestFarm.open(script);
    const blobs = path.join(farm.root, 'store', 'blobs');
    // Root may write anywhere: a file in the place of a folder stops it as well.
    await rm(blobs, { recursive: true });
    await writeFile(blobs, '');
    await chmod(blobs, 0o444);
    await expect(farm.run(farm.entries(pictures(1), 'sleep 1'))).rejects.toMatchObject({ code: 'output.unwritable' });
    expect((await farm.farm.status()).queues).toEqual([]);
  });
});
