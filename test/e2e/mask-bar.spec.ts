import { expect, type Page } from '@playwright/test';
import { test } from './support/masks.js';
import { expectPhase, stroke } from './support/studio.js';
import { LOOKS, spills, violations } from './support/looks.js';

// A busy machine looks for a while.
test.slow();

const bar = (page: Page) => page.getByTestId('mask-bar');
const words = (page: Page) => bar(page).getByRole('textbox', { name: 'Words for the masked part' });

test('at the mask are its verb, its words, variants, Another and Keep', async ({ page, server }) => {
  await expect(bar(page)).toBeHidden();
  await stroke(page, [0.45, 0.4], [0.55, 0.4]);
  await expect(bar(page).getByRole('button', { name: 'Fill', exact: true })).toBeVisible();
  await words(page).fill('make the house red');
  await expect(bar(page).getByRole('button', { name: 'Edit', exact: true })).toBeVisible();
  await words(page).press('Enter');
  await expectPhase(page, 'done');
  await expect(page.getByTestId('canvas')).toBeFocused();
  // It stands there once: the bar of the result has but what compares.
  await expect(page.getByRole('button', { name: 'Keep', exact: true })).toHaveCount(1);
  await bar(page).getByRole('button', { name: 'Another' }).click();
  await expect(bar(page).getByTestId('variant')).toHaveText('2 of 2');
  await bar(page)
    .getByRole('button', { name: /^Variant before/u })
    .click();
  await expect(bar(page).getByTestId('variant')).toHaveText('1 of 2');
  expect(server.requests.map(({ task, seed, instruction }) => [task, seed, instruction])).toEqual([
    ['edit', 0, 'make the house red'],
    ['edit', 1, 'make the house red'],
  ]);
  await bar(page).getByRole('button', { name: 'Keep' }).click();
  await expect(page.getByTestId('history-step')).toHaveCount(2);
  await expect(bar(page)).toBeHidden();
});

test('it stands beside what is painted, follows the picture, and is out of the way of a stroke', async ({ page }) => {
  await stroke(page, [0.45, 0.3], [0.55, 0.3]);
  const box = async () => (await bar(page).boundingBox())!;
  const canvas = (await page.getByTestId('canvas').boundingBox())!;
  await expect(bar(page)).toBeVisible();
  const first = await box();
  expect(first.y).toBeGreaterThan(canvas.y + canvas.height * 0.3);
  expect(Math.abs(first.x + first.width / 2 - (canvas.x + canvas.width / 2))).toBeLessThan(20);
  await page.getByTestId('canvas').focus();
  for (let i = 0; i < 2; i++) await page.keyboard.press('Shift+ArrowUp');
  await expect.poll(async () => Math.round((await box()).y - first.y)).toBe(96);
  await page.mouse.move(canvas.x + 300, canvas.y + canvas.height * 0.3);
  await page.mouse.down();
  await expect(bar(page)).toBeHidden();
  await page.mouse.up();
  await expect(bar(page)).toBeVisible();
});

test('while a run is on it says how far, and cancels', async ({ page, server }) => {
  server.script.holdBefore = 1;
  await stroke(page, [0.45, 0.3], [0.55, 0.3]);
  await bar(page).getByRole('button', { name: 'Fill', exact: true }).click();
  await expect(bar(page)).toContainText('Preparing');
  await bar(page).getByRole('button', { name: 'Cancel' }).click();
  await expectPhase(page, 'ready');
  server.script.holdBefore = 3;
  await stroke(page, [0.45, 0.3], [0.55, 0.3]);
  await bar(page).getByRole('button', { name: 'Fill', exact: true }).click();
  await expect(bar(page)).toContainText('Scale 2 of 6');
  await bar(page).getByRole('button', { name: 'Cancel' }).click();
  await expectPhase(page, 'ready');
  await expect(bar(page).getByRole('button', { name: 'Fill', exact: true })).toBeVisible();
});

test('on a small window the panel and the bar of the result have it all', async ({ page }) => {
  await page.setViewportSize({ width: 1024, height: 700 });
  await stroke(page, [0.45, 0.3], [0.55, 0.3]);
  await expect(page.getByTestId('main-button')).toHaveText(/^Fill/u);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await expect(bar(page)).toBeHidden();
  await expect(page.getByTestId('result-bar').getByRole('button', { name: 'Another' })).toBeVisible();
  await page.setViewportSize({ width: 1440, height: 900 });
  await expect(bar(page).getByRole('button', { name: 'Another' })).toBeVisible();
});

for (const { name, viewport, colorScheme } of LOOKS) {
  test.describe(name, () => {
    test.use({ viewport, colorScheme });

    test('it fits', async ({ page }) => {
      await stroke(page, [0.45, 0.3], [0.55, 0.3]);
      await page.getByTestId('main-button').click();
      await expectPhase(page, 'done');
      expect(await violations(page)).toEqual([]);
      expect(await spills(page)).toEqual([]);
    });
  });
}

for (const locale of ['en', 'de']) {
  test.describe(`${locale}, as narrow as it stands`, () => {
    test.use({ locale, viewport: { width: 1110, height: 800 } });

    test('its words are whole, with and without a result', async ({ page, server: _ }) => {
      await stroke(page, [0.45, 0.3], [0.55, 0.3]);
      await expect(bar(page)).toBeVisible();
      expect(await spills(page)).toEqual([]);
      for (let run = 0; run < 2; run++) {
        await page.getByTestId('main-button').click();
        await expectPhase(page, 'done');
      }
      await expect(bar(page).getByTestId('variant')).toBeVisible();
      expect(await spills(page)).toEqual([]);
    });
  });
}
