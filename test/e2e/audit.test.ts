import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { maskPng, scenePng } from '../support/pictures.js';
import { openHttpLink } from '../support/http-link.js';
import { CAN_TRACE, layGround, leftIn, runTraced, traced, type Ground, type Seen } from './support/audit.js';

/** What a job may write beside its own results: nothing of it stays but what the user is told of in docs/privacy.md. */
const ALLOWED = [
  /^tmp\/scalebrush-pictures-[\w-]+\/[\w-]+$/u,
  /^home\/\.local\/share\/scalebrush\/(?:packs|journal|preferences\.json|\.)/u,
  /^\/dev\/(?:null|shm\/sem\.|tty)/u,
  /^\/proc\/self\//u,
];
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

test.skipIf(!CAN_TRACE)('a packet to another machine, and a file beside the results, would be seen (needs strace)', async () => {
  // Naming where datagrams would go sends none.
  const script = `require('node:dgram').createSocket('udp4').connect(9, '192.0.2.1', () => process.exit());
    require('node:fs').writeFileSync(process.env.TMPDIR + '/deviceid', '')`;
  const seen = await runTraced(['-e', script], ground);
  expect(seen.sockets).toEqual([expect.stringContaining('0.0.0.0'), expect.stringContaining('192.0.2.1')]);
  expect(strays(seen, /^$/u)).toEqual(['tmp/deviceid']);
  expect(await leftIn(ground)).toEqual(['tmp/deviceid']);
});

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
