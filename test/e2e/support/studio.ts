import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test as base, expect, type Download, type Locator, type Page } from '@playwright/test';
import type { Candidate, EditEvent } from '#contract/event.js';
import type { PictureId } from '#contract/request.js';
import { scenePng } from '../../support/pictures.js';
import { catchDrags, copyBuildWithoutService, draggedFile, launchDesktop, pidOf, type DesktopStart } from './desktop.js';

/** Who shows the window: a browser, over HTTP, or the desktop, over its preload bridge. */
export type Host = 'server' | 'desktop';

/** The program, started, with its window open. */
export interface Program {
  readonly page: Page;
  readonly serverPid: number;
  /** Process ids of its inference processes. */
  inferencePids(): readonly number[];
  /** What another program gets that a handle is dragged onto. */
  dragged(handle: Locator): Promise<{ readonly name: string; readonly bytes: Buffer }>;
  /** Whoever asks whether to leave a run is told to. */
  agreeToLeave(): Promise<void>;
  /** Leaves it as a user would. */
  readonly stop: () => Promise<void>;
  /** All of it at once, as a power failure would. */
  kill(): Promise<void>;
}

export interface Programs {
  /** Where it keeps its packs and journals unless a test says otherwise. */
  readonly home: string;
  start(home?: string): Promise<Program>;
  /** The window alone, before another service. */
  openBefore(url: string): Promise<Page>;
}

export interface Studio extends Program {
  openScene(width?: number, height?: number): Promise<void>;
}

function phase(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.documentElement.dataset['phase']);
}

/** The page itself looks with every frame: who asks from outside is up to a second late, and this is asked hundreds of times. */
export async function expectPhase(page: Page, wanted: string, timeout = 90_000): Promise<void> {
  const isReached = (name: string): boolean => document.documentElement.dataset['phase'] === name;
  const reached = await page.waitForFunction(isReached, wanted, { timeout }).then(
    () => wanted,
    () => phase(page),
  );
  expect(reached).toBe(wanted);
}

/** Whatever comes now, a reload or a kill, nothing that is on the table is lost. */
export async function expectKept(page: Page): Promise<void> {
  await expect(page.locator('html')).toHaveAttribute('data-journal', 'written');
}

/** The window of a program that holds nothing, once it knows its preferences and shows itself. */
export async function expectEmpty(page: Page): Promise<void> {
  await expectPhase(page, 'empty');
  await expect(page.locator('html')).toHaveAttribute('data-theme');
}

