import { connect } from 'node:net';
import { createSocket } from 'node:dgram';
import { expect } from '@playwright/test';
import { connectionsBeyond } from '../support/connections.js';
import { expectPhase, test } from '../support/studio.js';

test.skip(process.platform !== 'linux', 'the sockets of a process are read from Linux’s /proc');

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
    await page.getByRole('button', { name: 'Red car' }).click();
    await expectPhase(page, 'ready');
    const wish = page.getByRole('textbox', { name: 'Instruction' });
    await wish.fill('make the car blue');
    await wish.press('Enter');
    await expect(page.locator('[data-testid="scale-cell"][data-state="done"]').first()).toBeVisible();
    await expectPhase(page, 'done');
    await expect(page.getByText(/pixels changed\./u)).toBeVisible();
  } finally {
    clearInterval(watch);
  }
  expect([...left]).toEqual([]);
});
