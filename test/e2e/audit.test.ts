import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { maskPng, scenePng } from '../support/pictures.js';
import { openHttpLink } from '../support/http-link.js';
import { REDIS_SERVER, startRedis } from '../support/redis.js';
import { CAN_TRACE, layGround, leftIn, runTraced, traced, type Ground, type Seen } from './support/audit.js';

/** What a job may write beside its own results: nothing of it stays but what the user is told of in docs/privacy.md. */
const ALLOWED = [
  /^tmp\/scalebrush-pictures-[\w-]+\/[\w-]+$/u,
  /^home\/\.local\/share\/scalebrush\/(?:packs|journal|preferences\.json|\.)/u,
  /^\/dev\/(?:null|shm\/sem\.|tty)/u,
  /^\/proc\/self\//u,
];
// Programs start here, and large bodies pass: a busy machine takes its time.
vi.setConfig({ testTimeout: 240_000 });
const CLI = path.resolve('dist/main/cli.js');

let ground: Ground;

beforeEach(async () => {
  ground = await layGround(await mkdtemp(path.join(os.tmpdir(), 'audit-test-')));
  await writeFile(path.join(ground.root, 'work/scene.png'), await scenePng(320, 240));
});

afterEach(() => rm(ground.root, { recursive: true, force: true }));

/** What was written beyond the allow-list and the job's own results. */
function strays({ written }: Seen, results: RegExp): readonly string[] {
  return written.filter((file) => ![...ALLOWED, results].some((allowed) => allowed.test(file)));
}

async function expectQuiet(args: readonly string[], results: RegExp): Promise<void> {
  const seen = await runTraced([CLI, ...args], ground);
  expect(seen.code).toBe(0);
  expect(seen.sockets).toEqual([]);
  expect(strays(seen, results)).toEqual([]);
  expect(await leftIn(ground)).toEqual([]);
}

test.skipIf(!CAN_TRACE)('what the system sees of an edit: no socket beyond loopback, no file beside the result (needs strace)', () =>
  expectQuiet(['edit', 'scene.png', '-i', 'make it night', '-o', 'night.png'], /^(?:work\/)?\.?night\.png/u),
);

test.skipIf(!CAN_TRACE)(
  'a packet to another machine, a question for a name, and a file or folder beside the results would be seen (needs strace)',
  async () => {
    // Naming where datagrams would go sends none.
    const script = `const { createSocket } = require('node:dgram');
    const { mkdirSync, writeFileSync } = require('node:fs');
    createSocket('udp4').connect(53, '127.0.0.53', () => createSocket('udp4').connect(9, '192.0.2.1', () => process.exit()));
    writeFileSync(process.env.TMPDIR + '/deviceid', '');
    mkdirSync(process.env.HOME + '/.vendor')`;
    const seen = await runTraced(['-e', script], ground);
    for (const address of ['127.0.0.53', '192.0.2.1'])
      expect(seen.sockets).toContainEqual(expect.stringMatching(new RegExp(`connect.*${address}`, 'u')));
    expect(strays(seen, /^$/u)).toEqual(['tmp/deviceid']);
    expect(await leftIn(ground)).toEqual(['home/.vendor', 'tmp/deviceid']);
  },
);

test.skipIf(!CAN_TRACE)('what the system sees of a fill (needs strace)', async () => {
  const mask = await maskPng({ width: 320, height: 240 }, { x: 80, y: 60, width: 90, height: 70 });
  await writeFile(path.join(ground.root, 'work/mask.png'), mask);
  await expectQuiet(['fill', 'scene.png', '-m', 'mask.png', '-o', 'filled.png'], /^(?:work\/)?\.?filled\.png/u);
});

test.skipIf(!CAN_TRACE)('what the system sees of a batch (needs strace)', () =>
  expectQuiet(['batch', 'scene.png', '-i', 'make it night', '-o', 'out'], /^(?:work\/)?out\//u),
);

test.skipIf(!CAN_TRACE)('what the system sees of serve while a page works with it (needs strace)', async () => {
  const { child, seen } = traced([CLI, 'serve', '--json'], ground);
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  const link = await openHttpLink((JSON.parse(line) as { url: string }).url);
  const { id } = await link.upload(await scenePng(320, 240), 'scene.png');
  for (let run = 0; run < 2; run++) {
    const ends: string[] = [];
    for await (const { type } of link.stream('edit.run', { task: 'edit', source: id, instruction: 'make it night' })) ends.push(type);
    expect(ends.at(-1)).toBe('done');
  }
  await link.call('providers.list', {});
  await link.call('preferences.write', await link.call('preferences.read', {}));
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  await ended;
  const all = await seen();
  expect(all.sockets).toEqual([]);
  expect(strays(all, /^$/u)).toEqual([]);
  expect(await leftIn(ground)).toEqual(['home/.local/share/scalebrush/preferences.json']);
});

test.skipIf(!CAN_TRACE || REDIS_SERVER === undefined)(
  'what the system sees of a worker of a farm, and of who gives it work (needs strace and a redis-server)',
  async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'audit-redis-'));
    const redis = await startRedis(folder);
    try {
      const env = { ...ground.env, SCALEBRUSH_FARM: redis.url, SCALEBRUSH_FARM_STORE: path.join(ground.root, 'store') };
      const farm = { ...ground, env };
      const worker = traced([CLI, 'farm', 'worker', '--metrics', '0'], farm, ['ignore', 'inherit', 'pipe']);
      for await (const line of createInterface(worker.child.stderr!)) if (line.startsWith('ready')) break;
      worker.child.stderr?.resume();
      const submitted = await runTraced([CLI, 'farm', 'submit', 'scene.png', '-i', 'make it night', '-o', 'out'], farm);
      expect(submitted.code).toBe(0);
      const ended = once(worker.child, 'exit');
      worker.child.kill('SIGTERM');
      await ended;
      for (const seen of [submitted, await worker.seen()]) {
        expect(seen.sockets).toEqual([]);
        expect(strays(seen, /^(?:work\/)?(?:out|store)\//u)).toEqual([]);
      }
      expect(await leftIn(ground)).toEqual([]);
    } finally {
      await redis.kill();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
