import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { farmAddress, shownAddress } from '#farm/address.js';
import { answersWithoutPassword } from '#farm/connection.js';
import { expectClosed, expectSafeAddress, expectSafeServer, isLoopback } from '#farm/safety.js';
import { REDIS_SERVER, startRedis } from '../../support/redis.js';

const SAFE = 'redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n';

it('knows what is this machine', () => {
  expect(['localhost', '127.0.0.1', '127.9.9.9', '[::1]'].map(isLoopback)).toEqual([true, true, true, true]);
  expect(['localhost.evil.example', '127.0.0.1.example', '128.0.0.1', '0.0.0.0', '[::]'].map(isLoopback)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});

it.each<[string, () => void]>([
  [
    'tls',
    () => {
      expectSafeAddress(new URL('redis://u:p@farm.example'));
    },
  ],
  [
    'password',
    () => {
      expectSafeAddress(new URL('rediss://farm.example'));
    },
  ],
  [
    'password',
    () => {
      expectClosed(true);
    },
  ],
  [
    'maxmemory-policy',
    () => {
      expectSafeServer(SAFE.replace('noeviction', 'volatile-lru'));
    },
  ],
  [
    'maxmemory-policy',
    () => {
      expectSafeServer('');
    },
  ],
  [
    'appendonly',
    () => {
      expectSafeServer(SAFE.replace('aof_enabled:1', 'aof_enabled:0'));
    },
  ],
])('refuses an unsafe setting: %s', (setting, act) => {
  let refusal: unknown;
  try {
    act();
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toMatchObject({ code: 'farm.unsafe', details: { setting } });
});

it('takes what is safe', () => {
  expectSafeAddress(new URL('redis://127.0.0.1:6379'));
  expectSafeAddress(new URL('rediss://u:p@farm.example:6380'));
  expectSafeServer(SAFE);
  expectClosed(false);
});

it.skipIf(REDIS_SERVER === undefined)('asks a server without its password, with a redis-server', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'farm-safety-'));
  for (const [settings, answers] of [
    [[], true],
    [['--requirepass', 'secret'], false],
  ] as const) {
    const redis = await startRedis(folder, settings);
    const url = new URL(redis.url);
    url.password = 'secret';
    expect(await answersWithoutPassword({ url, store: folder })).toBe(answers);
    await redis.kill();
  }
  await rm(folder, { recursive: true });
});

it('reads the address from the environment before the preferences, and shows it without its secret', async () => {
  const preferred = { file: 'redis://127.0.0.1:2', store: '/shared' };
  const said = await farmAddress({ SCALEBRUSH_FARM: 'redis://u:secret@127.0.0.1:1' }, preferred);
  expect([shownAddress(said), said.store]).toEqual(['redis://127.0.0.1:1', '/shared']);
  expect(shownAddress(await farmAddress({}, preferred))).toBe('redis://127.0.0.1:2');
  await expect(farmAddress({}, undefined)).rejects.toMatchObject({ code: 'farm.unreachable', details: { set: false } });
  await expect(farmAddress({ SCALEBRUSH_FARM: 'redis://u:secret@host/nonsense' }, undefined)).rejects.not.toThrow('secret');
});
