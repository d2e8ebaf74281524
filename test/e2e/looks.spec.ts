import { expect, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { test } from './support/fake-window.js';
import { smallTargets, spills } from './support/looks.js';
import { expectPhase } from './support/studio.js';

/** A long name, as cameras and people give them. */
const NAME = 'a-photograph-with-a-name-that-is-far-too-long-for-any-window.png';

async function openLong(page: Page): Promise<void> {
  await page.getByTestId('file-input').setInputFiles({ name: NAME, mimeType: 'image/png', buffer: Buffer.from(await scenePng(320, 240)) });
  await expectPhase(page, 'ready');
}

test('what spills over is seen: a control beyond the window, one that its panel cuts off, and words too long or too high for their place', async ({
  page,
  server: _,
}) => {
  expect(await spills(page)).toEqual([]);
  for (const css of [
    'position: fixed; left: calc(100vw - 10px); width: 60px',
    'position: relative; left: 100vw',
    'width: 12px; padding: 0; white-space: nowrap',
    'width: 60px; height: 12px; min-height: 0; padding: 0; border: 0; line-height: 22px',
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

test('so is what a list or an empty field has no room to show, and a target that is too small', async ({ page, server: _ }) => {
  expect(await smallTargets(page)).toEqual([]);
  await page.evaluate(() => {
    const list = document.createElement('select');
    list.add(new Option('a choice of many words'));
    const field = document.createElement('input');
    field.placeholder = 'a hint of many words';
    for (const each of [list, field]) each.style.width = '60px';
    const dot = document.createElement('button');
    dot.setAttribute('aria-label', 'dot');
    dot.style.cssText = 'width: 20px; min-width: 0; min-height: 0; height: 20px; padding: 0';
    document.querySelector('header')?.append(list, field, dot);
  });
  expect(await spills(page)).toEqual(['SELECT. a choice of many words', 'INPUT. ']);
  expect(await smallTargets(page)).toEqual(['dot: 20 × 20']);
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

      test('every tool is in sight, beside tabs too', async ({ page, server: _ }) => {
        await openLong(page);
        await page.getByTestId('file-input').setInputFiles({ name: 'b.png', mimeType: 'image/png', buffer: Buffer.from(await scenePng(96, 64)) }); // prettier-ignore
        await expect(page.getByTestId('tab')).toHaveCount(2);
        await expectPhase(page, 'ready');
        const tools = page.locator('.tools');
        await page.getByTestId('canvas').focus();
        // Of a brush and of outlines there is more to choose.
        for (const key of ['b', 'l', 'w']) {
          await page.keyboard.press(key);
          for (const button of await tools.getByRole('button').all()) await expect(button).toBeInViewport({ ratio: 1 });
          expect(await tools.evaluate(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)).toBe(0);
        }
        expect(await spills(page)).toEqual([]);
        expect(await smallTargets(page)).toEqual([]);
      });

      test('every button of the header can be reached, with and without a result', async ({ page, server: _ }) => {
        await openLong(page);
        expect(await spills(page)).toEqual([]);
        await page.locator('#instruction').fill('make it night, with fog over the ground and a warmer sky');
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
