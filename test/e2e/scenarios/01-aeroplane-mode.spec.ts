import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, type Page } from '@playwright/test';
import { CAN_TRACE, layGround, leftIn, traced } from '../support/audit.js';
import { connectionsBeyond } from '../support/connections.js';
import { expectPhase, test } from '../support/studio.js';

test.skip(process.platform !== 'linux', 'the sockets of a process are read from Linux’s /proc');

/** A scene, an instruction, Enter: the edit is there. */
async function makeTheCarBlue(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Red car' }).click();
  await expectPhase(page, 'ready');
  const wish = page.getByRole('textbox', { name: 'Instruction' });
  await wish.fill('make the car blue');
  await wish.press('Enter');
  await expect(page.locator('[data-testid="scale-cell"][data-state="done"]').first()).toBeVisible();
  await expectPhase(page, 'done');
  await expect(page.getByText(/pixels changed\./u)).toBeVisible();
}

test('a connection beyond this machine would be seen', async () => {
  const inside = connect(9, '127.0.0.1').on('error', () => undefined);
  const outside = createSocket('udp4');
  try {
    // Naming where datagrams would go sends none.
    await new Promise<void>((resolve) => {
      outside.connect(9, '192.0.2.1', resolve);
    });
    expect(connectionsBeyond([process.pid])).toEqual([expect.stringMatching(/^udp 010200C0:/u)]);
  } finally {
    inside.destroy();
    outside.close();
  }
});

test('scenario 1: a scene, an instruction, Enter: the edit is there, and nothing has left the machine', async ({ studio }) => {
  const { page } = studio;
  const left = new Set<string>();
  const watch = setInterval(() => {
    for (const where of connectionsBeyond([studio.serverPid, ...studio.inferencePids()])) left.add(where);
  }, 50);
  try {
    await makeTheCarBlue(page);
  } finally {
    clearInterval(watch);
  }
  expect([...left]).toEqual([]);
});

test('scenario 1 as the system sees it: no socket beyond loopback, and no file but the preferences', async ({ page, host }) => {
  test.skip(!CAN_TRACE || host !== 'server', 'needs strace, and a server that it can start');
  const root = await mkdtemp(path.join(tmpdir(), 'audit-test-'));
  const ground = await layGround(root);
  const { child, seen } = traced([path.resolve('dist/main/server.js'), '--json'], ground);
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  await page.goto((JSON.parse(line) as { url: string }).url);
  await expectPhase(page, 'empty');
  await makeTheCarBlue(page);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  const { sockets, written } = await seen();
  expect(sockets).toEqual([]);
  expect(written.filter((file) => !/^(?:tmp\/scalebrush-pictures-|home\/\.local\/share\/scalebrush\/|\/dev\/null$)/u.test(file))).toEqual(
    [],
  );
  expect((await leftIn(ground)).filter((file) => !file.startsWith('home/.local/share/scalebrush/'))).toEqual([]);
  await rm(root, { recursive: true, force: true });
});
