import { expect, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { expectKept, expectPhase, stroke, test } from './support/studio.js';

// A busy machine looks for a while.
test.slow();

const tabs = (page: Page) => page.getByTestId('tab');

async function expectAll(page: Page): Promise<void> {
  await expect(tabs(page)).toHaveText(['a.png', 'b.png', 'c.png'], { timeout: 30_000 });
  await expect(page.locator('header > .name')).toHaveText('b.png');
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
}

test('all open documents come back after a reload, and after the program was killed', async ({ studio, program }) => {
  const { page } = studio;
  const buffer = Buffer.from(await scenePng(120, 90));
  for (const name of ['a.png', 'b.png', 'c.png']) {
    await page.getByTestId('file-input').setInputFiles({ name, mimeType: 'image/png', buffer });
    await expect(page.locator('header > .name')).toHaveText(name, { timeout: 30_000 });
    await expectPhase(page, 'ready');
  }
  await tabs(page).nth(1).click();
  await expect(page.locator('header > .name')).toHaveText('b.png');
  await stroke(page, [0.4, 0.5], [0.6, 0.5]);
  await expectKept(page);
  await page.reload();
  await expectAll(page);
  await tabs(page).first().click();
  await expect(page.locator('header > .name')).toHaveText('a.png');
  await tabs(page).nth(1).click();
  await expectAll(page);
  await expectKept(page);
  await studio.kill();
  const again = await program.start();
  await expectAll(again.page);
});
