import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect } from '@playwright/test';
import { unzipSync } from 'fflate';
import type { BatchReport } from '#contract/batch.js';
import { mixedFolder } from '../../support/mixed-folder.js';
import { scenePng } from '../../support/pictures.js';
import { scalebrush } from '../support/cli.js';
import { differingPixels, rawPicture } from '../support/honesty.js';
import { stroke, test } from '../support/studio.js';

/** The script's half, with kill and resume, is in ../batch.test.ts. */
test('13 folder and script: twenty mixed files in the window, paused, gone on with, and equal to the command line', async ({
  studio: { page },
}, testInfo) => {
  test.setTimeout(240_000);
  const files = await mixedFolder();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warmer');
  await page.getByRole('button', { name: 'Many pictures at once' }).click();
  const dialog = page.getByRole('dialog', { name: 'Many pictures at once' });
  await expect(dialog).toContainText('Edit “make it warmer”, Balanced');
  await page.getByTestId('batch-input').setInputFiles(files.map(({ name, bytes: buffer }) => ({ name, buffer, mimeType: 'image/*' })));
  const entries = (state: string) => page.locator(`[data-testid="batch-entry"][data-state="${state}"]`);
  await expect(entries('waiting')).toHaveCount(20);

  await dialog.getByRole('button', { name: 'Start' }).click();
  await expect(entries('done').nth(1)).toBeVisible();
  await dialog.getByRole('button', { name: 'Pause' }).click();
  await expect(dialog.getByRole('button', { name: 'Go on' })).toBeVisible();
  await expect(entries('running')).toHaveCount(0);
  const rest = await entries('waiting').count();
  expect(rest).toBeGreaterThan(0);
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)).toEqual([]);

  await dialog.getByRole('button', { name: 'Go on' }).click();
  await expect(entries('running')).toHaveCount(1);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog.getByRole('button', { name: 'Go on' })).toBeVisible();
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await expect(dialog.getByRole('status')).toHaveText('19 done, 1 refused, 0 to do.', { timeout: 200_000 });
  await expect(entries('refused')).toHaveCount(1);
  await expect(entries('refused')).toContainText('broken.jpg');

  const [reported] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Report' }).click()]);
  const report = JSON.parse(await readFile(await reported.path(), 'utf8')) as BatchReport;
  expect(report).toMatchObject({ done: 19, refused: 1, waiting: 0 });
  const [zipped] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'zip' }).click()]);
  const results = unzipSync(new Uint8Array(await readFile(await zipped.path())));
  expect(Object.keys(results)).toHaveLength(19);

  const [source, target] = [testInfo.outputPath('in'), testInfo.outputPath('out')];
  await mkdir(source);
  for (const { name, bytes } of files) await writeFile(path.join(source, name), bytes);
  expect((await scalebrush('batch', source, '-i', 'make it warmer', '-o', target)).code).toBe(2);
  for (const [name, bytes] of Object.entries(results))
    expect([name, await readFile(path.join(target, name))]).toEqual([name, Buffer.from(bytes)]);
  const [single] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Save cmyk.jpg' }).click()]);
  expect(await readFile(await single.path())).toEqual(await readFile(path.join(target, 'cmyk.jpg')));
});

test('13 folder and script: held to the painted mask, and gone on with after the window was loaded anew', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene(320, 240);
  await stroke(page, [0.4, 0.5], [0.6, 0.5]);
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  await page.getByRole('button', { name: 'Many pictures at once' }).click();
  const dialog = page.getByRole('dialog', { name: 'Many pictures at once' });
  await expect(dialog).toContainText('No mask is used.');
  await dialog.getByRole('checkbox', { name: 'Hold each picture to the painted mask' }).check();
  await expect(dialog).toContainText('The mask is scaled to each picture of its shape');
  const sources = new Map<string, Buffer>();
  for (const [index, scale] of [1, 2, 3, 4, 5].entries())
    sources.set(`${index}.png`, Buffer.from(await scenePng(320 * scale, 240 * scale)));
  sources.set('portrait.png', Buffer.from(await scenePng(240, 320)));
  await page.getByTestId('batch-input').setInputFiles([...sources].map(([name, buffer]) => ({ name, buffer, mimeType: 'image/png' })));
  const entries = (state: string) => page.locator(`[data-testid="batch-entry"][data-state="${state}"]`);
  await dialog.getByRole('button', { name: 'Start' }).click();
  await expect(entries('done').first()).toBeVisible();
  await studio.agreeToLeave();
  await page.reload();

  await expect(dialog.getByRole('status')).toHaveText(/^The window was loaded anew: \d done, 0 refused, \d to do. Press Go on.$/u);
  await expect(dialog).toContainText('“make it night”, Balanced');
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await expect(dialog.getByRole('status')).toHaveText('5 done, 1 refused, 0 to do.', { timeout: 60_000 });
  await expect(entries('refused')).toContainText('Expected a mask of 240×320 but received 320×240.');
  const [zipped] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'zip' }).click()]);
  const results = unzipSync(new Uint8Array(await readFile(await zipped.path())));
  expect(Object.keys(results)).toEqual(['0.png', '1.png', '2.png', '3.png', '4.png']);
  for (const [name, result] of Object.entries(results)) {
    const [before, after] = [await rawPicture(sources.get(name)!), await rawPicture(Buffer.from(result))];
    const upperThird = differingPixels(before, after, (_, y) => y >= before.height / 3);
    const middle = differingPixels(
      before,
      after,
      (x, y) => Math.abs(x / before.width - 0.5) > 0.05 || Math.abs(y / before.height - 0.5) > 0.02,
    );
    expect([name, upperThird, middle > 0]).toEqual([name, 0, true]);
  }
});
