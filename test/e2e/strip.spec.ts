import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { canvasShot, expectPhase, stroke, test } from './support/studio.js';

async function edit(page: Page, words: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Instruction' }).fill(words);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
}

const cells = (page: Page) => page.locator('[data-testid="scale-cell"][data-state="done"]');

test('a result can be stopped at a scale, continued to the same picture, and re-rolled into others', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  await edit(page, 'make it night');
  const whole = await canvasShot(page);
  await page.getByRole('button', { name: 'Scale 3 of 8' }).click();
  await page.getByRole('button', { name: 'Stop at scale 3' }).click();
  await expectPhase(page, 'done');
  await expect(cells(page)).toHaveCount(3);
  expect((await canvasShot(page)) === whole).toBe(false);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expectPhase(page, 'done');
  await expect(cells(page)).toHaveCount(8);
  expect((await canvasShot(page)) === whole).toBe(true);
  await page.getByRole('button', { name: 'Scale 2 of 8' }).click();
  await page.getByRole('combobox', { name: 'Candidates' }).first().selectOption('2');
  await page.getByRole('button', { name: 'Re-roll from scale 2' }).click();
  await expectPhase(page, 'done');
  await expect(page.getByTestId('candidate')).toHaveCount(2);
});

test('candidates are walked, kept and discarded by keys', async ({ studio }) => {
  // Four pictures, on a machine that others keep busy.
  test.slow();
  const { page } = studio;
  await studio.openScene();
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('spinbutton', { name: 'Candidates' }).fill('4');
  await page.getByRole('spinbutton', { name: 'Temperature' }).fill('2');
  await stroke(page, [0.4, 0.4], [0.6, 0.6]);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await expect(page.getByTestId('candidate')).toHaveCount(4);
  await page.setViewportSize({ width: 1280, height: 800 });
  await expect(page.getByRole('button', { name: 'Blend' })).toBeInViewport({ ratio: 1 });
  const first = await canvasShot(page);
  await page.getByTestId('candidate').first().focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByTestId('candidate').nth(1)).toHaveAttribute('aria-pressed', 'true');
  expect((await canvasShot(page)) === first).toBe(false);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await page.keyboard.press('Enter');
  await expectPhase(page, 'ready');
  await expect(page.getByTestId('candidate')).toHaveCount(0);
});

test('the model that is used unless another is chosen makes a car blue in eight scales', async ({ studio: { page } }) => {
  await page.getByRole('button', { name: 'Red car' }).click();
  await expectPhase(page, 'ready');
  const before = await canvasShot(page);
  await edit(page, 'make the car blue');
  await expect(cells(page)).toHaveCount(8);
  expect((await canvasShot(page)) === before).toBe(false);
});

test('a split and a heat map show what changed', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  const before = await canvasShot(page);
  await edit(page, 'make it black and white');
  const after = await canvasShot(page);
  await page.getByRole('button', { name: 'Split' }).click();
  const half = await canvasShot(page);
  expect([before, after]).not.toContain(half);
  await stroke(page, [0.5, 0.5], [0.4, 0.5]);
  expect((await canvasShot(page)) === half).toBe(false);
  await page.getByRole('button', { name: 'Difference' }).click();
  expect([before, after, half]).not.toContain(await canvasShot(page));
  await page.getByRole('button', { name: 'Difference' }).click();
  expect((await canvasShot(page)) === after).toBe(true);
});

test('the arrow keys bring earlier instructions back', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  const box = page.getByRole('textbox', { name: 'Instruction' });
  await edit(page, 'make it night');
  await edit(page, 'make it warmer');
  await box.fill('');
  await box.press('ArrowUp');
  await expect(box).toHaveValue('make it warmer');
  await box.press('ArrowUp');
  await expect(box).toHaveValue('make it night');
  await box.press('ArrowDown');
  await box.press('ArrowDown');
  await expect(box).toHaveValue('');
});
