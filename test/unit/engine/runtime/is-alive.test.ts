import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { isAlive } from '#engine/runtime/is-alive.js';

test('a process lives until it ends', async () => {
  expect(isAlive(process.pid)).toBe(true);
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
  expect(isAlive(child.pid!)).toBe(true);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  expect(isAlive(child.pid!)).toBe(false);
});

// Elsewhere nobody says so.
test.runIf(process.platform === 'linux')('one that has ended is not alive where its parent never asked what became of it', async () => {
  // What it runs next knows nothing of the child that the shell had.
  const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString('utf8'));
    await vi.waitUntil(() => readFileSync(`/proc/${String(pid)}/stat`, 'utf8').includes(') Z '));
    expect(isAlive(pid)).toBe(false);
  } finally {
    parent.kill('SIGKILL');
  }
});
