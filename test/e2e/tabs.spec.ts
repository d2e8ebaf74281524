import { expect, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { spills, violations } from './support/looks.js';
import { test } from './support/fake-window.js';
import { expectPhase, stroke } from './support/studio.js';

// A busy machine looks for a while.
test.slow();

const tabs = (page: Page) => page.getByTestId('tab');

async function open(page: Page, ...names: readonly string[]): Promise<void> {
  const buffer = Buffer.from(await scenePng(120, 90));
  for (const name of names) {
    await page.getByTestId('file-input').setInputFiles({ name, mimeType: 'image/png', buffer });
    await expect(page.locator('header > .name')).toHaveText(name);
    await expectPhase(page, 'ready');
  }
}

test('documents lie side by side in tabs, each as it was left', async ({ page }) => {
  await open(page, 'a.png');
  await expect(tabs(page)).toHaveCount(0);
  await stroke(page, [0.4, 0.5], [0.5, 0.5]);
  await open(page, 'b.png', 'c.png');
  await expect(tabs(page)).toHaveText(['a.png', 'b.png', 'c.png']);
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeDisabled();
  await tabs(page).first().click();
  await expect(page.locator('header > .name')).toHaveText('a.png');
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
  await expect(tabs(page).first()).toHaveAttribute('aria-current', 'page');
  expect(await violations(page)).toEqual([]);
  expect(await spills(page)).toEqual([]);
  // One that is closed makes room for the one beside it; none is thrown away.
  await page.getByRole('button', { name: 'Close c.png' }).click();
  await expect(tabs(page)).toHaveText(['a.png', 'b.png']);
  await page.getByRole('button', { name: 'Close the picture' }).click();
  await expect(page.locator('header > .name')).toHaveText('b.png');
  await expect(tabs(page)).toHaveCount(0);
  await page.getByRole('button', { name: 'Recent documents' }).click();
  await page
    .getByRole('dialog', { name: 'Recent documents' })
    .getByRole('button', { name: /^a\.png/u })
    .click();
  await expect(tabs(page)).toHaveText(['b.png', 'a.png']);
});
