import { mkdirSync } from 'node:fs';
import { expect } from '@playwright/test';
import { expectPhase, stroke, test } from './support/studio.js';

const FOLDER = 'docs/screenshots';

/** The pictures of the README, made by the real engine on scenes that the window draws itself. */
test.describe('screenshots', () => {
  test.skip(!process.env['SCALEBRUSH_SCREENSHOTS'], 'SCALEBRUSH_SCREENSHOTS=1 renews docs/screenshots');
  mkdirSync(FOLDER, { recursive: true });

  test.describe('light', () => {
    test.use({ colorScheme: 'light' });

    test('the empty window', async ({ studio: { page } }) => {
      await expect(page.getByTestId('scale-cell')).not.toHaveCount(0);
      await page.screenshot({ path: `${FOLDER}/empty-light.png` });
    });
  });

  test.describe('dark', () => {
    test.use({ colorScheme: 'dark' });

    test('a mask to fill', async ({ studio: { page } }) => {
      await page.getByRole('button', { name: 'Tree and star' }).click();
      await expectPhase(page, 'ready');
      for (const y of [0.61, 0.68, 0.75, 0.79]) await stroke(page, [0.59, y], [0.7, y]);
      await expect(page.getByTestId('main-button')).toHaveText(/Fill.*s/u);
      await page.screenshot({ path: `${FOLDER}/mask-dark.png` });
    });

    test('an edit that is done', async ({ studio: { page } }) => {
      await page.getByRole('button', { name: 'Red car' }).click();
      await expectPhase(page, 'ready');
      await page.getByRole('textbox', { name: 'Instruction' }).fill('make the car blue');
      await page.getByTestId('main-button').click();
      await expectPhase(page, 'done');
      await page.screenshot({ path: `${FOLDER}/done-dark.png` });
    });
  });
});
