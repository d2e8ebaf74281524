import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { familyOf } from '../support/peak-memory.js';
import { scenePng } from '../support/pictures.js';

// Programs start here, and large bodies pass: a busy machine takes its time.
vi.setConfig({ testTimeout: 240_000 });
const CLI = path.resolve('dist/main/cli.js');
let root: string;
let scene: string;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'endings-test-'));
  scene = path.join(root, 'scene.png');
  await writeFile(scene, await scenePng(320, 240));
});

afterAll(() => rm(root, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  /** All that it and those that it started complained of, when the last of them has ended. */
  readonly complaints: Promise<string>;
}

function start(args: readonly string[]): Started {
  const env = { ...process.env, SCALEBRUSH_HOME: path.join(root, 'home') };
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stderr.on('data', (piece: Buffer) => (text += piece.toString()));
  return { child, complaints: once(child.stderr, 'close').then(() => text) };
}

async function startServe(): Promise<Started> {
  const started = start(['serve', '--json']);
  await once(createInterface(started.child.stdout!), 'line');
  return started;
}

describe.skipIf(process.platform === 'win32')('serve', () => {
  test.each([
    ['SIGTERM', 143, /^scalebrush: ended by SIGTERM\.$/mu],
    ['SIGHUP', 129, /^scalebrush: ended by SIGHUP\.$/mu],
    ['SIGINT', 130, /^$/u],
  ] as const)('that gets %s ends with exit code %i', async (signal, code, words) => {
    const { child, complaints } = await startServe();
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([code, null]);
    expect(await complaints).toMatch(words);
  });

  test.each([
    ['SIGKILL', 137],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('whose server alone gets %s says so, with exit code %i', async (signal, code) => {
    const { child, complaints } = await startServe();
    const [, server = 0] = familyOf(child.pid ?? 0);
    process.kill(server, signal);
    expect(await once(child, 'exit')).toEqual([code, null]);
    expect(await complaints).toBe(`scalebrush: ended by ${signal}, which another program sent.\n`);
  });

  test('that is killed takes everything with it that it started', async () => {
    const { child, complaints } = await startServe();
    const family = familyOf(child.pid ?? 0);
    expect(family.length).toBeGreaterThan(1);
    child.kill('SIGKILL');
    // They hold its pipe for complaints: it is closed when the last of them has ended.
    expect(await complaints).toBe('');
    expect(family.filter((pid) => familyOf(pid).length > 1)).toEqual([]);
  });

  test('of which SIGPIPE is nobody’s end', async () => {
    const { child, complaints } = await startServe();
    for (const pid of familyOf(child.pid ?? 0)) process.kill(pid, 'SIGPIPE');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([143, null]);
    expect(await complaints).toBe('scalebrush: ended by SIGTERM.\n');
  });

  test('whose reader is gone serves on', async () => {
    const { child, complaints } = await startServe();
    child.stdout?.destroy();
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(await complaints).not.toMatch(/EPIPE|\bat /u);
  });
});

test.skipIf(process.platform === 'win32')('what nobody reads is no failure', async () => {
  const listing = start(['packs', 'list']);
  listing.child.stdout?.destroy();
  expect(await once(listing.child, 'exit')).toEqual([0, null]);
  expect(await listing.complaints).toBe('');
  const editing = start(['edit', scene, '-i', 'make it night', '-o', path.join(root, 'unread.png')]);
  editing.child.stderr?.destroy();
  expect(await once(editing.child, 'exit')).toEqual([0, null]);
});

test.skipIf(process.platform === 'win32')('an edit that is killed leaves no complaint of the process that computed it', async () => {
  const { child, complaints } = start(['edit', scene, '-i', 'make it night', '-o', path.join(root, 'night.png')]);
  await once(createInterface(child.stderr!), 'line');
  child.kill('SIGKILL');
  expect(await complaints).not.toMatch(/EPIPE|CHANNEL|\bat /u);
});

test.skipIf(process.platform !== 'linux')(
  'an edit whose inference process stands still is cancelled, and the next one works',
  { timeout: 120_000 },
  async () => {
    const { startLiveServer } = await import('../support/running-server.js');
    const server = await startLiveServer();
    try {
      const { id } = await server.link.upload(await scenePng(320, 240), 'scene.png');
      const wish = { task: 'edit', source: id, instruction: 'make it night' } as const;
      const stopped = familyOf(server.child.pid ?? 0).at(-1) ?? 0;
      const cancel = new AbortController();
      const ends: string[] = [];
      for await (const { type } of server.link.stream('edit.run', { ...wish, count: 16 }, cancel.signal)) {
        ends.push(type);
        if (type === 'started') process.kill(stopped, 'SIGSTOP');
        cancel.abort();
      }
      expect(ends.at(-1)).toBe('cancelled');
      ends.length = 0;
      for await (const { type } of server.link.stream('edit.run', wish)) ends.push(type);
      expect(ends.at(-1)).toBe('done');
      expect(familyOf(server.child.pid ?? 0)).not.toContain(stopped);
    } finally {
      await server.stop();
    }
  },
);
