import path from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { canvasShot, expectPhase, test } from './support/studio.js';

/** Published layouts, small sizes: what test/golden/reference wrote. */
const golden = (folder: string, ...names: readonly string[]) => names.map((name) => path.resolve('test/golden', folder, name));
const VAR_TOKENIZER = golden('var-mini', 'vae_ch32v64z8.pth');
const HMAR = [...golden('hmar-mini', 'hmar-d3.pth'), ...VAR_TOKENIZER];
const SWITTI = [...golden('switti-mini', 'model.safetensors', 'clip-l.bin', 'clip-g.bin', 'tokenizer.json'), ...VAR_TOKENIZER];
const CAR = [...golden('car-mini', 'car_canny_d2.pth', 'var_d2.pth'), ...VAR_TOKENIZER];
const FLEXVAR = golden('flexvar-mini', 'FlexVARd2-epo1.pth', 'FlexVAE.pth');
const NAR = [...golden('nar-mini', 't2i_tiny.pt'), ...golden('controlar-mini', 'vq_mini.pt'), ...golden('t5-mini', 't5.pth', 'tokenizer.json')]; // prettier-ignore

test.slow();

const cells = (page: Page) => page.locator('[data-testid="scale-cell"][data-state="done"]');
const branch = (page: Page) => page.getByRole('group', { name: 'Go on from a scale' });

/** Opens published files as a user does, and uses them; `side` is said where the files leave it open. */
async function importModel(page: Page, files: readonly string[], side?: string): Promise<void> {
  await page.getByRole('button', { name: 'Open model file…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Open a published model' });
  await dialog.getByRole('textbox', { name: 'Files on this computer' }).fill(files.join('\n'));
  if (side !== undefined) await dialog.getByRole('combobox', { name: 'At', exact: true }).selectOption(side);
  await dialog.getByRole('button', { name: 'Import' }).click();
  // Files are read whole, on a machine that may do much else.
  await expect(dialog).toBeHidden({ timeout: 120_000 });
  await expect(page.getByRole('combobox', { name: 'Model' })).not.toHaveValue('studio', { timeout: 60_000 });
}

async function draw(page: Page): Promise<void> {
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
}

async function drawOnBlank(page: Page, words: string): Promise<void> {
  await page.getByRole('button', { name: 'New picture from words' }).click();
  await expectPhase(page, 'ready');
  await page.getByRole('textbox', { name: 'Instruction' }).fill(words);
  await draw(page);
}

test('HMAR draws, its licence said before, and re-rolls what it was least sure of: that is its own', async ({ studio: { page } }) => {
  await page.getByRole('button', { name: 'Open model file…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Open a published model' });
  await dialog.getByRole('textbox', { name: 'Files on this computer' }).fill(HMAR.join('\n'));
  await expect(dialog.getByText(/^Licence: NVIDIA: research and education only/)).toBeVisible();
  await page.keyboard.press('Escape');
  await importModel(page, HMAR);
  await drawOnBlank(page, 'class 7');
  await expect(cells(page)).toHaveCount(5);
  const whole = await canvasShot(page);
  await page.getByRole('button', { name: 'Scale 4 of 5' }).click();
  await expect(branch(page).getByText('experimental')).toBeHidden();
  await branch(page).getByRole('combobox', { name: 'How much of the scale' }).selectOption('50 %');
  await branch(page).getByRole('combobox', { name: 'Candidates' }).last().selectOption('2');
  await branch(page).getByRole('button', { name: 'Re-roll the least certain' }).click();
  await expectPhase(page, 'done');
  await expect(page.getByTestId('candidate')).toHaveCount(2);
  const first = await canvasShot(page);
  expect(first === whole).toBe(false);
  await page.getByTestId('candidate').last().click();
  expect((await canvasShot(page)) === first).toBe(false);
});

test('other models re-roll it as an experiment, and say so', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  await draw(page);
  await page.getByRole('button', { name: 'Scale 4 of 8' }).click();
  await expect(branch(page).getByText('experimental')).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await branch(page).getByRole('combobox', { name: 'Candidates' }).last().selectOption('1');
  await branch(page).getByRole('button', { name: 'Re-roll the least certain' }).click();
  await expectPhase(page, 'done');
  await expect(cells(page)).toHaveCount(8);
  await page.getByRole('button', { name: 'Keep', exact: true }).first().click();
  await expectPhase(page, 'ready');
});

test('Switti draws from words, scale by scale', async ({ studio: { page } }) => {
  await importModel(page, SWITTI);
  await drawOnBlank(page, 'a red car in the snow');
  const places = page.getByTestId('scale-cell');
  await expect(cells(page)).toHaveCount(await places.count());
  const first = await canvasShot(page);
  await page.getByRole('textbox', { name: 'Instruction' }).fill('a lighthouse in a storm');
  await draw(page);
  expect((await canvasShot(page)) === first).toBe(false);
});

test('NAR shows the picture as its diagonals arrive', async ({ studio: { page } }) => {
  await importModel(page, NAR, '256');
  await page.evaluate(() => {
    const seen: string[] = [];
    const look = () => {
      const shown = document.querySelectorAll('[data-testid="scale-cell"][data-state="done"]').length;
      seen.push(`${document.documentElement.dataset['phase'] ?? ''} ${String(shown)}`);
    };
    new MutationObserver(look).observe(document.documentElement, { subtree: true, childList: true, attributes: true });
    Object.assign(window, { seen });
  });
  await drawOnBlank(page, 'a red car');
  await expect(page.getByRole('button', { name: /^Diagonal 31 of 31$/ })).toBeVisible();
  const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
  expect(seen.filter((look) => /^running [1-9]/.test(look)).length).toBeGreaterThan(0);
});

test('CAR holds as strongly as it is told: at 0 not at all', async ({ studio: { page } }) => {
  await importModel(page, CAR);
  await drawOnBlank(page, 'class 7');
  const free = await canvasShot(page);
  await page.getByRole('combobox', { name: 'Control' }).selectOption('Edges');
  const buffer = Buffer.from(await scenePng(64, 64));
  await page.getByTestId('map-input').setInputFiles({ name: 'edges.png', mimeType: 'image/png', buffer });
  await draw(page);
  const held = await canvasShot(page);
  expect(held === free).toBe(false);
  await page.getByRole('slider', { name: 'Strength' }).fill('0');
  await draw(page);
  expect((await canvasShot(page)) === free).toBe(true);
});

test('FlexVAR draws in as many scales as it is told, and refines a picture from a scale on', async ({ studio }) => {
  const { page } = studio;
  await importModel(page, FLEXVAR);
  await studio.openScene(64, 64);
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('slider', { name: 'Structure lock' }).press('ArrowRight');
  await page.getByRole('slider', { name: 'Structure lock' }).press('ArrowRight');
  await expect(page.getByTestId('main-button')).toContainText('Refine');
  await draw(page);
  await expect(cells(page)).toHaveCount(10);
  await page.getByRole('spinbutton', { name: 'Number of scales' }).fill('6');
  await draw(page);
  await expect(cells(page)).toHaveCount(6);
});
