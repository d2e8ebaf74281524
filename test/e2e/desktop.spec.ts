import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { _electron, expect, test, type ElectronApplication, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { expectPhase } from './support/studio.js';

/** Another build where one is named: desktop-faults.test.ts looks whether faults are found. */
const root = path.resolve(process.env['SCALEBRUSH_DESKTOP'] ?? '.');
const marker = path.join(root, 'node_modules/electron/path.txt');
/** The real binary where it was downloaded, else the double: real Chromium, the built main module and preload script. */
const binary = existsSync(marker)
  ? path.join(root, 'node_modules/electron/dist', readFileSync(marker, 'utf8').trim())
  : path.resolve('test/desktop/double/electron');

let folder: string;
let app: ElectronApplication;
let page: Page;

async function launch(...words: readonly string[]): Promise<void> {
  app = await _electron.launch({
    executablePath: binary,
    args: [root, ...words, `--user-data-dir=${path.join(folder, 'user')}`],
    cwd: root,
    env: { ...(process.env as Record<string, string>), SCALEBRUSH_HOME: path.join(folder, 'home') },
  });
  page = await app.firstWindow();
  // Playwright would answer by itself what the application is to answer.
  page.on('dialog', () => undefined);
  await page.waitForURL(/127\.0\.0\.1/u);
  await page.waitForFunction(() => document.documentElement.dataset['phase'] !== undefined);
}

const menuLabels = () =>
  app.evaluate(({ Menu }) => {
    const recent = Menu.getApplicationMenu()?.getMenuItemById('recent')?.submenu;
    return recent?.items.map(({ label }) => label) ?? [];
  });

const press = (id: string) =>
  app.evaluate(({ Menu, BrowserWindow }, item) => {
    const [window] = BrowserWindow.getAllWindows();
    Menu.getApplicationMenu()?.getMenuItemById(item)?.click(undefined, window, undefined);
  }, id);

const settings = async () => JSON.parse(await readFile(path.join(folder, 'user/settings.json'), 'utf8')) as { recent: string[] };

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-desktop-'));
  for (const name of ['first.png', 'second.png']) await writeFile(path.join(folder, name), await scenePng(320, 240));
  await launch(path.join(folder, 'first.png'));
});

test.afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true, force: true });
});

test('a file on the command line is open at once, and the main job works', async () => {
  await expectPhase(page, 'ready');
  await expect(page.getByText('first.png')).toBeVisible();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await page.getByRole('button', { name: 'Keep' }).click();
});

test('menus do what the keys do', async () => {
  await press('keys');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  await page.keyboard.press('Escape');
  await press('undo');
  await expectPhase(page, 'ready');
  await press('openCheckpoint');
  await expect(page.getByRole('dialog', { name: 'Open a published checkpoint' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Choose files…' })).toBeVisible();
  await page.keyboard.press('Escape');
});

test('a second start opens its file in the first, and both are remembered', async () => {
  await app.evaluate(
    ({ app: shell }, file) => shell.emit('second-instance', {}, ['scalebrush', file], '/'),
    path.join(folder, 'second.png'),
  );
  await expect(page.getByText('second.png')).toBeVisible();
  await expect.poll(menuLabels).toEqual(['second.png', 'first.png']);
  expect((await settings()).recent.map((file) => path.basename(file))).toEqual(['second.png', 'first.png']);
});

test('a file that is gone is said and forgotten', async () => {
  await app.evaluate(
    ({ app: shell, dialog }, file) => {
      dialog.showErrorBox = (title, text) => ((globalThis as { said?: string }).said = `${title}: ${text}`);
      shell.emit('open-file', { preventDefault: () => undefined }, file);
    },
    path.join(folder, 'gone.png'),
  );
  await expect.poll(() => app.evaluate(() => (globalThis as { said?: string }).said)).toMatch(/could not be opened: .*gone\.png/u);
});

test('the page has no powers', async () => {
  const powers = await page.evaluate(() => {
    const world = globalThis as Record<string, unknown>;
    return {
      types: ['require', 'process', 'module', '__deliver', 'ipcRenderer'].map((name) => typeof world[name]),
      lent: Object.keys(world['scalebrushDesktop'] as object),
      frozen: Object.isFrozen(world['scalebrushDesktop']),
    };
  });
  expect(powers).toEqual({
    types: ['undefined', 'undefined', 'undefined', 'undefined', 'undefined'],
    lent: ['onCommand', 'onFile', 'pathOf'],
    frozen: true,
  });
});

test('the policy stops eval, scripts in the page and other machines', async () => {
  const evaluated = page.evaluate(
    () =>
      new Promise<string>((resolve) => {
        setTimeout(() => {
          try {
            (0, eval)('1');
            resolve('ran');
          } catch (error) {
            resolve((error as Error).name);
          }
        });
      }),
  );
  expect(await evaluated).toBe('EvalError');
  const inline = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.wasRun = true';
    document.head.append(script);
    return 'wasRun' in window;
  });
  expect(inline).toBe(false);
  const fetched = page.evaluate(() =>
    fetch('https://example.com').then(
      () => 'answered',
      (error: unknown) => (error as Error).name,
    ),
  );
  expect(await fetched).toBe('TypeError');
});

test('the page cannot be led elsewhere, and links open in the user’s browser', async () => {
  const before = page.url();
  await app.evaluate(({ shell }) => {
    const opened: string[] = [];
    (globalThis as { opened?: string[] }).opened = opened;
    shell.openExternal = (url) => {
      opened.push(url);
      return Promise.resolve();
    };
  });
  await page.evaluate(() => {
    location.href = 'https://example.com/away';
  });
  await page.waitForTimeout(300);
  expect(page.url()).toBe(before);
  await page.evaluate(() => window.open('https://example.com/new'));
  await expect.poll(() => app.evaluate(() => (globalThis as { opened?: string[] }).opened)).toEqual(['https://example.com/new']);
  await page.waitForTimeout(300);
  expect(app.windows()).toHaveLength(1);
});

test('closing while an edit runs asks, and keeps running where that is the answer', async () => {
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warmer');
  const answer = (value: number) =>
    app.evaluate(({ dialog }, given) => {
      dialog.showMessageBoxSync = () => {
        (globalThis as { asked?: boolean }).asked = true;
        return given;
      };
    }, value);
  await answer(0);
  await page.getByTestId('main-button').click();
  await app.evaluate(({ BrowserWindow }) => {
    BrowserWindow.getAllWindows()[0]?.close();
  });
  await expect.poll(() => app.evaluate(() => (globalThis as { asked?: boolean }).asked)).toBe(true);
  await expectPhase(page, 'done');
});

test('a server that dies is replaced, and the window begins anew', async () => {
  const pid = app.process().pid!;
  const listing = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' });
  const rows = listing.split('\n').map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/u.exec(line));
  const server = rows.find((row) => row?.[3]?.includes('server.js') === true && (row[2] === String(pid) || isChild(rows, row[2], pid)));
  await app.evaluate(({ dialog }) => {
    dialog.showErrorBox = (title) => ((globalThis as { said?: string }).said = title);
  });
  const before = page.url();
  process.kill(Number(server?.[1]), 'SIGKILL');
  await expect.poll(() => app.evaluate(() => (globalThis as { said?: string }).said)).toBe('Scalebrush had to start anew');
  await expect.poll(() => page.url()).not.toBe(before);
  await expectPhase(page, 'empty');
});

function isChild(rows: readonly (RegExpExecArray | null)[], parent: string | undefined, pid: number): boolean {
  return rows.some((row) => row?.[1] === parent && row?.[2] === String(pid));
}
