import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, type Page } from '@playwright/test';
import { unzipSync } from 'fflate';
import type { FarmStatus } from '#contract/farm.js';
import { sha256 } from '#service/digest.js';
import { scenePng } from '../support/pictures.js';
import { REDIS_SERVER, startRedis, type TestRedis } from '../support/redis.js';
import { scalebrush } from './support/cli.js';
import { test } from './support/studio.js';

test.skip(REDIS_SERVER === undefined, 'there is no redis-server');

let root: string;
let redis: TestRedis;
let worker: ChildProcess | undefined;
const at = (...names: string[]) => path.join(root, ...names);

test.beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-farm-window-'));
  redis = await startRedis(root);
  [process.env['SCALEBRUSH_FARM'], process.env['SCALEBRUSH_FARM_STORE']] = [redis.url, at('store')];
});

test.afterEach(async () => {
  delete process.env['SCALEBRUSH_FARM'];
  delete process.env['SCALEBRUSH_FARM_STORE'];
  await dismiss();
  await redis.kill();
  await rm(root, { recursive: true, force: true });
});

function hire(): void {
  worker = spawn(process.execPath, ['dist/main/cli.js', 'farm', 'worker', '--threads', '1'], { stdio: 'ignore' });
}

async function dismiss(): Promise<void> {
  if (worker?.exitCode !== null || worker.signalCode !== null) return;
  const ended = once(worker, 'exit');
  worker.kill('SIGTERM');
  await ended;
}

async function waiting(): Promise<number> {
  const { queues } = JSON.parse((await scalebrush('farm', 'status', '--json')).stdout) as FarmStatus;
  return queues.reduce((sum, queue) => sum + queue.waiting, 0);
}

function blobOf(bytes: Buffer): string {
  const digest = sha256(bytes);
  return at('store', 'blobs', digest.slice(0, 2), digest);
}

/** Notes all that the list ever says, and every preview that it shows: a picture may be done before anyone looks. */
async function watchList(page: Page): Promise<() => Promise<{ readonly said: readonly string[]; readonly previews: number }>> {
  await page.evaluate(() => {
    const seen = { said: new Set<string>(), previews: new Set<string>() };
    Object.assign(window, { seen });
    const look = (): void => {
      for (const entry of document.querySelectorAll('[data-testid="batch-entry"]')) {
        seen.said.add(entry.querySelector('.detail')?.textContent ?? '');
        for (const { src } of entry.querySelectorAll('img')) seen.previews.add(src);
      }
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  return () =>
    page.evaluate(() => {
      const { seen } = window as unknown as { seen: { said: Set<string>; previews: Set<string> } };
      return { said: [...seen.said], previews: seen.previews.size };
    });
}

test('a batch on the farm: left, found again after a reload, watched, its refused picture tried again, cancelled and gone on with', async ({
  program,
}) => {
  test.setTimeout(240_000);
  const { page, agreeToLeave } = await program.start();
  const sources = new Map<string, Buffer>();
  for (const [index, name] of ['a.png', 'b.png', 'c.png'].entries()) sources.set(name, Buffer.from(await scenePng(320 + index, 240)));
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warmer');
  await page.getByRole('button', { name: 'Many pictures at once' }).click();
  const dialog = page.getByRole('dialog', { name: 'Many pictures at once' });
  const status = dialog.getByRole('status');
  const choose = () =>
    page.getByTestId('batch-input').setInputFiles([...sources].map(([name, buffer]) => ({ name, buffer, mimeType: 'image/png' })));
  await choose();
  await page.getByTestId('batch-where').selectOption({ label: `the farm ${redis.url}` });
  await dialog.getByRole('button', { name: 'Start' }).click();
  await expect(status).toHaveText('On the farm: 0 done, 0 refused, 3 to do.', { timeout: 30_000 });
  await expect.poll(waiting, { timeout: 60_000 }).toBe(3);

  await dialog.getByRole('button', { name: 'Leave it to the farm' }).click();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(dialog).toBeHidden();
  await agreeToLeave();
  await page.reload();
  await expect(status).toHaveText('The window was loaded anew: 0 done, 0 refused, 3 to do. Press Go on.');
  expect(await waiting()).toBe(3);

  // Of one picture the store loses the bytes.
  const lost = blobOf(sources.get('b.png')!);
  await rename(lost, at('lost'));
  const seen = await watchList(page);
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await expect(status).toHaveText('On the farm: 0 done, 0 refused, 3 to do.', { timeout: 30_000 });
  hire();
  await expect(status).toHaveText('2 done, 1 refused, 0 to do.', { timeout: 90_000 });
  const { said, previews } = await seen();
  expect(said.filter((words) => /^(Scale|Detail) \d+ of \d+$/u.test(words)).length).toBeGreaterThan(1);
  expect(previews).toBeGreaterThan(0);
  await expect(dialog.getByRole('img')).toHaveCount(0);
  const entries = (state: string) => page.locator(`[data-testid="batch-entry"][data-state="${state}"]`);
  await expect(entries('refused')).toContainText('b.png');
  await expect(entries('refused')).toContainText('could not be read');

  await rename(at('lost'), lost);
  await dialog.getByRole('button', { name: 'Try the refused again' }).click();
  await expect(status).toHaveText('3 done, 0 refused, 0 to do.', { timeout: 90_000 });
  const [zipped] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'zip' }).click()]);
  const results = unzipSync(new Uint8Array(await readFile(await zipped.path())));
  await mkdir(at('in'));
  for (const [name, bytes] of sources) await writeFile(at('in', name), bytes);
  expect((await scalebrush('batch', at('in'), '-i', 'make it warmer', '-o', at('out'))).code).toBe(0);
  for (const [name, bytes] of Object.entries(results)) expect([name, await readFile(at('out', name))]).toEqual([name, Buffer.from(bytes)]);
  // Nobody needs what was shown meanwhile.
  expect(await readdir(at('store', 'previews'))).toEqual([]);

  await dismiss();
  sources.set('a.png', Buffer.from(await scenePng(400, 240)));
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warmer');
  await page.getByRole('button', { name: 'Many pictures at once' }).click();
  await choose();
  await dialog.getByRole('button', { name: 'Start' }).click();
  await expect.poll(waiting, { timeout: 60_000 }).toBe(1);
  await expect(status).toHaveText('On the farm: 2 done, 0 refused, 1 to do.', { timeout: 30_000 });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(status).toHaveText('2 done, 0 refused, 1 to do.', { timeout: 30_000 });
  expect(await waiting()).toBe(0);
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await expect.poll(waiting, { timeout: 60_000 }).toBe(1);
  hire();
  await expect(status).toHaveText('3 done, 0 refused, 0 to do.', { timeout: 90_000 });
});
