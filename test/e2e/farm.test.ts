import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BatchReport } from '#contract/batch.js';
import type { FarmStatus } from '#contract/farm.js';
import { scenePng } from '../support/pictures.js';
import { REDIS_SERVER, startRedis, type TestRedis } from '../support/redis.js';
import { scalebrush } from './support/cli.js';

const PICTURES = 40;
const WISH = ['-i', 'make it warmer', '--seed', '3'];

/** The built command line with the true engine, two workers and a Redis of this test's own. */
describe.skipIf(REDIS_SERVER === undefined)('the farm from the command line, with a redis-server', { timeout: 600_000 }, () => {
  let root: string;
  let redis: TestRedis;
  const workers: ChildProcess[] = [];
  const at = (...names: string[]) => path.join(root, ...names);

  beforeAll(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-farm-'));
    redis = await startRedis(root);
    await mkdir(at('in'));
    for (let index = 0; index < PICTURES; index++)
      await writeFile(at('in', `p${String(index).padStart(2, '0')}.png`), await scenePng(96 + index, 80));
    // The address as a studio keeps it: in a file that nobody else reads.
    await writeFile(at('address'), `${redis.url}\n`, { mode: 0o600 });
    process.env['SCALEBRUSH_FARM'] = at('address');
    process.env['SCALEBRUSH_FARM_STORE'] = at('store');
  });

  afterAll(async () => {
    delete process.env['SCALEBRUSH_FARM'];
    delete process.env['SCALEBRUSH_FARM_STORE'];
    for (const child of workers) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await redis.kill();
    await rm(root, { recursive: true, force: true });
  });

  /** Resolves when it can take jobs; gives its process and its metrics' address. */
  async function work(): Promise<{ readonly child: ChildProcess; readonly metrics: string }> {
    const child = spawn(process.execPath, ['dist/main/cli.js', 'farm', 'worker', '--threads', '1', '--metrics', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    workers.push(child);
    let metrics = '';
    for await (const line of createInterface(child.stderr)) {
      metrics = /^metrics on (\S+)$/u.exec(line)?.[1] ?? metrics;
      if (line.startsWith('ready')) break;
    }
    child.stderr.resume();
    return { child, metrics };
  }

  async function running(): Promise<number> {
    const connection = new Redis(redis.url);
    const names = await connection.hkeys('scalebrush:queues');
    const counts = await Promise.all(names.map((name) => connection.llen(`scalebrush:${name}:active`)));
    connection.disconnect();
    return counts.reduce((sum, count) => sum + count, 0);
  }

  test('forty pictures with two workers equal the same batch without a farm, byte for byte', async () => {
    const [first, second] = await Promise.all([work(), work()]);
    const farm = await scalebrush('farm', 'submit', at('in'), ...WISH, '-o', at('farm'), '--json');
    expect(farm.code).toBe(0);
    expect(JSON.parse(farm.stdout) as BatchReport).toMatchObject({ done: PICTURES, refused: 0, waiting: 0 });
    // A tenth of them by this machine alone is proof enough of the engine, and all of them of the command.
    const local = await scalebrush('batch', at('in'), ...WISH, '-o', at('local'), '--json');
    expect(local.code).toBe(0);
    const names = await readdir(at('in'));
    for (const name of names) expect(await readFile(at('farm', name)), name).toEqual(await readFile(at('local', name)));
    const texts = await Promise.all([first, second].map(async ({ metrics }) => (await fetch(metrics)).text()));
    const done = texts.map((text) => Number(/jobs_total\{outcome="done"\} (\d+)/u.exec(text)?.[1] ?? 0));
    // Every result once, and both took part.
    expect((done[0] ?? 0) + (done[1] ?? 0)).toBe(PICTURES);
    expect(Math.min(...done)).toBeGreaterThan(0);
    const status = JSON.parse((await scalebrush('farm', 'status', '--json')).stdout) as FarmStatus;
    expect(status.workers).toHaveLength(2);
    expect(status.address).toBe(redis.url);

    // The same batch again: nothing is left to be done, and nothing is done.
    const again = await scalebrush('batch', at('in'), ...WISH, '-o', at('farm'), '--farm', '--json');
    expect(JSON.parse(again.stdout) as BatchReport).toMatchObject({ kept: PICTURES, done: 0 });

    first.child.kill('SIGKILL');
    second.child.kill('SIGTERM');
    await once(second.child, 'exit');
    expect(second.child.exitCode).toBe(0);
  });

  test('a batch is submitted, left, looked at, fetched and cancelled', async () => {
    const args = ['farm', 'submit', at('in', 'p00.png'), at('in', 'p01.png'), '-i', 'make it cooler', '-o', at('later'), '--detach'];
    const { code, stderr } = await scalebrush(...args);
    expect(code).toBe(0);
    const batch = /^batch ([0-9a-f]{32})$/mu.exec(stderr)?.[1] ?? '';
    expect((await scalebrush('farm', 'status', batch)).stdout).toContain('0 done, 0 done before, 0 refused, 2 to do');
    expect((await scalebrush('farm', 'cancel', batch)).stdout).toBe(`Cancelled ${batch}.\n`);
    expect((await scalebrush('farm', 'fetch', batch, '-o', at('later'))).code).toBe(130);
    expect((await scalebrush('farm', 'retry', batch)).stdout).toBe('2 pictures wait again.\n');

    // A worker is killed over its first picture, the pack being loaded: the next one does it, when its lock has run out.
    const doomed = await work();
    while ((await running()) === 0);
    const ended = once(doomed.child, 'exit');
    doomed.child.kill('SIGKILL');
    await ended;
    expect(await running()).toBe(1);
    const { child } = await work();
    expect((await scalebrush('farm', 'fetch', batch, '-o', at('later'))).code).toBe(0);
    expect(await readdir(at('later'))).toEqual(expect.arrayContaining(['p00.png', 'p01.png']));
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect((await scalebrush('farm', 'gc', '--older', '30d')).stdout).toBe('Removed 0 files.\n');
    expect((await scalebrush('farm', 'fetch', '../../etc/passwd', '-o', at('later'))).code).toBe(2);
  });

  test('a submitter is killed in the middle: submitting again goes on, and nothing is done twice', async () => {
    const args = ['farm', 'submit', at('in'), '-i', 'make it brighter', '-o', at('killed')];
    const child = spawn(process.execPath, ['dist/main/cli.js', ...args], { stdio: 'ignore' });
    const submitted = async () => (JSON.parse((await scalebrush('farm', 'status', '--json')).stdout) as FarmStatus).queues[0]?.waiting ?? 0;
    while ((await submitted()) === 0);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await submitted()).toBeLessThanOrEqual(PICTURES);
    const { code, stderr } = await scalebrush(...args, '--detach');
    expect(code).toBe(0);
    expect(await submitted()).toBe(PICTURES);
    const batch = /^batch ([0-9a-f]{32})$/mu.exec(stderr)?.[1] ?? '';
    expect((await scalebrush('farm', 'cancel', batch)).code).toBe(0);
    expect(await submitted()).toBe(0);
  });

  describe('refuses to start where it would not be safe', () => {
    const refusal = async (environment: Readonly<Record<string, string>>): Promise<string> => {
      const before = process.env['SCALEBRUSH_FARM'];
      Object.assign(process.env, environment);
      const { code, stdout } = await scalebrush('farm', 'worker', '--json');
      process.env['SCALEBRUSH_FARM'] = before;
      expect(code).toBe(2);
      const { error } = JSON.parse(stdout) as { readonly error: { readonly code: string; readonly message: string } };
      return `${error.code}: ${error.message}`;
    };

    test.each([
      [
        'an eviction policy',
        ['--maxmemory-policy', 'allkeys-lru'],
        'farm.unsafe: Expected maxmemory-policy noeviction but received allkeys-lru.',
      ],
      ['no log', ['--appendonly', 'no'], 'farm.unsafe: Expected appendonly yes but received no.'],
    ])('%s', async (_, settings, expected) => {
      await mkdir(at('unsafe'), { recursive: true });
      const unsafe = await startRedis(at('unsafe'), settings);
      try {
        expect(await refusal({ SCALEBRUSH_FARM: unsafe.url })).toBe(expected);
      } finally {
        await unsafe.kill();
      }
    });

    test('an address beyond this machine without TLS, or without a password', async () => {
      const noTls = await refusal({ SCALEBRUSH_FARM: 'redis://u:secret@192.0.2.1:6379' });
      expect(noTls).toBe('farm.unsafe: Expected rediss:// for a farm beyond this machine but received redis:.');
      const noPassword = await refusal({ SCALEBRUSH_FARM: 'rediss://192.0.2.1:6379' });
      expect(noPassword).toBe('farm.unsafe: Expected a password for a farm beyond this machine but received none.');
    });

    test('a secret that others may read', async () => {
      await writeFile(at('open'), redis.url);
      await chmod(at('open'), 0o644);
      expect(await refusal({ SCALEBRUSH_FARM: at('open') })).toBe(
        `farm.unsafe: Expected mode 600 for ${at('open')}, which holds a secret, but it has 644.`,
      );
    });

    test('and says what is not there, without the secret', async () => {
      const nobody = await refusal({ SCALEBRUSH_FARM: 'redis://u:secret@127.0.0.1:1' });
      expect(nobody).toBe('farm.unreachable: Expected Redis at redis://127.0.0.1:1 but it could not be reached (ECONNREFUSED).');
    });
  });
});
