import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { expect, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { violations } from './support/looks.js';
import { canvasShot, expectKept, expectPhase, startServer, stroke, test } from './support/studio.js';

async function edit(page: Page, instruction: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Instruction' }).fill(instruction);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
}

async function openScene(page: Page): Promise<void> {
  const buffer = Buffer.from(await scenePng(160, 120));
  await page.getByTestId('file-input').setInputFiles({ name: 'scene.png', mimeType: 'image/png', buffer });
  await expectPhase(page, 'ready');
}

test('a program that is killed after two edits and a stroke comes back with all of them, and with its history', async ({ program }) => {
  const first = await program.start();
  await expectPhase(first.page, 'empty');
  await openScene(first.page);
  for (const instruction of ['make it night', 'make it warmer']) {
    await edit(first.page, instruction);
    await first.page.getByRole('button', { name: 'Keep' }).click();
    await expectPhase(first.page, 'ready');
  }
  await stroke(first.page, [0.45, 0.5], [0.55, 0.5]);
  await first.page.mouse.move(0, 0);
  const before = await canvasShot(first.page);
  await expectKept(first.page);
  await first.kill();

  const second = await program.start();
  await expectPhase(second.page, 'ready');
  await expect(second.page.getByText('This is where you left off.')).toBeVisible();
  await second.page.mouse.move(0, 0);
  expect(await canvasShot(second.page)).toBe(before);
  await expect(second.page.getByTestId('history-step')).toHaveCount(3);
  await expect(second.page.getByRole('textbox', { name: 'Instruction' })).toHaveValue('');
  // The stroke, a kept result, the words that it came from, the first kept result.
  for (let step = 0; step < 4; step++) await second.page.keyboard.press('ControlOrMeta+z');
  await expect(second.page.getByTestId('history-step').first()).toHaveAttribute('aria-current', 'step');
  await second.kill();
});

test('a program that is killed in mid-run comes back with the picture and the mask of before it, and the run waits', async ({
  program,
}) => {
  const first = await program.start();
  await expectPhase(first.page, 'empty');
  await openScene(first.page);
  await stroke(first.page, [0.45, 0.5], [0.55, 0.5]);
  // The engine works, and the window hears nothing of it: however fast that is, the run is on.
  await first.page.route('**/api/stream/edit.run', async (route) => {
    await route.fetch().catch(() => undefined);
  });
  await first.page.getByTestId('main-button').click();
  await expectPhase(first.page, 'running');
  await expectKept(first.page);
  await first.kill();
  const second = await program.start();
  await expectPhase(second.page, 'ready');
  await expect(second.page.getByTestId('queue').getByRole('status')).toHaveText('Paused: 1 run waits');
  await expect(second.page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
});

test('a reload loses nothing, and a closed picture stays closed', async ({ program }) => {
  const { page } = await program.start();
  await expectPhase(page, 'empty');
  await openScene(page);
  await edit(page, 'make it night');
  await expectKept(page);
  await page.reload();
  await expectPhase(page, 'done');
  await page.getByRole('button', { name: 'Close the picture' }).click();
  await expectPhase(page, 'empty');
  await expectKept(page);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Open a photo' })).toBeVisible();
  await expectPhase(page, 'empty');
});

test('a project is saved and opened with every step, and a damaged one is refused in one line', async ({ program }) => {
  const { page } = await program.start();
  await expectPhase(page, 'empty');
  await openScene(page);
  await edit(page, 'make it night');
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByRole('button', { name: 'Save…' }).click();
  await page.getByRole('combobox', { name: 'Format' }).selectOption('project');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const saved = await download;
  expect(saved.suggestedFilename()).toBe('scene.scalebrush');
  const buffer = await readFile(await saved.path());
  const before = await canvasShot(page);
  await page.getByRole('button', { name: 'Close the picture' }).click();
  await expectPhase(page, 'empty');
  const open = (bytes: Buffer) =>
    page.getByTestId('file-input').setInputFiles({ name: 'scene.scalebrush', mimeType: 'application/octet-stream', buffer: bytes });
  await open(buffer);
  await expectPhase(page, 'ready');
  await expect(page.getByTestId('history-step')).toHaveCount(2);
  expect(await canvasShot(page)).toBe(before);
  await open(buffer.subarray(0, buffer.length / 2));
  await expect(page.getByRole('alert')).toContainText('Expected a whole Scalebrush project');
  await expect(page.getByTestId('history-step')).toHaveCount(2);
});

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a service that dies is missed at once; painting goes on, and the window connects again by itself', async ({
  program,
  host,
  browser,
}) => {
  test.skip(host === 'desktop', 'the shell starts its service anew: desktop.spec.ts');
  const port = await freePort();
  const first = await startServer(program.home, port);
  const page = await (await browser.newContext()).newPage();
  await page.goto(first.url);
  await openScene(page);
  await edit(page, 'make it night');
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await expectKept(page);
  first.child.kill('SIGKILL');
  await expect(page.getByTestId('connection')).toContainText('You can go on painting');
  await stroke(page, [0.45, 0.5], [0.55, 0.5]);
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
  expect(await violations(page)).toEqual([]);
  const second = await startServer(program.home, port);
  await expect(page.getByTestId('connection')).toBeHidden({ timeout: 30_000 });
  await expect(page.getByTestId('history-step')).toHaveCount(2);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await expect(page.getByRole('alert')).toBeHidden();
  await page.context().close();
  second.child.kill('SIGTERM');
});

test('the printed address opens one browser; the next one is told what to do, in its own language', async ({ program, host, browser }) => {
  test.skip(host === 'desktop', 'the shell lets its own page in');
  const { child, url } = await startServer(program.home);
  const open = async (locale: string): Promise<Page> => {
    const page = await (await browser.newContext({ locale })).newPage();
    await page.goto(url);
    return page;
  };
  const first = await open('en');
  await expectPhase(first, 'empty');
  for (const [locale, heading, terminal] of [
    ['en', 'This browser is not let in yet', 'press Enter'],
    ['de', 'Dieser Browser ist noch nicht eingelassen', 'Eingabetaste'],
  ] as const) {
    const second = await open(locale);
    await expect(second.getByRole('heading', { name: heading })).toBeVisible();
    await expect(second.getByRole('listitem').first()).toContainText(terminal);
    expect(await violations(second)).toEqual([]);
    await second.context().close();
  }
  // Whoever is in stays in.
  await first.reload();
  await expectPhase(first, 'empty');
  await first.context().close();
  child.kill('SIGTERM');
});
