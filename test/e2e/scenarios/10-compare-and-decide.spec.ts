import { expect, type Page } from '@playwright/test';
import { canvasShot, expectPhase, stroke, test } from '../support/studio.js';

const candidates = (page: Page) => page.getByTestId('candidate');

/** Four answers to one wish, the first of them shown. */
async function fourCandidates(page: Page): Promise<void> {
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('spinbutton', { name: 'Candidates' }).fill('4');
  await page.getByRole('spinbutton', { name: 'Temperature' }).fill('2');
  await stroke(page, [0.3, 0.5], [0.6, 0.6]);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await expect(candidates(page)).toHaveCount(4);
}

test('scenario 10: four candidates are walked by keys, compared at 400 %, and one is accepted', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  await fourCandidates(page);
  const seen = [await canvasShot(page)];
  await candidates(page).first().focus();
  for (const index of [1, 2, 3]) {
    await page.keyboard.press('ArrowRight');
    await expect(candidates(page).nth(index)).toHaveAttribute('aria-pressed', 'true');
    seen.push(await canvasShot(page));
  }
  expect(new Set(seen).size).toBe(4);

  // The line between before and after follows the mouse.
  await page.getByRole('button', { name: 'Split' }).click();
  const half = await canvasShot(page);
  await stroke(page, [0.5, 0.5], [0.4, 0.5]);
  expect((await canvasShot(page)) === half).toBe(false);
  await page.getByRole('button', { name: 'Split' }).click();

  // Original and result lie on each other at every zoom.
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('1');
  for (let i = 0; i < 20 && (await zoomOf(page)) < 400; i++) await page.keyboard.press('+');
  expect(await zoomOf(page)).toBeGreaterThanOrEqual(400);
  const close = await canvasShot(page);
  await page.keyboard.down('Tab');
  await expect.poll(async () => (await canvasShot(page)) === close).toBe(false);
  await page.keyboard.up('Tab');
  await expect.poll(async () => (await canvasShot(page)) === close).toBe(true);

  await candidates(page).nth(3).focus();
  await page.keyboard.press('Enter');
  await expectPhase(page, 'ready');
  await expect(candidates(page)).toHaveCount(0);
  await page.keyboard.press('Control+z');
  await expect(page.getByTestId('main-button')).toContainText('Fill');
});

test('scenario 10: Escape discards all of them, and mask and wish are as before', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  await fourCandidates(page);
  await candidates(page).first().focus();
  await page.keyboard.press('Escape');
  await expectPhase(page, 'ready');
  await expect(candidates(page)).toHaveCount(0);
  await expect(page.getByTestId('main-button')).toContainText('Fill');
  await expect(page.getByRole('button', { name: 'Undo' })).toBeEnabled();
});

async function zoomOf(page: Page): Promise<number> {
  return Number.parseFloat((await page.getByRole('group', { name: 'Zoom' }).textContent()) ?? '');
}
