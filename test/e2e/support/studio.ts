import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test as base, expect, type Page } from '@playwright/test';
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
