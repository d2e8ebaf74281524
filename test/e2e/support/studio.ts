import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test as base, expect, type Page } from '@playwright/test';
import type { Candidate, EditEvent } from '#contract/event.js';
import type { PictureId } from '#contract/request.js';
import { scenePng } from '../../support/pictures.js';

export interface Studio {
  readonly page: Page;
  readonly serverPid: number;
  openScene(width?: number, height?: number): Promise<void>;
  /** Process ids of the inference processes of this studio. */
  inferencePids(): readonly number[];
}

function phase(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.documentElement.dataset['phase']);
}

export async function expectPhase(page: Page, wanted: string, timeout = 30_000): Promise<void> {
  await expect.poll(() => phase(page), { timeout }).toBe(wanted);
}

/** `home` is where it keeps its packs and journals. */
export async function startServer(home: string): Promise<{ child: ChildProcess; url: string }> {
  const env = { ...process.env, SCALEBRUSH_HOME: home };
  const child = spawn(process.execPath, [path.resolve('dist/main/server.js'), '--json'], { stdio: ['ignore', 'pipe', 'inherit'], env });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(line.toString('utf8')) as { url: string };
  return { child, url };
}

function childrenOf(pid: number): readonly number[] {
  const listing = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return listing.split('\n').flatMap((line) => {
    const [, child, parent, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/u.exec(line) ?? [];
    return Number(parent) === pid && args?.includes('inference.js') ? [Number(child)] : [];
  });
}

/** The real server with the real engine and the built-in pack, one per test. Any request that leaves this machine fails the test. */
export const test = base.extend<{ studio: Studio }>({
  studio: async ({ page }, use) => {
    const own = await mkdtemp(path.join(tmpdir(), 'scalebrush-home-'));
    const home = process.env['SCALEBRUSH_HOME'] ?? own;
    const { child, url } = await startServer(home);
    const strangers: string[] = [];
    page.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url());
      if (!['blob:', 'data:'].includes(protocol) && hostname !== '127.0.0.1') strangers.push(request.url());
    });
    await page.goto(url);
    await expectPhase(page, 'empty');
    await use({
      page,
      serverPid: child.pid!,
      async openScene(width = 320, height = 240) {
        const buffer = Buffer.from(await scenePng(width, height));
        await page.getByTestId('file-input').setInputFiles({ name: 'scene.png', mimeType: 'image/png', buffer });
        await expectPhase(page, 'ready');
      },
      inferencePids: () => childrenOf(child.pid!),
    });
    expect(strangers).toEqual([]);
    child.kill('SIGTERM');
    await rm(own, { recursive: true, force: true });
  },
});

/** The candidates of the run that `start` starts, as the window receives them. */
export async function candidatesOf(page: Page, start: () => Promise<void>): Promise<readonly Candidate<PictureId>[]> {
  // Beside the window: the browser does not keep the body of a stream for us.
  await page.evaluate(() => {
    const { fetch } = window;
    window.fetch = async (...request) => {
      const response = await fetch(...request);
      if (response.url.endsWith('/edit.run')) Object.assign(window, { run: response.clone().text() });
      return response;
    };
  });
  await start();
  await expectPhase(page, 'done');
  const lines = await page.evaluate(() => (window as unknown as { run: Promise<string> }).run);
  const events = lines.trim().split('\n').map((line) => JSON.parse(line) as EditEvent); // prettier-ignore
  return events.flatMap((event) => (event.type === 'candidate' ? [event.candidate] : []));
}

/** The picture that is shown, as the save dialog gives it; `choose` sets what else the dialog asks. */
export async function saved(page: Page, format: string, choose: () => Promise<void> = () => Promise.resolve()): Promise<Buffer> {
  await page.getByRole('button', { name: 'Save…' }).click();
  await page.getByRole('combobox', { name: 'Format' }).selectOption(format);
  await choose();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save', exact: true }).click()]);
  return readFile(await download.path());
}

/** Drags across the picture, from and to given as shares of the canvas. */
export async function stroke(page: Page, from: readonly [number, number], to: readonly [number, number]): Promise<void> {
  const box = (await page.getByTestId('canvas').boundingBox())!;
  const at = ([x, y]: readonly [number, number]) => [box.x + box.width * x, box.y + box.height * y] as const;
  await page.mouse.move(...at(from));
  await page.mouse.down();
  await page.mouse.move(...at(to), { steps: 12 });
  await page.mouse.up();
}

/** The identity of what is drawn on the canvas, without the focus ring around it. */
export function canvasShot(page: Page): Promise<string> {
  return page.getByTestId('canvas').evaluate(async (canvas: HTMLCanvasElement) => {
    // What has just changed is drawn with the next frame.
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    const pixels = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data;
    const digest = await crypto.subtle.digest('SHA-256', pixels);
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  });
}
