import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect } from '@playwright/test';
import { expectPhase, stroke, test } from './support/studio.js';

const SET = path.resolve('test/golden/var-mini');
const PATHS = ['var_d3.pth', 'vae_ch32v64z8.pth'].map((name) => path.join(SET, name));
const home = process.env['SCALEBRUSH_HOME'];
let folder: string;

test.beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-checkpoint-'));
  process.env['SCALEBRUSH_HOME'] = folder;
});

test.afterAll(async () => {
  if (home === undefined) delete process.env['SCALEBRUSH_HOME'];
  else process.env['SCALEBRUSH_HOME'] = home;
  await rm(folder, { recursive: true });
});

test('published files open from the window: looked at, imported, and used at once', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('button', { name: 'Packs…' }).click();
  await page.getByRole('button', { name: 'Open checkpoint…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Open a published checkpoint' });
  const files = dialog.getByRole('textbox', { name: 'Files on this computer' });
  await files.fill(PATHS[0]!);
  await expect(dialog.getByRole('status')).toContainText('Expected a VAR transformer and its tokenizer');
  await files.fill(PATHS.join('\n'));
  await expect(dialog.getByText('VAR-d3')).toBeVisible();
  await expect(dialog.getByRole('row')).toHaveCount(5);
  await expect(dialog.getByText(/Licence: not stated in the files/)).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await dialog.getByRole('radio', { name: /int8/ }).check();
  await dialog.getByRole('button', { name: 'Import' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('combobox', { name: 'Pack' })).toHaveValue('var-d3');
  expect(await readdir(path.join(folder, 'packs'))).toEqual(['var-d3']);
  await page.getByRole('textbox', { name: 'Instruction' }).fill('class 3');
  await stroke(page, [0.4, 0.45], [0.6, 0.55]);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await expect(page.locator('[data-testid="scale-cell"][data-state="done"]')).toHaveCount(4);
});
