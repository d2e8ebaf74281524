import { chmod, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { FarmWire } from '#contract/farm.js';
import { QUEUES_KEY } from '#farm/settings.js';
import { bundledWorker } from '../support/bundled-worker.js';
import { endOf, killed, pictures, sha256, statesOf, TestFarm, until, type WorkerProcess } from '../support/farm.js';
import { grayPng } from '../support/fake-engine.js';
import { programOf, REDIS_SERVER } from '../support/redis.js';

const PRLIMIT = programOf('prlimit');

/** The rows of the table of faults that happen to workers, jobs and the store. Locks are a quarter of the product's. */
describe.skipIf(REDIS_SERVER === undefined)('a farm, with a redis-server', { timeout: 300_000 }, () => {
  const program = bundledWorker();
  let farm: TestFarm;

  afterEach(() => farm.close());

  test('loses nothing when workers are killed twenty times, and has one result of each picture', async () => {
    farm = await TestFarm.open(program.script);
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
    farm = await TestFarm.open(program.script);
    const [first, second] = [farm.work(), farm.work()];
    const go = path.join(farm.root, 'go');
    const running = farm.run(farm.entries(pictures(1), `hold ${go}`));
    await until(() => first.runs.length + second.runs.length === 1);
    const [stopped, other] = first.runs.length === 1 ? [first, second] : [second, first];
    stopped.child.kill('SIGSTOP');
    await until(() => other.runs.length === 1);
    stopped.child.kill('SIGCONT');
    // Its own clock says so, before anyone could tell it.
    await until(() => stopped.lines.some((line) => line.includes('lost after')));
    await writeFile(go, '');
    const { entries, ends } = await running;
    expect(entries.map(({ state }) => state)).toEqual(['done']);
    expect([...ends.values()]).toEqual([1]);
    expect(await farm.results()).toBe(1);
    expect(stopped.lines.join('\n')).not.toContain(': done');
  });

  test('a picture that kills its worker is given up after two, and the others go on', async () => {
    farm = await TestFarm.open(program.script);
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
    farm = await TestFarm.open(program.script);
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
    farm = await TestFarm.open(program.script);
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
    farm = await TestFarm.open(program.script);
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
    farm = await TestFarm.open(program.script);
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

  test('a worker that is told twice gives its picture back, and another does it', async () => {
    farm = await TestFarm.open(program.script);
    const worker = farm.work();
    const go = path.join(farm.root, 'go');
    const running = farm.run(farm.entries(pictures(1), `hold ${go}`));
    await until(() => worker.runs.length === 1);
    worker.child.kill('SIGTERM');
    await until(() => worker.lines.some((line) => line.startsWith('draining')));
    await killed(worker.child, 'SIGTERM');
    expect(worker.lines.join('\n')).toContain('returned after');
    const [batch = ''] = await readdir(path.join(farm.root, 'store', 'batches'));
    expect((await farm.farm.status(batch)).batch).toMatchObject({ waiting: 1, refused: 0 });
    await writeFile(go, '');
    farm.work();
    expect(statesOf((await running).entries)).toEqual({ done: 1 });
  });

  test('a worker of two packs goes from the drained queue of one to the other', async () => {
    farm = await TestFarm.open(program.script);
    const worker = farm.work();
    const runs = ['studio', 'other'].map((pack) => farm.run(farm.entries(pictures(2), `sleep 1 ${pack}`, pack)));
    for (const { entries } of await Promise.all(runs)) expect(statesOf(entries)).toEqual({ done: 2 });
    const { queues } = await farm.farm.status();
    expect(queues.map(({ pack }) => pack).sort()).toEqual(['other', 'studio']);
    const seats = worker.lines.flatMap((line) => /^sits on (.*)$/u.exec(line)?.[1] ?? []);
    expect(new Set(seats)).toEqual(new Set(queues.map(({ queue }) => queue)));
  });

  test('foreign and hostile jobs in Redis are refused before anything is read; others go on, and queues of strangers are let alone', async () => {
    farm = await TestFarm.open(program.script);
    const signal = new AbortController().signal;
    const { batch } = await endOf(farm.farm.run(farm.entries(pictures(2), 'sleep 1'), { signal, detach: true }));
    await using queues = await farm.queues();
    const [[name = '', facts] = []] = await queues.known();
    const queue = queues.get(name);
    const [whole] = await queue.getJobs(['prioritized', 'wait']);
    const data = whole?.data ?? ({} as FarmWire);
    const secret = path.join(farm.root, 'secret.png');
    await writeFile(secret, grayPng(7, 7));
    const hostile: readonly (readonly [string, unknown])[] = [
      ['another', data],
      [`${batch}-0000000000000000`, data],
      ['path', { ...data, i: [secret] }],
      ['traversal', { ...data, o: '../../../../tmp/out.png' }],
      ['command', { ...data, command: 'rm -rf /', pack: { install: 'http://127.0.0.1:1/x.pth' } }],
      ['prototype', JSON.parse('{"__proto__":{"r":{}},"v":1}')],
      ['nothing', null],
      ['long', 'x'.repeat(100_000)],
      ['deep', JSON.parse('['.repeat(2_000) + ']'.repeat(2_000))],
    ];
    for (const [jobId, data] of hostile) await queue.add('edit', data as FarmWire, { jobId, priority: 1, attempts: 3 });
    // Names that are none of ours, and facts that are none.
    await queues.redis.hset(QUEUES_KEY, '../../etc', JSON.stringify(facts), 'ffffffffffffffff-2gb', 'no facts');
    const worker = farm.work();
    expect(statesOf((await endOf(farm.farm.follow(batch, { signal }))).entries)).toEqual({ done: 2 });
    const failed = await queue.getJobs(['failed']);
    expect(failed.map(({ id, attemptsMade }) => [id, attemptsMade]).sort()).toEqual(hostile.map(([id]) => [id, 1]).sort());
    for (const { failedReason } of failed) expect(failedReason).toMatch(/^request\.invalid: Expected /u);
    // Those of the batch alone began, and nothing came to the store but their results.
    expect(worker.runs.length).toBe(2);
    expect(await farm.results()).toBe(2);
    expect((await farm.farm.status()).queues.map(({ queue: known }) => known)).toEqual([name]);
  });

  test.skipIf(PRLIMIT === undefined)(
    'a store that takes no more of a worker: three tries, a code, nothing half written, with prlimit',
    async () => {
      farm = await TestFarm.open(program.script);
      // No file of its may grow beyond nothing: a disk that is full, for this worker alone.
      const worker = farm.work([PRLIMIT ?? '', '--fsize=0']);
      const { entries } = await farm.run(farm.entries(pictures(1), 'sleep 1'));
      expect(entries[0]?.error).toMatchObject({ code: 'output.unwritable' });
      expect(worker.runs).toHaveLength(3);
      expect(await farm.results()).toBe(0);
      const store = path.join(farm.root, 'store');
      const files = (await readdir(store, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
      // What was submitted, and nothing else.
      expect(files.map(({ name }) => name).sort()).toEqual(['0.json', sha256(pictures(1)[0] ?? new Uint8Array())].sort());
    },
  );

  test('a store that is full or read-only: nothing is half written, and who submits is told', async () => {
    farm = await TestFarm.open(program.script);
    const blobs = path.join(farm.root, 'store', 'blobs');
    // Root may write anywhere: a file in the place of a folder stops it as well.
    await rm(blobs, { recursive: true });
    await writeFile(blobs, '');
    await chmod(blobs, 0o444);
    await expect(farm.run(farm.entries(pictures(1), 'sleep 1'))).rejects.toMatchObject({ code: 'output.unwritable' });
    expect((await farm.farm.status()).queues).toEqual([]);
  });
});
