import { readFile, writeFile } from 'node:fs/promises';
import { AxeBuilder } from '@axe-core/playwright';
import { expect } from '@playwright/test';
import { rgbOf, scenePng } from '../support/pictures.js';
import { scalebrushJson } from './support/cli.js';
import { canvasShot, expectPhase, saved, stroke, test } from './support/studio.js';

const SCALES = 8;

test('the empty state teaches, and has nothing that axe objects to', async ({ studio: { page } }) => {
  await expect(page.getByRole('button', { name: 'Open a photo' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Red car' })).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
});

test('a photo, an instruction, one button: the strip fills scale by scale and the result can be kept', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  const before = await canvasShot(page);
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await expect(page.locator('[data-testid="scale-cell"][data-state="done"]')).toHaveCount(SCALES);
  await expect(page.getByTestId('scale-cell').locator('img')).toHaveCount(SCALES);
  expect((await canvasShot(page)) === before).toBe(false);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await page.getByRole('button', { name: 'Keep' }).click();
  await expectPhase(page, 'ready');
});

test('holding Tab on the picture shows the original', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  await page.getByTestId('canvas').focus();
  const before = await canvasShot(page);
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it black and white');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await page.getByTestId('canvas').focus();
  const after = await canvasShot(page);
  expect(after === before).toBe(false);
  await page.keyboard.down('Tab');
  await expect.poll(async () => (await canvasShot(page)) === before).toBe(true);
  await page.keyboard.up('Tab');
  await expect.poll(async () => (await canvasShot(page)) === after).toBe(true);
});

test('a stroke that leaves the canvas still paints, and the main button becomes Fill', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  const before = await canvasShot(page);
  await expect(page.getByTestId('main-button')).toHaveText(/Edit/u);
  await stroke(page, [0.5, 0.5], [1.1, 0.5]);
  expect((await canvasShot(page)) === before).toBe(false);
  await expect(page.getByTestId('main-button')).toHaveText(/Fill/u);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByTestId('main-button')).toHaveText(/Edit/u);
  await page.getByRole('button', { name: 'Redo' }).click();
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
});

test('the right button erases what was painted', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  const size = page.getByRole('slider', { name: 'Brush size' });
  await size.focus();
  await page.keyboard.press('End');
  await stroke(page, [0.45, 0.5], [0.5, 0.5]);
  await expect(page.getByTestId('main-button')).toHaveText(/Fill/u);
  const box = (await page.getByTestId('canvas').boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.44, box.y + box.height * 0.5);
  await page.mouse.down({ button: 'right' });
  await page.mouse.move(box.x + box.width * 0.52, box.y + box.height * 0.5, { steps: 20 });
  await page.mouse.up({ button: 'right' });
  await expect(page.getByTestId('main-button')).toHaveText(/Edit/u);
});

test('growing a border changes the button to Expand and the picture to its new size', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene(320, 240);
  await page.getByRole('spinbutton', { name: 'Right' }).fill('40');
  await expect(page.getByTestId('main-button')).toHaveText(/Expand/u);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  const wide = await rgbOf(await saved(page, 'png'));
  expect([wide.width, wide.height]).toEqual([360, 240]);
});

test('the saved result is the command line’s result', async ({ studio }, testInfo) => {
  const { page } = studio;
  await studio.openScene();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warmer');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  const window = await rgbOf(await saved(page, 'png'));
  const [source, result] = [testInfo.outputPath('scene.png'), testInfo.outputPath('cli.png')];
  await writeFile(source, await scenePng(320, 240));
  await scalebrushJson('edit', source, '-i', 'make it warmer', '-o', result);
  expect(window).toEqual(await rgbOf(new Uint8Array(await readFile(result))));
});

test('the whole job by keyboard alone', async ({ studio }) => {
  const { page } = studio;
  await page.getByRole('button', { name: 'Red car' }).focus();
  await page.keyboard.press('Enter');
  await expectPhase(page, 'ready');
  await page.getByRole('textbox', { name: 'Instruction' }).focus();
  await page.keyboard.type('make the car blue');
  await page.keyboard.press('Enter');
  await expectPhase(page, 'done');
  await page.getByRole('button', { name: 'Keep' }).focus();
  await page.keyboard.press('Enter');
  await expectPhase(page, 'ready');
});

test('words that the model does not know are named, with others to press', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make the unicorn red');
  const report = page.getByTestId('unknown-words');
  await expect(report).toContainText('unicorn');
  await page.getByRole('button', { name: 'make it warmer' }).click();
  await expect(page.getByRole('textbox', { name: 'Instruction' })).toHaveValue('make it warmer');
  await expect(report).toBeHidden();
});

test('a broken file is refused in words and nothing is lost', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  const before = await canvasShot(page);
  await page.getByTestId('file-input').setInputFiles({ name: 'page.png', mimeType: 'image/png', buffer: Buffer.from('<!doctype html>') });
  await expect(page.getByRole('alert')).toBeVisible();
  await page.getByRole('button', { name: 'Dismiss' }).click();
  expect((await canvasShot(page)) === before).toBe(true);
});

test('cancel leaves the picture as it was', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene(3000, 2000);
  const before = await canvasShot(page);
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it sepia');
  await page.getByTestId('main-button').click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expectPhase(page, 'ready');
  expect((await canvasShot(page)) === before).toBe(true);
});

test('the inference process gives large memory back to the system, whoever started it', async ({ studio }) => {
  test.skip(process.platform !== 'linux', 'the environment of a process is read from Linux’s /proc');
  const { page } = studio;
  await studio.openScene();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  const environments = await Promise.all(studio.inferencePids().map((pid) => readFile(`/proc/${String(pid)}/environ`, 'utf8')));
  expect(environments.map((text) => text.includes('MALLOC_MMAP_THRESHOLD_=1048576'))).toEqual([true]);
});

test('kill -9 of the inference process in mid-run: the window says so and the next edit works', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene(4000, 3000);
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warmer');
  await page.getByTestId('main-button').click();
  await expect(page.locator('[data-testid="scale-cell"][data-state="done"]').first()).toBeVisible();
  for (const pid of studio.inferencePids()) process.kill(pid, 'SIGKILL');
  await expect(page.getByRole('alert')).toContainText('ended unexpectedly');
  await expectPhase(page, 'failed');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
});
