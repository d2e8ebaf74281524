import { expect, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { test } from './support/fake-window.js';
import { spills } from './support/looks.js';
import { expectPhase } from './support/studio.js';

/** A long name, as cameras and people give them. */
const NAME = 'a-photograph-with-a-name-that-is-far-too-long-for-any-window.png';

async function openLong(page: Page): Promise<void> {
  await page.getByTestId('file-input').setInputFiles({ name: NAME, mimeType: 'image/png', buffer: Buffer.from(await scenePng(320, 240)) });
  await expectPhase(page, 'ready');
}

test('what spills over is seen: a control beyond the window, one that its panel cuts off, and words too long for their place', async ({
  page,
  server: _,
}) => {
  expect(await spills(page)).toEqual([]);
  for (const css of [
    'position: fixed; left: calc(100vw - 10px); width: 60px',
    'position: relative; left: 100vw',
    'width: 12px; padding: 0; white-space: nowrap',
  ]) {
    await page.evaluate((text) => {
      const button = document.createElement('button');
      button.id = 'spill';
      button.textContent = 'words';
      button.style.cssText = text;
      document.querySelector('header')?.append(button);
    }, css);
    expect(await spills(page), css).toContain('BUTTON. words');
    await page.evaluate(() => document.getElementById('spill')?.remove());
  }
});

for (const locale of ['en', 'de']) {
  for (const [width, height] of [
    [1440, 900],
    [1280, 800],
    [1024, 700],
    [900, 600],
  ] as const) {
    test.describe(`${locale} at ${width} × ${height}`, () => {
      test.use({ locale, viewport: { width, height } });

      test('every button of the header can be reached, with and without a result', async ({ page, server: _ }) => {
        await openLong(page);
        expect(await spills(page)).toEqual([]);
        await page.locator('#instruction').fill('make it night');
        await page.getByTestId('main-button').click();
        await expectPhase(page, 'done');
        expect(await spills(page)).toEqual([]);
        const opener = page.getByRole('button', { name: /^Men[uü]$/u });
        if (await opener.isVisible()) await opener.click();
        for (const name of [/^(Many pictures at once|Viele Bilder auf einmal)/u, /^(Preferences|Einstellungen)…/u, /^(Keys|Tasten)/u])
          await expect(page.locator('header').getByRole('button', { name })).toBeInViewport({ ratio: 1 });
        await expect(page.getByRole('button', { name: /^(Save|Speichern)…$/u })).toBeInViewport({ ratio: 1 });
        expect(await spills(page)).toEqual([]);
      });
    });
  }
}
