import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { ExpectedError } from '#contract/errors.js';
import { bundledWorker } from '../support/bundled-worker.js';
import { endOf, pictures, sha256, statesOf, TestFarm, until } from '../support/farm.js';
import { REDIS_SERVER } from '../support/redis.js';

/** The rows of the table of faults that happen to Redis. Locks are a quarter of the product's. */
describe.skipIf(REDIS_SERVER === undefined)('a farm whose Redis fails, with a redis-server', { timeout: 300_000 }, () => {
  const program = bundledWorker();
  let farm: TestFarm;

  afterEach(() => farm.close());

  test('Redis is killed for three seconds: nothing is lost, busy and idle workers go on', async () => {
    farm = await TestFarm.open(program.script);
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

  test('Redis is away for longer than a lock: what was at work is done anew, and every result is there once', async () => {
    farm = await TestFarm.open(program.script);
    const workers = [farm.work(), farm.work()];
    const sources = pictures(8);
    const go = path.join(farm.root, 'go');
    const running = farm.run(farm.entries(sources, (index) => (index < 2 ? `hold ${go}` : 'sleep 50')));
    await until(() => workers.every(({ runs }) => runs.length === 1));
    // What was acknowledged a second ago is on the disk.
    await pause(1_100);
    await farm.redis.kill();
    // As 21 of the product's seconds, of which a lock has 20.
    await until(() => workers.every(({ lines }) => lines.some((line) => line.includes('lost after'))));
    await writeFile(go, '');
    await farm.redis.start();
    const { entries, ends } = await running;
    expect(statesOf(entries)).toEqual({ done: 8 });
    expect([...ends.values()]).toEqual(Array.from({ length: 8 }, () => 1));
    expect(await farm.results()).toBe(8);
    const runs = workers.flatMap(({ runs }) => runs);
    expect(sources.map((bytes) => runs.filter((run) => run === sha256(bytes)).length)).toEqual([2, 2, 1, 1, 1, 1, 1, 1]);
  });

  test('the end of Redis’s log is cut off: the same submission mends it', async () => {
    farm = await TestFarm.open(program.script);
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
    farm = await TestFarm.open(program.script, ['--maxmemory', '12mb']);
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

  test('the rights that docs/farm.md gives are enough, and let nobody at the keys of others', async () => {
    const recipe = await readFile('docs/farm.md', 'utf8');
    const [, rights = ''] = /^ *user farm on >A-LONG-SECRET (.*)$/mu.exec(recipe) ?? [];
    farm = await TestFarm.open(
      program.script,
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
});
