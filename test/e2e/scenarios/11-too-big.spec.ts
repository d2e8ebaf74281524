import { readFile } from 'node:fs/promises';
import { expect } from '@playwright/test';
import * as v from 'valibot';
import { PackCard } from '#contract/pack-card.js';
import { CostModel } from '#engine/door/cost-model.js';
import { canvasShot, expectPhase, stroke, test } from '../support/studio.js';

const LIMIT = 'SCALEBRUSH_MEMORY_LIMIT';
const before = process.env[LIMIT] ?? '';

/** 24 megapixels take their time where others are at work, too. */
const PATIENCE_MS = 120_000;
test.describe.configure({ timeout: 2 * PATIENCE_MS });

/** An operator's limit under which 24 megapixels fit at Fast, and no longer at Balanced. */
test.beforeAll(async () => {
  const card = v.parse(PackCard, JSON.parse(await readFile('models/studio/card.json', 'utf8')));
  const wish = { guided: card.defaults.guidance !== 1, pixels: 6000 * 4000, availableBytes: 0 };
  const { balanced, fast } = new CostModel(1).forecast(card, wish);
  process.env[LIMIT] = `${((balanced.bytes + fast.bytes) / 2 / 1024 ** 2).toFixed(3)}MB`;
});

test.afterAll(() => {
  process.env[LIMIT] = before;
});

test('scenario 11: it is said before the run, forcing fails in words and costs nothing, and the preset that fits runs', async ({
  studio,
}) => {
  const { page } = studio;
  await studio.openScene(6000, 4000);
  await stroke(page, [0.4, 0.4], [0.6, 0.5]);
  const lack = page.getByTestId('memory-lack');
  await expect(lack).toHaveText(/^Balanced needs \d+ MB of memory; there are \d+ MB for it\.\s+Fast fits\./u);
  const [needed, available] = (await lack.innerText()).match(/\d+(?= MB)/gu)!.map(Number);
  expect(needed).toBeGreaterThan(available!);

  // The brush's outline goes with the pointer.
  await page.getByTestId('main-button').hover();
  const table = await canvasShot(page);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'failed');
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('There is too little free memory.');
  await expect(alert).toContainText(`This needs ${needed} MB of memory but there are only ${available} MB for it; try the preset "fast".`);
  await alert.getByRole('button', { name: 'Dismiss' }).click();
  await expectPhase(page, 'ready');
  await page.getByTestId('main-button').hover();
  expect((await canvasShot(page)) === table).toBe(true);
  await expect(page.getByTestId('main-button')).toContainText('Fill');

  await lack.getByRole('button', { name: 'Use Fast' }).click();
  await expect(page.getByRole('radio', { name: 'Fast' })).toBeChecked();
  await expect(lack).toHaveText('');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done', PATIENCE_MS);
});

test('scenario 11: the same by keys alone', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene(6000, 4000);
  await page.keyboard.press('Tab');
  const instruction = page.getByRole('textbox', { name: 'Instruction' });
  for (let i = 0; i < 60 && !(await instruction.evaluate((box) => box === document.activeElement)); i++) await page.keyboard.press('Tab');
  await page.keyboard.type('make it warmer');
  const lack = page.getByTestId('memory-lack');
  await expect(lack).toContainText('Fast fits.');
  const table = await canvasShot(page);
  await page.keyboard.press('Enter');
  await expectPhase(page, 'failed');
  await expect(page.getByRole('alert')).toContainText('There is too little free memory.');
  expect((await canvasShot(page)) === table).toBe(true);
  await expect(instruction).toHaveValue('make it warmer');

  const use = lack.getByRole('button', { name: 'Use Fast' });
  for (let i = 0; i < 10 && !(await use.evaluate((button) => button === document.activeElement)); i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('main-button')).toBeFocused();
  await expect(lack).toHaveText('');
  await page.keyboard.press('Enter');
  await expectPhase(page, 'done', PATIENCE_MS);
});