/** `home` is where it keeps its packs and journals. */
export async function startServer(home: string, port = 0): Promise<{ child: ChildProcess; url: string }> {
  const env = { ...process.env, SCALEBRUSH_HOME: home };
  const child = spawn(process.execPath, [path.resolve('dist/main/server.js'), '--json', '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(line.toString('utf8')) as { url: string };
  return { child, url };
}

async function openBrowser(home: string, page: Page): Promise<Program> {
  const { child, url } = await startServer(home);
  await page.goto(url);
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    await page.context().close();
  };
  return {
    page,
    serverPid: child.pid!,
    inferencePids: () => inferenceUnder(child.pid!),
    async dragged(handle) {
      const said = await handle.evaluate((button) => {
        const dataTransfer = new DataTransfer();
        button.dispatchEvent(new DragEvent('dragstart', { dataTransfer }));
        return dataTransfer.getData('DownloadURL');
      });
      const [, name = '', address = ''] = /^image\/\w+:([^:]*):(.*)$/u.exec(said) ?? [];
      return { name, bytes: await (await page.request.get(address)).body() };
    },
    // Playwright agrees by itself.
    agreeToLeave: () => Promise.resolve(),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

async function openDesktop(start: DesktopStart): Promise<Program> {
  const { app, page } = await launchDesktop(start);
  const shell = app.process();
  const serverPid = await pidOf(app, 'Scalebrush Service');
  const inferencePids = () => inferenceUnder(shell.pid!).filter((pid) => pid !== serverPid);
  const isThere = () => shell.exitCode === null && shell.signalCode === null;
  const agreeToLeave = () => app.evaluate(({ dialog }) => void (dialog.showMessageBoxSync = () => 1));
  return {
    page,
    serverPid,
    inferencePids,
    agreeToLeave,
    async dragged(handle) {
      await catchDrags(app);
      await handle.dispatchEvent('dragstart');
      await expect.poll(() => draggedFile(app)).not.toBe('');
      const file = await draggedFile(app);
      return { name: path.basename(file), bytes: await readFile(file) };
    },
    async stop() {
      if (!isThere()) return;
      await agreeToLeave();
      await app.close();
    },
    async kill() {
      const ended = once(shell, 'exit');
      for (const pid of [shell.pid!, serverPid, ...inferencePids()]) process.kill(pid, 'SIGKILL');
      await ended;
    },
  };
}

/** Real Electron tells the script of a utility process to no one: the service is of that kind, too. */
const INFERENCE = /inference\.js|node\.mojom\.NodeService/u;

/** Inference processes that a process started, or one that it started. */
function inferenceUnder(ancestor: number): readonly number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/u.exec(line) ?? []);
  const below = (pid: number): readonly number[] =>
    rows.flatMap(([, child, parent, args]) =>
      Number(parent) === pid ? [...(INFERENCE.test(args ?? '') ? [Number(child)] : []), ...below(Number(child))] : [],
    );
  return below(ancestor);
}

/** Addresses of this machine, and of the desktop's own scheme, also where the double serves it. */
function isOurs(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return ['blob:', 'data:', 'app:'].includes(protocol) || hostname === '127.0.0.1' || hostname.endsWith('.app.localhost');
}

interface Fixtures {
  /** The program by either host, as often as a test starts it. Requests that leave this machine fail the test, and so do errors that the page did not catch. */
  readonly program: Programs;
  /** The program with the real engine and the built-in pack, one per test. */
  readonly studio: Studio;
}

export interface OfWorker {
  readonly host: Host;
  /** A build of the desktop whose service is another. */
  readonly otherBuild: string;
}

export const test = base.extend<Fixtures, OfWorker>({
  host: ['server', { option: true, scope: 'worker' }],
  otherBuild: [
    async ({ browserName: _ }, use) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'scalebrush-build-'));
      await copyBuildWithoutService(folder);
      await use(folder);
      await rm(folder, { recursive: true });
    },
    { scope: 'worker' },
  ],
  program: async ({ host, otherBuild, browser, viewport, colorScheme, locale }, use) => {
    const own = await mkdtemp(path.join(tmpdir(), 'scalebrush-home-'));
    // How many variants a second allows is the machine's: specs get one, unless they ask for more.
    await writeFile(path.join(own, 'preferences.json'), JSON.stringify({ version: 1, variants: 1 }));
    const home = process.env['SCALEBRUSH_HOME'] ?? own;
    const ends: (() => Promise<void>)[] = [];
    const faults: string[] = [];
    const watch = (page: Page): Page => {
      page.on('request', (request) => {
        if (!isOurs(request.url())) faults.push(request.url());
      });
      page.on('pageerror', (error) => faults.push(error.message));
      return page;
    };
    // In a context that pages can be added to, as axe does.
    const newPage = async (): Promise<Page> => watch(await (await browser.newContext()).newPage());
    const desktop = async (start: DesktopStart): Promise<Program> => {
      const program = await openDesktop({ ...start, ...(colorScheme && { colorScheme }), ...(locale !== undefined && { locale }) });
      watch(program.page);
      if (viewport) await program.page.setViewportSize(viewport);
      return program;
    };
    const started = (program: Program): Program => {
      ends.push(program.stop);
      return program;
    };
    await use({
      home,
      async start(where = home) {
        return started(await (host === 'server' ? openBrowser(where, await newPage()) : desktop({ home: where })));
      },
      async openBefore(url) {
        if (host === 'desktop') {
          return started(await desktop({ home, build: otherBuild, env: { SCALEBRUSH_OTHER_SERVICE: url } })).page;
        }
        const page = await newPage();
        ends.push(() => page.context().close());
        await page.goto(url);
        return page;
      },
    });
    for (const end of ends) await end();
    expect(faults).toEqual([]);
    await rm(own, { recursive: true, force: true });
  },
  studio: async ({ program }, use) => {
    const started = await program.start();
    const { page } = started;
    await expectEmpty(page);
    await use({
      ...started,
      async openScene(width = 320, height = 240) {
        const buffer = Buffer.from(await scenePng(width, height));
        await page.getByTestId('file-input').setInputFiles({ name: 'scene.png', mimeType: 'image/png', buffer });
        await expectPhase(page, 'ready');
      },
    });
  },
});

/** What the page gets from its own address. */
export async function fetched(page: Page, address: string): Promise<Buffer> {
  const bytes = await page.evaluate(async (from) => [...new Uint8Array(await (await fetch(from)).arrayBuffer())], address);
  return Buffer.from(bytes);
}

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

/** Says a wish, and waits for what comes of it. */
export async function edit(page: Page, instruction: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Instruction' }).fill(instruction);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
}

export async function openBytes(page: Page, name: string, buffer: Buffer): Promise<void> {
  await page.getByTestId('file-input').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
}

type Saving = [format: string, choose?: (dialog: Page) => Promise<void>];

/** The file that the save dialog gives; `choose` sets what else there is to be set. */
export async function savedFile(page: Page, ...[format, choose]: Saving): Promise<Download> {
  await page.getByRole('button', { name: 'Save…' }).click();
  await page.getByRole('combobox', { name: 'Format' }).selectOption(format);
  await choose?.(page);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save', exact: true }).click()]);
  return download;
}

/** The picture that is shown, as the save dialog gives it. */
export async function saved(page: Page, ...saving: Saving): Promise<Buffer> {
  return readFile(await (await savedFile(page, ...saving)).path());
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
