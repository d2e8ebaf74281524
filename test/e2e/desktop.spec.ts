import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test, type ElectronApplication, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { catchDrags, draggedFile, launchDesktop, pidOf } from './support/desktop.js';
import { expectPhase } from './support/studio.js';

let folder: string;
let app: ElectronApplication;
let page: Page;

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

const settings = async () =>
  JSON.parse(await readFile(path.join(folder, 'desktop/settings.json'), 'utf8')) as { recent: string[]; language: string };

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-desktop-'));
  for (const name of ['first.png', 'second.png']) await writeFile(path.join(folder, name), await scenePng(320, 240));
  ({ app, page } = await launchDesktop({ home: folder, words: [path.join(folder, 'first.png')] }));
});

test.afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true, force: true });
});

test('a file on the command line is open at once, and the main job works', async () => {
  await expectPhase(page, 'ready');
  await expect(page.getByRole('banner').getByText('first.png')).toBeVisible();
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
  await expect(page.getByRole('dialog', { name: 'Open a published model' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Choose files…' })).toBeVisible();
  await page.keyboard.press('Escape');
});

test('a second start opens its file in the first, and both are remembered', async () => {
  await app.evaluate(
    ({ app: shell }, file) => shell.emit('second-instance', {}, ['scalebrush', file], '/'),
    path.join(folder, 'second.png'),
  );
  await expect(page.getByRole('banner').getByText('second.png')).toBeVisible();
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
      types: ['require', 'process', 'module', '__deliver', '__toMain', 'ipcRenderer'].map((name) => typeof world[name]),
      lent: Object.keys(world['scalebrushDesktop'] as object),
      frozen: Object.isFrozen(world['scalebrushDesktop']),
    };
  });
  expect(powers).toEqual({
    types: Array<string>(6).fill('undefined'),
    lent: ['onCommand', 'onFile', 'onSaved', 'showSaved', 'saveAsLast', 'pathOf', 'dragOut', 'language'],
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
  await app.evaluate(({ shell, BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows();
    // Who listens last hears what the application has said.
    const said = globalThis as { opened?: string[]; refused?: boolean };
    window?.webContents.once('will-navigate', (event) => (said.refused = event.defaultPrevented));
    const opened: string[] = [];
    said.opened = opened;
    shell.openExternal = (url) => {
      opened.push(url);
      return Promise.resolve();
    };
  });
  await page.evaluate(() => {
    location.href = 'https://example.com/away';
  });
  await expect.poll(() => app.evaluate(() => (globalThis as { refused?: boolean }).refused)).toBe(true);
  expect(page.url()).toBe(before);
  await page.evaluate(() => {
    (window as unknown as { popup: Window | null }).popup = window.open('https://example.com/new');
  });
  await expect.poll(() => app.evaluate(() => (globalThis as { opened?: string[] }).opened)).toEqual(['https://example.com/new']);
  // None is given, or the one that was is gone again.
  await page.waitForFunction(() => {
    const { popup } = window as unknown as { popup: Window | null };
    return popup === null || popup.closed;
  });
  await expect.poll(() => app.windows().length).toBe(1);
});

const statusOf = (
  address: string,
  init: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string } = {},
) => page.evaluate(async ([to, how]) => (await fetch(to, how)).status, [address, init] as const);

test('what is not there is 404, however it is asked for', async () => {
  const outside = [
    '/missing',
    '/settings',
    '/assets',
    '/assets/',
    '/opened/guessed',
    '/..%2f..%2fpackage.json',
    '/%2e%2e%2fmain%2felectron.js',
    '/%00',
  ];
  for (const address of outside) expect([address, await statusOf(address)]).toEqual([address, 404]);
  expect(await statusOf('/', { method: 'POST', body: 'x' })).toBe(405);
  expect(await statusOf('/api/call/nothing', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).toBe(404);
});

test('the service’s secret stays in the shell', async () => {
  expect(await page.evaluate(() => document.cookie)).toBe('');
  const told = page.evaluate(async () => [
    ...(
      await fetch('/api/call/packs.list', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
    ).headers.keys(),
  ]);
  expect(await told).not.toContain('set-cookie');
});

test('a run shows on the taskbar', async () => {
  await app.evaluate(({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows();
    const world = globalThis as { shares?: number[] };
    world.shares = [];
    if (window) window.setProgressBar = (share) => world.shares?.push(share);
  });
  await runUntil('done');
  const shares = await app.evaluate(() => (globalThis as { shares?: number[] }).shares ?? []);
  expect(shares[0]).toBe(0);
  expect(shares.at(-1)).toBe(-1);
  expect(Math.max(...shares)).toBe(1);
  await page.getByRole('button', { name: 'Discard' }).click();
});

test('a message of a stranger, or in another shape, does nothing', async () => {
  await catchDrags(app);
  await app.evaluate(({ BrowserWindow, ipcMain }, channel) => {
    const sender = BrowserWindow.getAllWindows()[0]?.webContents;
    const own = { url: 'app://studio/', parent: null };
    const id = 'a'.repeat(36);
    const messages: [frame: unknown, ...values: unknown[]][] = [
      [null, id],
      [{ url: 'https://example.com/', parent: null }, id],
      [{ url: 'app://studio.example.com/', parent: null }, id],
      [{ url: 'app://studio/', parent: own }, id],
      [own, 7],
      [own, { id }],
      [own],
      [own, id, id],
      [own, '../../../etc/passwd'],
      [own, 'x'.repeat(2 ** 26)],
    ];
    for (const [senderFrame, ...values] of messages) ipcMain.emit(channel, { sender, senderFrame }, ...values);
  }, 'scalebrush:drag-out');
  const refusals = async () =>
    (await readFile(path.join(folder, 'desktop/logs/scalebrush.log'), 'utf8')).match(/dragOut was refused/gu)?.length;
  await expect.poll(refusals).toBe(10);
  expect(await draggedFile(app)).toBe('');
});

test('menus and dialogs of the system speak the language of the window', async () => {
  const labelOf = (id: string) => app.evaluate(({ Menu }, item) => Menu.getApplicationMenu()?.getMenuItemById(item)?.label, id);
  expect(await labelOf('undo')).toBe('Undo');
  await choose(/Language/u, 'de');
  await expect.poll(() => labelOf('undo')).toBe('Rückgängig');
  expect(await settings()).toMatchObject({ language: 'de' });
  await app.evaluate(({ session }) => {
    const world = globalThis as { asked?: unknown };
    session.defaultSession.once('will-download', (_event, item) => (world.asked = item.getSaveDialogOptions()));
  });
  await page.keyboard.press('ControlOrMeta+s');
  await page.getByRole('button', { name: 'Speichern', exact: true }).click();
  const asked = () => app.evaluate(() => (globalThis as { asked?: unknown }).asked);
  await expect.poll(asked).toMatchObject({ title: 'second.png speichern', filters: [{ name: 'PNG', extensions: ['png'] }] });
  await choose(/Sprache/u, 'system');
  await expect.poll(() => labelOf('undo')).toBe('Undo');
});

test('diagnostics are copied, without wishes and without names of files', async () => {
  await press('diagnostics');
  const copied = () => app.evaluate(({ clipboard }) => clipboard.readText());
  await expect.poll(copied).toMatch(/^Scalebrush .*provider cpu: available.* begins\.$/msu);
  expect(await copied()).not.toMatch(/warmer|second\.png|scalebrush-desktop-/u);
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

test('a service that dies is replaced, and the table comes back', async () => {
  await sayingWhatHappened();
  await kill('Scalebrush Service');
  await expect.poll(said).toMatch(/had to start anew.*held your pictures/u);
  await expectTheTableBack();
});

test('a window that dies begins anew with what was on the table', async () => {
  await sayingWhatHappened();
  await app.evaluate(({ BrowserWindow }) => {
    BrowserWindow.getAllWindows()[0]?.webContents.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 1 });
  });
  await expect.poll(said).toMatch(/had to start anew.*crashed/u);
  await expectTheTableBack();
});

test('an inference process that dies costs one run', async () => {
  const discard = page.getByRole('button', { name: 'Discard' });
  // There only where the journal came to keep the last result.
  if (await discard.isVisible()) await discard.click();
  await runUntil('done');
  await kill('Scalebrush Inference');
  await discard.click();
  await runUntil('done');
});

test('a file that is dropped is opened, and an edit of it works', async () => {
  const bytes = [...(await scenePng(64, 48))];
  await page.evaluate((data) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([new Uint8Array(data)], 'dropped.png', { type: 'image/png' }));
    window.dispatchEvent(new DragEvent('drop', { dataTransfer }));
  }, bytes);
  await expect(page.locator('header')).toContainText('dropped.png');
  await expectPhase(page, 'ready');
  await runUntil('done');
});

async function choose(field: RegExp, value: string): Promise<void> {
  await page.keyboard.press('ControlOrMeta+,');
  await page.getByRole('combobox', { name: field }).selectOption(value);
  await page.keyboard.press('Escape');
}

async function runUntil(phase: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warmer');
  await page.getByTestId('main-button').click();
  await expectPhase(page, phase);
}

/** In a page that is not the one which `sayingWhatHappened` saw. */
async function expectTheTableBack(): Promise<void> {
  // The journal is written a moment after each deed: the last result may be on it or not.
  await expect(page.locator('html:not([data-old]):is([data-phase="done"], [data-phase="ready"])')).toBeAttached({ timeout: 30_000 });
  await expect(page.getByRole('banner').getByText('second.png')).toBeVisible();
}

async function sayingWhatHappened(): Promise<void> {
  await page.evaluate(() => (document.documentElement.dataset['old'] = 'yes'));
  await app.evaluate(({ dialog }) => {
    delete (globalThis as { said?: string }).said;
    dialog.showErrorBox = (title, text) => ((globalThis as { said?: string }).said = `${title}: ${text}`);
  });
}

const said = () => app.evaluate(() => (globalThis as { said?: string }).said ?? '');

async function kill(name: string): Promise<void> {
  process.kill(await pidOf(app, name), 'SIGKILL');
}
